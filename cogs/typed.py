"""Owns the giving back of what a person had typed into a command or a form that is refused; keeps nothing of it.

Discord clears a command once it is sent, and a form with it, so a prompt of a thousand signs would be gone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import discord

from bot.texts import _
from cogs.replies import LONGEST
from cogs.ui.controls import read_answers

#: Signs from which on somebody would rather copy a text than type it again.
LONG = 40
_TEXT_OPTION = discord.AppCommandOptionType.string.value


def with_what_was_typed(interaction: discord.Interaction[Any], sentence: str) -> str:
    """Return a refusal, and below it the long texts that came with the command or the form, as far as they fit."""
    texts = [text for text in _typed(interaction) if len(text.strip()) >= LONG]
    if not texts:
        return sentence
    # Inside of a block nothing is read as markup but the sign that ends it.
    text = "\n\n".join(text.strip().replace("```", "'''") for text in texts)
    head = f"{sentence}\n{_('You wrote:')}\n"
    room = LONGEST - len(head) - len("```\n\n```")
    if room < LONG:
        return sentence
    return f"{head}```\n{text if len(text) <= room else f'{text[: room - 1]}…'}\n```"


def _typed(interaction: discord.Interaction[Any]) -> Iterator[str]:
    data: Any = interaction.data or {}
    if interaction.type is discord.InteractionType.application_command:
        yield from _in_options(data.get("options") or ())
    elif interaction.type is discord.InteractionType.modal_submit:
        yield from read_answers(data).texts.values()


def _in_options(options: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for option in options:
        if option.get("type") == _TEXT_OPTION:
            yield str(option.get("value", ""))
        yield from _in_options(option.get("options") or ())
