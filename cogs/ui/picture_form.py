"""Owns the form in which people ask for pictures: how it looks, and what its answers mean; sends nothing."""

import math

import discord
from discord import ui

from bot.errors import BadInput
from bot.generating import PictureWishes
from bot.lora import Lora
from bot.texts import _, ngettext
from bot.words import LONGEST_PROMPT
from cogs.ui.controls import Answers, Form
from cogs.ui.gallery import ASPECT_NAMES
from providers.base import Aspect

#: Most pictures at once.
MOST = 4
LONGEST_TITLE = 45


def draw_picture_form(lora: Lora, wishes: PictureWishes) -> Form:
    """Return the form for pictures of a model, filled in with some wishes."""
    title = _("Pictures of {model}").format(model=lora.name)
    return Form(
        "model.generate",
        lora.id,
        *([wishes.provider] if wishes.provider else []),
        title=title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        labels=[
            ui.Label(
                text=_("Prompt"),
                description=_("What the picture shows. The trigger word is {word}.").format(word=lora.trigger_word),
                component=_text("prompt", wishes.prompt, longest=LONGEST_PROMPT, style=discord.TextStyle.paragraph),
            ),
            ui.Label(text=_("How many"), component=_counts(wishes.count)),
            ui.Label(
                text=_("Seed"),
                description=_("The same seed and settings give the same picture; empty for a random one."),
                component=_text("seed", "" if wishes.seed is None else str(wishes.seed), longest=12),
            ),
            ui.Label(text=_("Shape"), component=_aspects(wishes.aspect)),
            ui.Label(
                text=_("Strength"),
                description=_("How much of the model goes in; empty for what works best."),
                component=_text("strength", "" if wishes.strength is None else f"{wishes.strength:g}", longest=8),
            ),
        ],
    )


def read_picture_form(answers: Answers) -> PictureWishes:
    """Return what somebody filled in.

    Raises:
        BadInput: seed or strength is no number.
    """
    return PictureWishes(
        prompt=answers.texts.get("prompt", ""),
        count=int(_chosen(answers, "count", "1")),
        seed=_seed(answers.texts.get("seed", "").strip()),
        aspect=Aspect(_chosen(answers, "aspect", Aspect.SQUARE)),
        strength=_strength(answers.texts.get("strength", "").strip()),
    )


def _text(
    name: str, value: str, *, longest: int, style: discord.TextStyle = discord.TextStyle.short
) -> ui.TextInput[Form]:
    # The client stops what is too long, because a refused form takes what was typed with it.
    return ui.TextInput(custom_id=name, style=style, default=value or None, required=False, max_length=longest)


def _counts(chosen: int) -> ui.Select[Form]:
    options = [
        discord.SelectOption(
            label=ngettext("{count} picture", "{count} pictures", n).format(count=n), value=str(n), default=n == chosen
        )
        for n in range(1, MOST + 1)
    ]
    return ui.Select(custom_id="count", options=options)


def _aspects(chosen: Aspect) -> ui.Select[Form]:
    options = [
        discord.SelectOption(label=_(label), value=aspect.value, default=aspect is chosen)
        for aspect, label in ASPECT_NAMES.items()
    ]
    return ui.Select(custom_id="aspect", options=options)


def _chosen(answers: Answers, name: str, otherwise: str) -> str:
    return next(iter(answers.choices.get(name, ())), otherwise)


def _seed(text: str) -> int | None:
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise BadInput(_("A seed is a whole number."), advice=_("Leave it out for a random one.")) from None


def _strength(text: str) -> float | None:
    if not text:
        return None
    try:
        strength = float(text.replace(",", "."))
    except ValueError:
        strength = math.nan
    if not math.isfinite(strength):
        raise BadInput(_("`strength` is a number such as 0.8."), advice=_("Leave it out for what works best."))
    return strength
