"""Owns the way from a press, a choice or a submitted form to the method that handles it; knows no feature itself.

A cog marks its methods with `on_press`, `on_choice` and `on_form` and inherits from `Feature`. Whatever a method raises
is answered by the funnel. This one road works for messages of any age, because only the custom_id matters.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import discord
from discord.ext import commands

from bot.client import DarkroomBot
from bot.errors import WrongMoment
from bot.texts import _, speak
from cogs import failures
from cogs.ui.controls import read_answers, read_custom_id

log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[None]]
HandlerT = TypeVar("HandlerT", bound=Handler)
_MARK = "__handles__"


def on_press(verb: str) -> Callable[[HandlerT], HandlerT]:
    """Mark a method `(interaction, *ids)` as what a button does."""
    return _marked("press", verb)


def on_choice(verb: str) -> Callable[[HandlerT], HandlerT]:
    """Mark a method `(interaction, values, *ids)` as what a menu does."""
    return _marked("choice", verb)


def on_form(verb: str) -> Callable[[HandlerT], HandlerT]:
    """Mark a method `(interaction, answers, *ids)` as what a form does."""
    return _marked("form", verb)


def _marked(what: str, verb: str) -> Callable[[HandlerT], HandlerT]:
    def mark(method: HandlerT) -> HandlerT:
        setattr(method, _MARK, (what, verb))
        return method

    return mark


class Feature(commands.Cog):
    """A cog whose marked methods are called by the desk."""

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Return the marked methods by what they handle."""
        methods = [getattr(self, name) for name in dir(type(self)) if hasattr(getattr(type(self), name), _MARK)]
        return {getattr(method, _MARK): method for method in methods}


class Desk(commands.Cog):
    """Hears every press, choice and submitted form, and calls who handles it."""

    def __init__(self, bot: DarkroomBot) -> None:
        self._bot = bot

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Handle what came from a control; commands are discord.py's own."""
        data: Any = interaction.data or {}
        if interaction.type is discord.InteractionType.modal_submit:
            await self._handle(interaction, "form", data["custom_id"], read_answers(data))
        elif interaction.type is discord.InteractionType.component and data.get("values") is not None:
            await self._handle(interaction, "choice", data["custom_id"], list(data["values"]))
        elif interaction.type is discord.InteractionType.component:
            await self._handle(interaction, "press", data["custom_id"])

    async def _handle(self, interaction: discord.Interaction[Any], what: str, custom_id: str, *given: object) -> None:
        speak(str(interaction.locale))
        verb, ids = read_custom_id(custom_id)
        try:
            await self._handler(what, verb)(interaction, *given, *ids)
        except Exception as error:  # noqa: BLE001 - the funnel: whatever a feature raises is answered and logged there
            await failures.answer(interaction, error)

    def _handler(self, what: str, verb: str) -> Handler:
        for cog in self._bot.cogs.values():
            if isinstance(cog, Feature) and (what, verb) in cog.handlers():
                return cog.handlers()[what, verb]
        log.warning("nobody handles %s %s", what, verb)
        raise WrongMoment(_("This button is from an older version of the bot."), advice=_("Use the command instead."))
