"""Owns the one funnel through which every error of a feature is told to its person; decides nothing else.

A `BotError` is a sentence for them. Anything else is ours: they get an incident number, the log gets the details.
"""

import logging
from typing import Any

import discord
from discord import app_commands

from bot.errors import BotError
from bot.ids import new_id
from bot.texts import _, told
from cogs import replies
from cogs.typed import with_what_was_typed
from providers.errors import ProviderError

log = logging.getLogger(__name__)

#: Discord's codes for "too late" and "somebody else answered": nobody is left to tell.
NOBODY_LISTENS = frozenset({10062, 40060})


async def on_command_error(interaction: discord.Interaction[Any], error: app_commands.AppCommandError) -> None:
    """Answer what a command raised; discord.py's tree calls this."""
    await answer(interaction, error)


async def answer(interaction: discord.Interaction[Any], error: BaseException) -> None:
    """Tell the person what went wrong, to them alone."""
    cause: BaseException = error
    while isinstance(cause, app_commands.CommandInvokeError | app_commands.TransformerError) and cause.__cause__:
        cause = cause.__cause__
    if isinstance(cause, discord.HTTPException) and cause.code in NOBODY_LISTENS:
        log.info("too late to answer an interaction (%d)", cause.code)
        return
    await replies.tell(interaction, with_what_was_typed(interaction, sentence_for(cause)))


def sentence_for(error: BaseException) -> str:
    """Return what the person reads."""
    if isinstance(error, BotError):
        return error.sentence
    if isinstance(error, ProviderError):
        return told(error.sentence)
    if isinstance(error, app_commands.CheckFailure):
        return _("You may not use this command here.")
    if isinstance(error, app_commands.TransformerError):
        return _("One of the values cannot be used. Choose one from the list that opens while you type.")
    incident = new_id()
    log.error("incident %s", incident, exc_info=error)
    return _(
        "Something in this bot went wrong, and nothing was changed that you asked for. Incident `{incident}`."
    ).format(incident=incident)
