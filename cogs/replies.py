"""Owns how an interaction is answered: at once, later, or too late by direct message; always to its person alone.

Nothing here mentions anybody: the client allows no mentions at all.
"""

import logging
from collections.abc import Sequence
from typing import Any

import discord

from cogs.ui.controls import Layout

log = logging.getLogger(__name__)

#: Discord's limit for the content of a message.
LONGEST = 2000


async def tell(interaction: discord.Interaction[Any], sentence: str) -> None:
    """Say one thing to the person alone, whatever was answered before."""
    text = sentence if len(sentence) <= LONGEST else f"{sentence[: LONGEST - 1]}…"
    try:
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except discord.HTTPException as error:
        log.info("an answer found no way through its interaction (%s), trying a direct message", error.code)
        await _by_direct_message(interaction, text)


async def show(interaction: discord.Interaction[Any], layout: Layout, *, files: Sequence[discord.File] = ()) -> None:
    """Put a layout where the answer goes: into the acknowledged answer, or as the answer itself."""
    if interaction.response.is_done():
        await interaction.edit_original_response(view=layout, attachments=list(files))
    else:
        await interaction.response.send_message(view=layout, files=list(files), ephemeral=True)


async def _by_direct_message(interaction: discord.Interaction[Any], text: str) -> None:
    try:
        await interaction.user.send(text)
    except discord.HTTPException as error:
        log.warning("an answer could not be delivered at all (%s)", error.code)
