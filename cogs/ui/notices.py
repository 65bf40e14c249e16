"""Owns how notices in a log channel look; a pure function of what they are about, sends nothing."""

from dataclasses import dataclass

import discord
from discord import ui

from bot.events import StrayFate
from bot.notice import Notice, NoticeKind
from bot.report import Report
from bot.texts import N_, _
from bot.training.job import Job
from cogs.ui.controls import Layout, button
from cogs.ui.gallery import plain
from cogs.ui.reports import draw_report

_ATTENTION = discord.Colour(0xF0B132)
_QUIET = discord.Colour(0x80848E)
_NEWS = discord.Colour(0x5865F2)

_FATES = {
    StrayFate.DESTROYED.value: N_("It was given back."),
    StrayFate.STAYS.value: N_("It could not be given back and may cost money: look at the provider's page."),
    StrayFate.LEFT_ALONE.value: N_("It may be another bot's, so it is left alone for now."),
}


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """A notice with all that its message can show."""

    notice: Notice
    #: The job that it is about.
    job: Job | None = None
    report: Report | None = None
    #: Channel and message of the reported pictures.
    spot: tuple[int, int] | None = None
    #: The provider, as people know it.
    provider: str = ""


def draw_notice(view: NoticeView) -> Layout:
    """Return a notice as it is now."""
    if view.report is not None:
        return draw_report(view.report, view.job, view.spot)
    drawers = {
        NoticeKind.REPORT: _draw_gone,
        NoticeKind.DOUBT: _draw_doubt,
        NoticeKind.MACHINE: _draw_machine,
        NoticeKind.OUTAGE: _draw_outage,
        NoticeKind.ANNOUNCEMENT: _draw_announcement,
    }
    return drawers[view.notice.kind](view)


def _draw_gone(_view: NoticeView) -> Layout:
    return _layout(_("A report was here, and is gone."), _QUIET)


def _draw_doubt(view: NoticeView) -> Layout:
    job = view.job
    if job is None:
        return _draw_gone(view)
    head = _("### Nobody knows whether {provider} took an order").format(provider=view.provider)
    whose = _("**{job}** of {person}, job `{id}`.").format(job=plain(job.title), person=f"<@{job.owner_id}>", id=job.id)
    if view.notice.closed:
        return _layout(f"{head}\n{whose}\n" + _("That is settled."), _QUIET)
    told = _(
        "It may cost money there. Look at the provider's page: if it ran, press *It ran* and paste its id or link. "
        "If it did not, press *It did not run* and it is sent once more."
    )
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("job.it_ran", job.id, label=_("It ran"), style=discord.ButtonStyle.primary),
        button("job.did_not_run", job.id, label=_("It did not run")),
    )
    return _layout(f"{head}\n{whose}\n{told}", _ATTENTION, row)


def _draw_machine(view: NoticeView) -> Layout:
    facts = view.notice.facts
    text = _("### A rented machine without a job at {provider}\n`{machine}` ({name}). {fate}")
    fate = str(facts.get("fate", ""))
    return _layout(
        text.format(
            provider=facts.get("provider", ""),
            machine=facts.get("box_id", ""),
            name=facts.get("name", ""),
            fate=_(_FATES[fate]) if fate in _FATES else fate,
        ),
        _QUIET if fate == StrayFate.DESTROYED.value else _ATTENTION,
    )


def _draw_outage(view: NoticeView) -> Layout:
    since = f"<t:{view.notice.created_at.timestamp():.0f}:R>"
    if view.notice.closed:
        text = _("### {provider} answers again\nIt was out of reach, first seen {since}. Its jobs go on.")
        return _layout(text.format(provider=view.provider, since=since), _QUIET)
    text = _(
        "### {provider} is out of reach\nFirst seen {since}. Jobs of this server wait for it, and go on by themselves."
    )
    return _layout(text.format(provider=view.provider, since=since), _ATTENTION)


def _draw_announcement(view: NoticeView) -> Layout:
    text = _("### From the operator of this bot") + f"\n{view.notice.facts.get('text', '')}"
    return _layout(text, _NEWS)


def _layout(text: str, colour: discord.Colour, row: ui.ActionRow[Layout] | None = None) -> Layout:
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay(text), accent_colour=colour)
    if row is not None:
        container.add_item(row)
    return Layout(container)
