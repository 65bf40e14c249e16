"""Owns how a server's managers see its jobs, spending and audit log; pure functions, send nothing."""

import io
from collections.abc import Mapping, Sequence

import discord
from discord import app_commands, ui

from bot.audit import AuditAct, AuditEntry
from bot.oversight import WatchedJob
from bot.texts import N_, _, listed, ngettext
from bot.training.job import JobKind
from bot.usage import Usage
from bot.usage_chart import MICRO, Chart, ChartDay
from cogs.ui import words
from cogs.ui.controls import Layout, button, menu
from cogs.ui.gallery import plain
from cogs.ui.quote import draw_note, job_label
from cogs.ui.settings_panel import title_of, told_value

#: People who are named under the chart; they are those with a number in it.
MOST_NAMED = 5

_ACTS: Mapping[AuditAct, str] = {
    AuditAct.SETTING: N_("set {target} from {before} to {after}"),
    AuditAct.CANCEL: N_("stopped the job `{job}` of {target}"),
    AuditAct.PAUSE: N_("paused new jobs: {reason}"),
    AuditAct.RESUME: N_("let new jobs begin again"),
    AuditAct.BLOCK: N_("blocked {target}: {reason}"),
    AuditAct.UNBLOCK: N_("unblocked {target}"),
    AuditAct.DELETE_PICTURES: N_("deleted the pictures of the job `{target}` after a report"),
    AuditAct.DISMISS: N_("dismissed a report of the job `{target}`"),
    AuditAct.MARK_ADULT: N_("marked the model `{target}` as adult"),
    AuditAct.UNMARK_ADULT: N_("took the adult mark from the model `{target}`"),
    AuditAct.SETTLE_DOUBT: N_("said what became of the job `{target}`"),
    AuditAct.ANNOUNCE: N_("announced something to all servers"),
    AuditAct.SYNC: N_("told Discord of the commands anew"),
}
#: Acts whose target is a person.
_ON_PEOPLE = frozenset({AuditAct.BLOCK, AuditAct.UNBLOCK, AuditAct.CANCEL})


def draw_watched_jobs(jobs: Sequence[WatchedJob], *, paused: str | None) -> Layout:
    """Return the jobs under way in a server, with a menu that stops one."""
    head = _("### Jobs under way here")
    if paused is not None:
        head += "\n" + _("New ones are paused: {reason}").format(reason=plain(paused))
    if not jobs:
        return Layout(ui.TextDisplay(f"{head}\n{_('None.')}"))
    options = [
        discord.SelectOption(label=job_label(one.job)[:100], value=one.job.id, description=one.job.id) for one in jobs
    ]
    return Layout(
        ui.TextDisplay(head),
        ui.TextDisplay("\n".join(_job_line(one) for one in jobs)),
        ui.ActionRow(menu("admin.cancel", options=options, placeholder=_("Stop a job"))),
    )


def job_choices(jobs: Sequence[WatchedJob], typed: str) -> list[app_commands.Choice[str]]:
    """Return jobs to choose from while a manager types; the value is the job's id."""
    labels = [(f"{job_label(one.job)} · {one.job.id}"[:100], one.job.id) for one in jobs]
    return [
        app_commands.Choice(name=label, value=job_id)
        for label, job_id in labels
        if typed.casefold() in label.casefold()
    ]


def _job_line(one: WatchedJob) -> str:
    job = one.job
    parts = [
        f"**{plain(job.title)}** · {words.state_of(job)}",
        job.provider,
        _("up to {amount}").format(amount=words.dollars(one.set_aside / MICRO)) if one.set_aside else _("free"),
        f"<@{job.owner_id}>",
        words.moment(job.created_at),
    ]
    return " · ".join(parts)


def chart_of(usage: Usage, titles: Mapping[str, str]) -> Chart:
    """Return what the chart shows; providers by the titles that people know."""

    def title(name: str) -> str:
        return titles.get(name, name)

    return Chart(
        days=[
            ChartDay(day=day.day, by_provider={title(name): spent for name, spent in day.by_provider.items() if spent})
            for day in usage.days
        ],
        providers=[(title(name), spent) for name, spent in usage.by_provider],
        people=[spent for _person, spent in usage.by_person],
    )


def draw_usage(usage: Usage, titles: Mapping[str, str], picture: bytes | None) -> tuple[Layout, list[discord.File]]:
    """Return what a server spent, with the chart where there is one."""
    count = len(usage.days)
    head = ngettext("### Spent today", "### Spent in the last {count} days", count).format(count=count)
    lines = [f"{head}: {words.dollars(usage.total / MICRO)}"]
    if not usage.total:
        lines.append(_("Nothing was spent."))
    begun = [
        ngettext("{count} training", "{count} trainings", trained).format(count=trained)
        for trained in [usage.begun.get(JobKind.TRAINING, 0)]
    ] + [
        ngettext("{count} order of pictures", "{count} orders of pictures", drawn).format(count=drawn)
        for drawn in [usage.begun.get(JobKind.PICTURES, 0)]
    ]
    lines.append(_("Begun: {jobs}.").format(jobs=listed(begun)))
    if usage.set_aside:
        amount = words.dollars(usage.set_aside / MICRO)
        lines.append(_("Set aside for jobs under way: {amount}.").format(amount=amount))
    if picture is None:
        return Layout(ui.Container(ui.TextDisplay("\n".join(lines)))), []
    named = [
        f"**{number}** <@{person}> {words.dollars(spent / MICRO)}"
        for number, (person, spent) in enumerate(usage.by_person[:MOST_NAMED], 1)
    ]
    shown = ui.MediaGallery[Layout]()
    shown.add_item(media="attachment://usage.png", description=_alt(usage, titles))
    container = ui.Container[Layout](
        ui.TextDisplay("\n".join(lines)),
        shown,
        ui.TextDisplay(" · ".join(named)),
        ui.TextDisplay(f"-# {_('Days are those of UTC. A job counts on the day of its end.')}"),
    )
    return Layout(container), [discord.File(io.BytesIO(picture), "usage.png")]


def _alt(usage: Usage, titles: Mapping[str, str]) -> str:
    """Return the chart in words, for people who hear it read."""
    best = max(usage.days, key=lambda day: day.total)
    providers = [f"{titles.get(name, name)} {words.dollars(spent / MICRO)}" for name, spent in usage.by_provider[:6]]
    return _("Bars of what was spent a day; most on {day}, {amount}. By provider: {providers}.").format(
        day=best.day, amount=words.dollars(best.total / MICRO), providers=listed(providers)
    )[:1000]


def draw_audit(entries: Sequence[AuditEntry], *, page: int, pages: int) -> Layout:
    """Return a page of the audit log, the newest first."""
    if not entries:
        return draw_note(_("Nothing was done by managers here yet."))
    lines = "\n".join(_entry_line(entry) for entry in entries)
    head = _("### Audit log, page {page} of {pages}").format(page=page + 1, pages=pages)
    container = ui.Container[Layout](ui.TextDisplay(f"{head}\n{lines}"))
    if pages > 1:
        container.add_item(
            ui.ActionRow(
                button("admin.audit", page - 1, label=_("Newer"), disabled=page == 0),
                button("admin.audit", page + 1, label=_("Older"), disabled=page + 1 >= pages),
            )
        )
    return Layout(container)


def _entry_line(entry: AuditEntry) -> str:
    details = {name: plain(text) for name, text in entry.details.items()}
    target = entry.target
    if entry.act in _ON_PEOPLE:
        target = f"<@{target}>" if target else _("somebody who was forgotten")
    if entry.act is AuditAct.SETTING:
        details = {name: told_value(entry.target, text) for name, text in entry.details.items()}
        target = f"*{title_of(entry.target)}*"
    # What belonged to somebody who was forgotten is gone from the entry.
    facts = dict.fromkeys(("reason", "before", "after", "job"), "–") | details | {"target": target}
    until = entry.details.get("until")
    told = _(_ACTS[entry.act]).format(**facts)
    if until is not None:
        told += " " + _("(until {moment})").format(moment=f"<t:{until}:d>")
    return f"{words.moment(entry.at, 'd')} <@{entry.actor_id}> {told}"[:380]
