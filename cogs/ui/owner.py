"""Owns how the operator sees their deployment; pure functions, send nothing."""

from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.deployment import LONGEST_ANNOUNCEMENT, Announcement, DeploymentStatus
from bot.routing import ProviderHealth
from bot.texts import _, ngettext, told
from bot.usage_chart import MICRO
from cogs.ui import words
from cogs.ui.controls import Form, Layout, button


def draw_status(status: DeploymentStatus, *, servers: int, latency: float) -> Layout:
    """Return how the deployment is; latency in seconds."""
    jobs = sum(status.under_way.values())
    states = ", ".join(
        f"{count} × {words.name_of(state)}" for state, count in sorted(status.under_way.items()) if count
    )
    lines = [
        "### Darkroom",
        ngettext(
            "In {count} server; {set_up} set up, {logged} with a log channel.",
            "In {count} servers; {set_up} set up, {logged} with a log channel.",
            servers,
        ).format(count=servers, set_up=status.servers_set_up, logged=status.with_log_channel),
        ngettext("{count} job under way.", "{count} jobs under way.", jobs).format(count=jobs),
        *([f"-# {states}"] if states else []),
        ngettext("{count} report waits.", "{count} reports wait.", status.open_reports).format(
            count=status.open_reports
        ),
        _("Spent in the last 24 hours: {spent}. Set aside now: {aside}.").format(
            spent=words.dollars(status.spent_in_a_day / MICRO), aside=words.dollars(status.set_aside / MICRO)
        ),
        f"-# Discord {latency * 1000:.0f} ms",
    ]
    return Layout(ui.Container(ui.TextDisplay("\n".join(lines))))


def draw_providers(found: Sequence[ProviderHealth]) -> Layout:
    """Return how each provider is, a line for each of its roles."""
    lines = [_("### Providers")]
    for one in found:
        mark = "✅" if one.well else "❌"
        detail = _("not asked yet") if one.health is None else told(one.health.wording)
        if one.lost:
            detail = _("out of reach: several calls in a row failed")
        lines.append(f"{mark} **{one.title}** ({_(one.role)}) {detail}"[:300])
    return Layout(ui.Container(ui.TextDisplay("\n".join(lines)[:3900])))


def draw_announcement_form() -> Form:
    """Return the form for an announcement."""
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id="text", style=discord.TextStyle.paragraph, max_length=LONGEST_ANNOUNCEMENT
    )
    label: ui.Label[Any] = ui.Label(text=_("To the log channels of all servers"), component=field)
    return Form("owner.announce", title=_("Announce something"), labels=[label])


def draw_announcement_question(announcement: Announcement) -> Layout:
    """Return an announcement as servers will see it, with the button that sends it."""
    label = ngettext("Send to {count} server", "Send to {count} servers", announcement.servers)
    return Layout(
        ui.Container(ui.TextDisplay(announcement.text)),
        ui.ActionRow(
            button(
                "owner.announce",
                announcement.id,
                label=label.format(count=announcement.servers),
                style=discord.ButtonStyle.primary,
                disabled=announcement.servers == 0,
            )
        ),
    )
