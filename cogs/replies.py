"""Owns how an interaction is answered: at once, later, or too late by direct message; always to its person alone.

Nothing here mentions anybody: the client allows no mentions at all.
"""

import logging
from collections.abc import Sequence
from typing import Any

import discord

from cogs import answer_calls
from cogs.ui.controls import Layout

log = logging.getLogger(__name__)

#: Discord's limit for the content of a message.
LONGEST = 2000
_SHOWN = "darkroom_shown"


async def tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say one thing to the person alone, whatever was answered before."""
    text = sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1]}…"
    try:
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message and not _shown(
            interaction
        ):
            await interaction.edit_original_response(content=text)
        elif interaction.response.is_done():
            await _follow_up(interaction, text)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.HTTPException, *answer_calls.UNANSWERED) as error:
        log.info("an answer found no way through its interaction (%s), trying a direct message", error)
        await _by_direct_message(interaction, text)


async def show(interaction: discord.Interaction[Any], layout: Layout, *, files: Sequence[discord.File] = ()) -> None:
    """Put a layout where the answer goes: into the acknowledged answer, or as the answer itself."""
    if interaction.response.is_done():
        await interaction.edit_original_response(view=layout, attachments=list(files))
    else:
        await interaction.response.send_message(view=layout, files=list(files), ephemeral=True)
    interaction.extras[_SHOWN] = True


def _shown(interaction: discord.Interaction[Any]) -> bool:
    """Tell whether the acknowledged answer holds a layout already, which no sentence can replace."""
    return bool(interaction.extras.get(_SHOWN))


async def _follow_up(interaction: discord.Interaction[Any], text: str) -> None:
    try:
        await interaction.followup.send(text, ephemeral=True)
    except discord.HTTPException as error:
        if error.status < 500:
            raise
        log.warning("nobody knows whether an answer was delivered (%s); it is not said twice", error)
    except answer_calls.UNANSWERED as error:
        log.warning("nobody knows whether an answer was delivered (%s); it is not said twice", error)


async def _by_direct_message(interaction: discord.Interaction[Any], text: str) -> None:
    try:
        # The nonce keeps the message from standing there twice when discord.py sends it again.
        await interaction.user.send(text, nonce=f"re-{interaction.id}")
    except (discord.HTTPException, *answer_calls.UNANSWERED) as error:
        log.warning("an answer could not be delivered at all (%s)", error)
