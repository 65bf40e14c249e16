"""Owns how a server's settings look, a section at a time; a pure function of them, sends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import discord
from discord import ui

from bot.budget import BudgetLimits
from bot.guild import AdultPolicy, Block, GuildSettings, RoleLimits
from bot.texts import N_, _, listed
from cogs.ui import words
from cogs.ui.controls import Layout, button, channel_menu, menu, role_menu
from cogs.ui.gallery import plain

#: Entries of a list that is shown; the menus hold them all.
SHOWN = 12


class Section(StrEnum):
    """A page of the panel."""

    WHERE = "where"
    PROVIDERS = "providers"
    MONEY = "money"
    CONTENT = "content"
    CHANNELS = "channels"


_SECTIONS: Mapping[Section, tuple[str, str]] = {
    Section.WHERE: (N_("Where and who"), N_("Channels, and roles that may train, draw and manage")),
    Section.PROVIDERS: (N_("Providers"), N_("Which may be used, and which first")),
    Section.MONEY: (N_("Money and limits"), N_("For everybody, and for roles")),
    Section.CONTENT: (N_("Content and photos"), N_("Adult pictures, unwanted words, how long photos are kept")),
    Section.CHANNELS: (N_("Log and gallery"), N_("Where reports and pictures go")),
}
#: What a setting is called where one is named.
_TITLES: Mapping[str, str] = {
    "channel_ids": N_("channels"),
    "train_role_ids": N_("who may train"),
    "generate_role_ids": N_("who may make pictures"),
    "manage_role_ids": N_("who may manage"),
    "allowed_providers": N_("allowed providers"),
    "preferred_providers": N_("preferred provider"),
    "person_usd_a_day": N_("dollars a day for a person"),
    "server_usd_a_month": N_("dollars a month for the server"),
    "jobs_at_once": N_("jobs at once"),
    "role_limits": N_("limits of roles"),
    "keep_photos_days": N_("days that photos are kept"),
    "adult": N_("adult pictures"),
    "adult_words": N_("adult words"),
    "blocked_words": N_("unwanted words"),
    "log_channel_id": N_("log channel"),
    "gallery_channel_id": N_("gallery"),
}
_POLICIES: Mapping[AdultPolicy, str] = {
    AdultPolicy.NEVER: N_("Never in this server"),
    AdultPolicy.AGE_RESTRICTED: N_("Only in age-restricted channels"),
}


@dataclass(frozen=True, kw_only=True)
class PanelView:
    """All that the panel shows."""

    settings: GuildSettings
    #: Titles of the providers of this deployment, by name.
    providers: Mapping[str, str]
    #: What the operator allows at most.
    operator: BudgetLimits
    #: Days that the operator keeps the photos of finished trainings.
    keep_photos_days: float
    blocks: Sequence[Block] = ()
    #: What is wrong with the log channel or the gallery, a sentence each.
    troubles: Sequence[str] = ()


def draw_settings(view: PanelView, section: Section) -> Layout:
    """Return one section, with the menu that leads to the others."""
    drawers = {
        Section.WHERE: _draw_where,
        Section.PROVIDERS: _draw_providers,
        Section.MONEY: _draw_money,
        Section.CONTENT: _draw_content,
        Section.CHANNELS: _draw_channels,
    }
    title, _about = _SECTIONS[section]
    container = ui.Container[Layout](ui.TextDisplay("### " + _("Settings: {section}").format(section=_(title))))
    drawers[section](view, container)
    options = [
        discord.SelectOption(label=_(name), description=_(about), value=one.value, default=one is section)
        for one, (name, about) in _SECTIONS.items()
    ]
    return Layout(container, ui.ActionRow(menu("admin.section", options=options, placeholder=_("Another section"))))


def title_of(name: str) -> str:
    """Return what a setting is called."""
    return _(_TITLES[name]) if name in _TITLES else name


def told_value(name: str, text: str) -> str:
    """Return a value of the audit log so that people read names in place of numbers."""
    if not text:
        return "–"
    if name == "adult" and text in _POLICIES:
        return _(_POLICIES[AdultPolicy(text)])
    if name.endswith("role_ids"):
        return " ".join(f"<@&{one}>" for one in text.split(", "))
    if name.endswith(("channel_id", "channel_ids")):
        return " ".join(f"<#{one}>" for one in text.split(", "))
    return plain(text if len(text) <= 120 else f"{text[:119]}…")


def _draw_where(view: PanelView, container: ui.Container[Layout]) -> None:
    settings = view.settings
    container.add_item(ui.TextDisplay(_("**Channels** where I may be used, with their threads. None chosen: all.")))
    pick = _("All channels")
    container.add_item(
        ui.ActionRow(channel_menu("admin.set", "channel_ids", chosen=settings.channel_ids, placeholder=pick))
    )
    for name, chosen, text, nobody in (
        ("train_role_ids", settings.train_role_ids, _("**Roles that may train.** None chosen: all."), _("Everybody")),
        (
            "generate_role_ids",
            settings.generate_role_ids,
            _("**Roles that may make pictures.** None chosen: all."),
            _("Everybody"),
        ),
        (
            "manage_role_ids",
            settings.manage_role_ids,
            _(
                "**Roles that may manage**, besides people with Manage Server. Discord shows /admin to a role once you "
                "allow it in Server Settings, Integrations."
            ),
            _("Nobody besides"),
        ),
    ):
        container.add_item(ui.TextDisplay(text))
        container.add_item(ui.ActionRow(role_menu("admin.set", name, chosen=chosen, placeholder=nobody)))
    if view.blocks:
        named = [f"<@{one.person_id}>" for one in view.blocks[:SHOWN]]
        more = ["…"] if len(view.blocks) > SHOWN else []
        blocked = _("**Blocked:** {people}. /admin unblock lets them in again.")
        container.add_item(ui.TextDisplay(blocked.format(people=listed([*named, *more]))))


def _draw_providers(view: PanelView, container: ui.Container[Layout]) -> None:
    settings, names = view.settings, list(view.providers)[:25]
    if not names:
        container.add_item(ui.TextDisplay(_("This bot has no provider. Tell its operator.")))
        return
    container.add_item(ui.TextDisplay(_("**Providers that may be used here.** None chosen: all.")))
    allowed = [
        discord.SelectOption(label=view.providers[name], value=name, default=name in settings.allowed_providers)
        for name in names
    ]
    container.add_item(
        ui.ActionRow(
            menu(
                "admin.set",
                "allowed_providers",
                options=allowed,
                placeholder=_("All providers"),
                min_values=0,
                max_values=len(allowed),
            )
        )
    )
    text = _("**Taken first** where people leave the choice to me. None chosen: the cheapest.")
    container.add_item(ui.TextDisplay(text))
    preferred = [
        discord.SelectOption(label=view.providers[name], value=name, default=name in settings.preferred_providers[:1])
        for name in names
    ]
    container.add_item(
        ui.ActionRow(
            menu(
                "admin.set",
                "preferred_providers",
                options=preferred,
                placeholder=_("The cheapest"),
                min_values=0,
            )
        )
    )


def _draw_money(view: PanelView, container: ui.Container[Layout]) -> None:
    settings, operator = view.settings, view.operator
    lines = [
        _("A person a day: {amount}").format(amount=_amount(settings.person_usd_a_day)),
        _("The server a month: {amount}").format(amount=_amount(settings.server_usd_a_month)),
        _("Jobs of a person at once: {count}").format(count=_count(settings.jobs_at_once)),
    ]
    container.add_item(ui.TextDisplay(_("**For everybody**") + "\n" + "\n".join(lines)))
    container.add_item(ui.ActionRow(button("admin.limits", label=_("Change"))))
    roles = "\n".join(_role_line(one) for one in settings.role_limits) or _("None.")
    container.add_item(ui.TextDisplay(_("**For roles**") + "\n" + roles))
    container.add_item(ui.ActionRow(role_menu("admin.role", chosen=(), placeholder=_("Limits of a role"), most=1)))
    told = _(
        "-# A role's limit takes the place of everybody's; of several roles the most generous counts. The operator's "
        "own limits hold besides: {day} a person a day, {month} a server a month, {jobs} jobs at once. Days and months "
        "are those of UTC."
    )
    container.add_item(
        ui.TextDisplay(
            told.format(
                day=_amount(operator.person_a_day_usd),
                month=_amount(operator.server_a_month_usd),
                jobs=operator.jobs_at_once,
            )
        )
    )


def _draw_content(view: PanelView, container: ui.Container[Layout]) -> None:
    settings = view.settings
    container.add_item(ui.TextDisplay(_("**Adult pictures**")))
    options = [
        discord.SelectOption(label=_(text), value=policy.value, default=policy is settings.adult)
        for policy, text in _POLICIES.items()
    ]
    container.add_item(ui.ActionRow(menu("admin.set", "adult", options=options, placeholder=_("Adult pictures"))))
    kept = view.keep_photos_days
    if settings.keep_photos_days is not None:
        kept = min(kept, settings.keep_photos_days)
    lines = [
        _("**Unwanted words** in prompts, captions and names: {words}").format(words=_shown(settings.blocked_words)),
        _("**Words that make a prompt adult**, besides mine: {words}").format(words=_shown(settings.adult_words)),
        _("**Photos** of trainings begun here go {days} days after their end.").format(days=f"{kept:g}"),
    ]
    container.add_item(ui.TextDisplay("\n".join(lines)))
    container.add_item(ui.ActionRow(button("admin.words", label=_("Change words and days"))))
    told = _(
        "-# What is checked: the words of prompts, whole words in any case, and whether a model is marked as adult "
        "(/models adult). Nobody looks at the pictures themselves: providers have filters, and people can report. A "
        "model of a child never makes adult pictures, and direct messages never get any."
    )
    container.add_item(ui.TextDisplay(told))


def _draw_channels(view: PanelView, container: ui.Container[Layout]) -> None:
    settings = view.settings
    log = [settings.log_channel_id] if settings.log_channel_id is not None else []
    gallery = [settings.gallery_channel_id] if settings.gallery_channel_id is not None else []
    text = _("**Log channel**, for reports, doubts about paid jobs and outages. Choose one that only managers see.")
    container.add_item(ui.TextDisplay(text))
    container.add_item(
        ui.ActionRow(
            channel_menu("admin.set", "log_channel_id", chosen=log, placeholder=_("None: reports wait"), most=1)
        )
    )
    container.add_item(ui.TextDisplay(_("**Gallery**, where each shared model gets a thread for its pictures.")))
    container.add_item(
        ui.ActionRow(
            channel_menu("admin.set", "gallery_channel_id", chosen=gallery, placeholder=_("No gallery"), most=1)
        )
    )
    for trouble in view.troubles:
        container.add_item(ui.TextDisplay(f"⚠️ {trouble}"))


def _role_line(one: RoleLimits) -> str:
    return _("{role}: {amount} a day, {count} jobs at once").format(
        role=f"<@&{one.role_id}>", amount=_amount(one.usd_a_day), count=_count(one.jobs_at_once)
    )


def _amount(usd: float | None) -> str:
    return _("no limit") if usd is None else words.dollars(usd)


def _count(jobs: int | None) -> str:
    return _("no limit") if jobs is None else str(jobs)


def _shown(found: Sequence[str]) -> str:
    if not found:
        return _("none")
    more = ["…"] if len(found) > SHOWN else []
    return ", ".join([*(plain(word) for word in found[:SHOWN]), *more])
