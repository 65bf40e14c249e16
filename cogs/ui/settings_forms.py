"""Owns the forms of a server's settings and how their answers are read; pure functions, send nothing."""

import re
from typing import Any

import discord
from discord import ui

from bot.errors import BadInput
from bot.guild import GuildSettings, RoleLimits
from bot.texts import _
from cogs.ui.controls import Answers, Form

MOST_USD = 100_000
MOST_JOBS = 100
MOST_DAYS = 3650
MOST_WORDS = 200
LONGEST_WORD = 60


def draw_limits_form(settings: GuildSettings) -> Form:
    """Return the form for the limits of everybody."""
    return Form(
        "admin.limits",
        title=_("Limits for everybody"),
        labels=[
            _number("person_usd_a_day", _("US dollars a day for a person"), settings.person_usd_a_day),
            _number("server_usd_a_month", _("US dollars a month for the server"), settings.server_usd_a_month),
            _number("jobs_at_once", _("Jobs of a person at once"), settings.jobs_at_once),
        ],
    )


def read_limits_form(answers: Answers) -> dict[str, float | int | None]:
    """Return the limits of everybody, by the names of the settings.

    Raises:
        BadInput: one is no number, or out of range.
    """
    return {
        "person_usd_a_day": _dollars(answers, "person_usd_a_day"),
        "server_usd_a_month": _dollars(answers, "server_usd_a_month"),
        "jobs_at_once": _jobs(answers),
    }


def draw_role_form(role: discord.abc.Snowflake, name: str, settings: GuildSettings) -> Form:
    """Return the form for the limits of a role."""
    known = next((one for one in settings.role_limits if one.role_id == role.id), RoleLimits(role_id=role.id))
    return Form(
        "admin.role_limits",
        role.id,
        title=_("Limits of {role}").format(role=name)[:45],
        labels=[
            _number("usd_a_day", _("US dollars a day for a person"), known.usd_a_day),
            _number("jobs_at_once", _("Jobs of a person at once"), known.jobs_at_once),
        ],
    )


def read_role_form(answers: Answers, role_id: int, settings: GuildSettings) -> tuple[RoleLimits, ...]:
    """Return the limits of all roles with this one's; a role without any is left out."""
    read = RoleLimits(role_id=role_id, usd_a_day=_dollars(answers, "usd_a_day"), jobs_at_once=_jobs(answers))
    others = [one for one in settings.role_limits if one.role_id != role_id]
    return tuple(others) if read == RoleLimits(role_id=role_id) else (*others, read)


def draw_words_form(settings: GuildSettings) -> Form:
    """Return the form for words, and for the days that photos are kept."""
    return Form(
        "admin.words",
        title=_("Words and days"),
        labels=[
            _words("blocked_words", _("Unwanted words"), settings.blocked_words),
            _words("adult_words", _("Words that make a prompt adult"), settings.adult_words),
            _number("keep_photos_days", _("Days that photos are kept"), settings.keep_photos_days),
        ],
    )


def read_words_form(answers: Answers) -> dict[str, tuple[str, ...] | float | None]:
    """Return what the form says, by the names of the settings.

    Raises:
        BadInput: there are too many words, one is too long, or the days are out of range.
    """
    return {
        "blocked_words": _list(answers, "blocked_words"),
        "adult_words": _list(answers, "adult_words"),
        "keep_photos_days": _read(answers, "keep_photos_days", low=0.1, high=MOST_DAYS),
    }


def _number(name: str, label: str, value: float | None) -> ui.Label[Any]:
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=name,
        default=None if value is None else f"{value:g}",
        placeholder=_("empty: no limit of this server's own"),
        required=False,
        max_length=12,
    )
    return ui.Label(text=label, component=field)


def _words(name: str, label: str, value: tuple[str, ...]) -> ui.Label[Any]:
    field: ui.TextInput[Any] = ui.TextInput(
        custom_id=name,
        default=", ".join(value)[:4000] or None,
        placeholder=_("with commas between; phrases are fine"),
        required=False,
        max_length=4000,
        style=discord.TextStyle.paragraph,
    )
    return ui.Label(text=label, component=field)


def _dollars(answers: Answers, name: str) -> float | None:
    return _read(answers, name, low=0, high=MOST_USD)


def _jobs(answers: Answers) -> int | None:
    read = _read(answers, "jobs_at_once", low=1, high=MOST_JOBS)
    if read is not None and read != int(read):
        raise BadInput(_("Jobs are counted in whole numbers."))
    return None if read is None else int(read)


def _read(answers: Answers, name: str, *, low: float, high: float) -> float | None:
    text = answers.texts.get(name, "").strip().lstrip("$").replace(",", ".")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise BadInput(_("“{text}” is not a number.").format(text=text), advice=_("Write it like 12.50.")) from error
    if not low <= value <= high:
        raise BadInput(_("That is from {low} to {high}.").format(low=f"{low:g}", high=f"{high:g}"))
    return value


def _list(answers: Answers, name: str) -> tuple[str, ...]:
    found = [" ".join(word.split()) for word in re.split(r"[,;\n]", answers.texts.get(name, ""))]
    read = tuple(dict.fromkeys(word for word in found if word))
    if len(read) > MOST_WORDS:
        raise BadInput(_("A list holds at most {most} words.").format(most=MOST_WORDS))
    for word in read:
        if len(word) > LONGEST_WORD:
            raise BadInput(_("A word or phrase has at most {most} characters.").format(most=LONGEST_WORD))
    return read
