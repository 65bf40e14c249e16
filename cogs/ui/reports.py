"""Owns how reports of pictures look, to those who settle them; pure functions, send nothing."""

from collections.abc import Mapping, Sequence

import discord
from discord import ui

from bot.report import Report, ReportState
from bot.reports import Filed
from bot.texts import N_, _
from bot.training.job import Job
from cogs.ui import words
from cogs.ui.controls import Layout, button, menu
from cogs.ui.gallery import plain
from cogs.ui.quote import draw_note

_ENDS: Mapping[ReportState, str] = {
    ReportState.DELETED: N_("{manager} deleted the pictures."),
    ReportState.BLOCKED: N_("{manager} blocked the person."),
    ReportState.DISMISSED: N_("{manager} dismissed it."),
}


def told_filed(filed: Filed) -> str:
    """Return what becomes of a report that was just filed, honestly."""
    if filed.reaches_channel:
        return _("Thank you. The people who look after this have it now, with your name.")
    if filed.report.guild_id is None:
        return _("Thank you. It is kept for the operator of this bot, who may not look often.")
    return _(
        "Thank you. It waits for those who manage this server. They have no channel for reports, so tell one of them: "
        "/admin reports shows it."
    )


def draw_reports(reports: Sequence[Report]) -> Layout:
    """Return the reports that wait, with a menu that opens one."""
    if not reports:
        return draw_note(_("No report waits for you."))
    lines = [_("### Reports that wait")] + [_line(report) for report in reports]
    options = [
        discord.SelectOption(
            label=_("Job {job}").format(job=report.job_id), value=report.id, description=report.reason[:100] or None
        )
        for report in reports
    ]
    row = ui.ActionRow[Layout](menu("admin.report", options=options, placeholder=_("Open a report")))
    return Layout(ui.TextDisplay("\n".join(lines)), row)


def draw_report(report: Report, job: Job | None, spot: tuple[int, int] | None) -> Layout:
    """Return a report with the buttons that settle it, or with what became of it.

    Args:
        report: As it is now.
        job: The one whose pictures it is about.
        spot: Channel and message that show them, if any does.
    """
    lines = [_("### Pictures were reported"), _who(report)]
    if report.reason:
        lines.append(_("“{reason}”").format(reason=plain(report.reason)))
    if job is not None:
        lines.append(_("**Prompt** {prompt}").format(prompt=plain(job.pictures.prompt[:300]) or "–"))
    lines.append(f"-# {_('Job {job}').format(job=report.job_id)} · {words.moment(report.created_at, 'f')}")
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay("\n".join(lines)))
    if report.state is not ReportState.OPEN:
        ended = _(_ENDS[report.state]).format(manager=f"<@{report.settled_by}>")
        container.add_item(ui.TextDisplay(f"**{ended}**"))
        return Layout(container)
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("report.delete", report.id, label=_("Delete the pictures"), style=discord.ButtonStyle.danger),
        button("report.block", report.id, label=_("Block the person")),
        button("report.dismiss", report.id, label=_("Dismiss")),
    )
    if spot is not None:
        where = f"https://discord.com/channels/{report.guild_id or '@me'}/{spot[0]}/{spot[1]}"
        row.add_item(ui.Button(label=_("See them"), url=where))
    container.add_item(row)
    return Layout(container)


def _who(report: Report) -> str:
    reporter = f"<@{report.reporter_id}>" if report.reporter_id else _("somebody who was forgotten")
    return _("{reporter} reports pictures of {person}.").format(reporter=reporter, person=f"<@{report.subject_id}>")


def _line(report: Report) -> str:
    text = f"{words.moment(report.created_at)} {_who(report)}"
    return f"{text} {plain(report.reason[:80])}" if report.reason else text
