"""Owns how a person's own data is told of: what is held, the question before its end, settings; sends nothing."""

import discord
from discord import ui

from bot.erasing import STAYS
from bot.export import Pack
from bot.privacy import Holdings
from bot.store.people import PersonSettings
from bot.texts import _, ngettext
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.letters import told_erasure

#: Names in a list that would not fit otherwise.
MOST_NAMES = 5


def draw_holdings(holdings: Holdings) -> Layout:
    """Return what is held about a person, with what they can do about it."""
    text = "\n".join([_("### What this bot holds about you"), *_lines(holdings)])
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay(text))
    if holdings.erasure is not None:
        container.add_item(ui.Separator())
        container.add_item(ui.TextDisplay(_told_wish(holdings)))
    container.add_item(
        ui.ActionRow(
            button("privacy.export", label=_("Get a copy"), style=discord.ButtonStyle.primary),
            button("privacy.delete", label=_("Delete everything"), style=discord.ButtonStyle.danger),
        )
    )
    return Layout(container)


def draw_erase_question(holdings: Holdings) -> Layout:
    """Return the question before the end of everything."""
    counts = holdings.counts
    text = "\n".join(
        [
            _("### Delete everything about you?"),
            _("For ever: {things}.").format(
                things=", ".join([words.photos(counts.photos), _models(counts.models), words.pictures(counts.pictures)])
            ),
            _("Trainings and pictures under way are stopped; what they cost so far is not paid back."),
            _("Messages that show your pictures, and copies at the providers, go too, as far as that can be done."),
            "",
            _("What stays:"),
            *(f"- {_(sentence)}" for sentence in STAYS),
        ]
    )
    return Layout(
        ui.Container(
            ui.TextDisplay(text),
            ui.ActionRow(
                button("privacy.erase", label=_("Delete everything for ever"), style=discord.ButtonStyle.danger),
                button("privacy.export", label=_("Get a copy first")),
                button("privacy.show", label=_("Keep it")),
            ),
        )
    )


def draw_settings(settings: PersonSettings) -> Layout:
    """Return which direct messages a person gets, each with its switch."""
    container: ui.Container[Layout] = ui.Container(ui.TextDisplay(_("### Direct messages from this bot")))
    switches = (
        ("done", settings.tell_done, _("When a training that you began in a server has ended.")),
        ("deletion", settings.tell_deletion, _("A day before photos of yours are deleted.")),
    )
    for name, on, told in switches:
        wanted, label = ("off", _("Switch off")) if on else ("on", _("Switch on"))
        state = _("on") if on else _("off")
        container.add_item(
            ui.Section(
                ui.TextDisplay(f"{told}\n-# {_('Now: {state}').format(state=state)}"),
                accessory=button("privacy.set", name, wanted, label=label),
            )
        )
    container.add_item(
        ui.TextDisplay(_("-# Apart from the one that tells that you are forgotten, there are no others."))
    )
    return Layout(container)


def told_pack(pack: Pack, most_bytes: int) -> str:
    """Return what is said with a copy."""
    said = ngettext(
        "Here is everything that is held about you. Only you see this message.",
        "Here is everything that is held about you, in {count} files. Only you see these messages.",
        len(pack.files),
    ).format(count=len(pack.files))
    if not pack.left_out:
        return said
    size = most_bytes // (1024 * 1024)
    names = ", ".join(f"`{name}`" for name in pack.left_out[:MOST_NAMES])
    more = len(pack.left_out) - MOST_NAMES
    if more > 0:
        names = _("{names} and {count} more").format(names=names, count=more)
    left = _("Too large for Discord, which takes {size} MiB a file: {names}. /models download gives you a model.")
    return f"{said}\n{left.format(size=size, names=names)}"


def _lines(holdings: Holdings) -> list[str]:
    counts, times = holdings.counts, holdings.times
    lines = [
        f"- {words.photos(counts.photos)} · {_drafts(counts.drafts)}",
        f"- {_models(counts.models)} · {_shared(counts.shared_models)}",
        f"- {words.pictures(counts.pictures)} · {_jobs(counts.jobs)}",
        f"- {_answers(counts.consents)}",
    ]
    if holdings.providers:
        names = ", ".join(holdings.providers)
        lines.append(_("Photos, prompts or models went to: {names}.").format(names=names))
    else:
        lines.append(_("Nothing of it went to a provider."))
    lines.append(
        _("Photos of finished trainings go after {trained}, drafts that nobody touches after {drafts}.").format(
            trained=_days(times.trained_photos.total_seconds()), drafts=_days(times.open_drafts.total_seconds())
        )
    )
    if holdings.next_deletion is not None:
        lines.append(_("The next ones go {when}.").format(when=words.moment(holdings.next_deletion)))
    if holdings.sealed:
        lines.append(_("Photos, models and pictures are encrypted on disk."))
    return lines


def _told_wish(holdings: Holdings) -> str:
    wish = holdings.erasure
    if wish is None:
        return ""
    if wish.done_at is None:
        return _("You asked {when} to be forgotten; that is being done.").format(when=words.moment(wish.asked_at))
    return told_erasure(wish.report)


def _models(count: int) -> str:
    return ngettext("{count} model", "{count} models", count).format(count=count)


def _shared(count: int) -> str:
    return ngettext("{count} of them shared", "{count} of them shared", count).format(count=count)


def _drafts(count: int) -> str:
    return ngettext("{count} draft", "{count} drafts", count).format(count=count)


def _jobs(count: int) -> str:
    return ngettext("{count} job", "{count} jobs", count).format(count=count)


def _answers(count: int) -> str:
    return ngettext("{count} answer about who is in photos", "{count} answers about who is in photos", count).format(
        count=count
    )


def _days(seconds: float) -> str:
    days = max(1, round(seconds / 86400))
    return ngettext("{count} day", "{count} days", days).format(count=days)
