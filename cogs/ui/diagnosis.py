"""Owns how it looks what the bot may and may not do in a channel; a pure function, sends nothing."""

from collections.abc import Sequence

from discord import ui

from bot.guild import AdultPolicy, GuildSettings
from bot.place import Place
from bot.texts import _, listed
from cogs.places import Need, lacking_of
from cogs.ui.controls import Layout
from cogs.ui.gallery import plain


def draw_diagnosis(
    settings: GuildSettings,
    place: Place,
    here: Sequence[Need],
    *,
    log: Sequence[Need] | None,
    gallery: Sequence[Need] | None,
) -> Layout:
    """Return what works in this channel and what does not, and what it is needed for.

    Args:
        settings: Of the server.
        place: The channel that it is about.
        here: What the bot needs there.
        log: What it needs in the log channel; None without one, or when it is gone.
        gallery: The same for the gallery.
    """
    lacking = lacking_of(here)
    head = (
        _("### I lack {permissions} in this channel").format(permissions=listed(lacking))
        if lacking
        else _("### I may do all that I need in this channel")
    )
    lines = [f"{_mark(need.held)} **{need.title}** {need.purpose}" for need in here]
    rules = [_open_here(settings, place), _adult_here(settings, place)]
    if settings.pause_reason is not None:
        rules.append(_("⚠️ New jobs are paused: {reason}").format(reason=plain(settings.pause_reason)))
    rules += [_channel(_("Log channel"), settings.log_channel_id, log)]
    rules += [_channel(_("Gallery"), settings.gallery_channel_id, gallery)]
    advice = _("Permissions are given in Discord: this channel's settings, Permissions, then my role.")
    parts = [head, "\n".join(lines), "\n".join(rules), *([f"-# {advice}"] if lacking else [])]
    return Layout(ui.Container(*(ui.TextDisplay(part) for part in parts)))


def _mark(good: bool) -> str:
    return "✅" if good else "❌"


def _open_here(settings: GuildSettings, place: Place) -> str:
    if settings.is_open_in(place):
        return f"{_mark(True)} " + _("The settings let people use me here.")
    return f"{_mark(False)} " + _("The settings do not let people use me here: /admin settings, Where.")


def _adult_here(settings: GuildSettings, place: Place) -> str:
    if settings.adult is AdultPolicy.NEVER:
        return "➖ " + _("Adult pictures are not made in this server.")
    if place.age_restricted:
        return "➖ " + _("This channel is age-restricted: adult pictures may be made here.")
    return "➖ " + _("This channel is not age-restricted: adult pictures are not made here.")


def _channel(title: str, channel_id: int | None, found: Sequence[Need] | None) -> str:
    if channel_id is None:
        return "➖ " + _("{what}: none is set.").format(what=title)
    if found is None:
        return f"{_mark(False)} " + _("{what}: the channel is gone, or I cannot see it.").format(what=title)
    lacking = lacking_of(found)
    if lacking:
        return f"{_mark(False)} " + _("{what} {channel}: I lack {permissions}.").format(
            what=title, channel=f"<#{channel_id}>", permissions=listed(lacking)
        )
    return f"{_mark(True)} {title} <#{channel_id}>"
