"""Owns the form in which people ask for pictures: how it looks, and what its answers mean; sends nothing."""

import math
from collections.abc import Sequence
from dataclasses import replace

import discord
from discord import ui

from bot.errors import BadInput
from bot.lora import Lora
from bot.picture_wishes import PictureWishes, heeds_negative_prompt, shapes_of
from bot.texts import _, ngettext
from bot.words import LONGEST_PROMPT
from cogs.ui.controls import Answers, Form
from cogs.ui.gallery import ASPECT_NAMES
from providers.base import Aspect, ImageMaker

#: Most pictures at once.
MOST = 4
LONGEST_TITLE = 45


def draw_picture_form(
    lora: Lora, wishes: PictureWishes, makers: Sequence[ImageMaker], *, job_id: str | None = None
) -> Form:
    """Return the form for pictures of a model, filled in with some wishes.

    Args:
        lora: The model.
        wishes: What is in the fields at first.
        makers: Those that can use the model; the form asks for nothing that none of them takes.
        job_id: The pictures that are varied; what the form does not ask for is taken from them.
    """
    title = _("Pictures of {model}").format(model=lora.name)
    verb, about = ("model.generate", lora.id) if job_id is None else ("picture.varied", job_id)
    fields = [
        _prompt(lora, wishes),
        _count(wishes),
        _seed_field(wishes),
        _shape(wishes, makers),
        _strength_field(wishes),
    ]
    if heeds_negative_prompt(makers, lora):
        # Discord takes five fields. A seed is what people type least; a varied one stays as it was.
        fields = [fields[0], _negative_prompt(wishes), fields[1], fields[3], fields[4]]
    return Form(
        verb,
        about,
        title=title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…",
        labels=fields,
    )


def read_picture_form(answers: Answers, onto: PictureWishes) -> PictureWishes:
    """Return some wishes with what somebody filled in; what the form did not ask for stays as it was.

    Raises:
        BadInput: seed or strength is no number.
    """
    texts = answers.texts
    return replace(
        onto,
        prompt=texts.get("prompt", ""),
        negative_prompt=texts.get("negative_prompt", onto.negative_prompt),
        count=int(_chosen(answers, "count", "1")),
        seed=_seed(texts["seed"].strip()) if "seed" in texts else onto.seed,
        aspect=Aspect(_chosen(answers, "aspect", Aspect.SQUARE)),
        strength=_strength(texts.get("strength", "").strip()),
    )


def _prompt(lora: Lora, wishes: PictureWishes) -> ui.Label[Form]:
    described = _("What the picture shows.")
    if lora.trigger_word:
        described = _("What the picture shows. The trigger word is {word}.").format(word=lora.trigger_word)
    field = _text("prompt", wishes.prompt, longest=LONGEST_PROMPT, style=discord.TextStyle.paragraph)
    return ui.Label(text=_("Prompt"), description=described, component=field)


def _negative_prompt(wishes: PictureWishes) -> ui.Label[Form]:
    field = _text("negative_prompt", wishes.negative_prompt, longest=LONGEST_PROMPT)
    return ui.Label(text=_("Not in the picture"), description=_("Such as: blurry, text, a hat."), component=field)


def _count(wishes: PictureWishes) -> ui.Label[Form]:
    options = [
        discord.SelectOption(
            label=ngettext("{count} picture", "{count} pictures", n).format(count=n),
            value=str(n),
            default=n == wishes.count,
        )
        for n in range(1, MOST + 1)
    ]
    return ui.Label(text=_("How many"), component=ui.Select(custom_id="count", options=options))


def _seed_field(wishes: PictureWishes) -> ui.Label[Form]:
    return ui.Label(
        text=_("Seed"),
        description=_("The same seed and settings give the same picture; empty for a random one."),
        component=_text("seed", "" if wishes.seed is None else str(wishes.seed), longest=12),
    )


def _shape(wishes: PictureWishes, makers: Sequence[ImageMaker]) -> ui.Label[Form]:
    shapes = shapes_of(makers) or [Aspect.SQUARE]
    chosen = wishes.aspect if wishes.aspect in shapes else shapes[0]
    options = [
        discord.SelectOption(label=_(ASPECT_NAMES[one]), value=one.value, default=one is chosen) for one in shapes
    ]
    return ui.Label(text=_("Shape"), component=ui.Select(custom_id="aspect", options=options))


def _strength_field(wishes: PictureWishes) -> ui.Label[Form]:
    return ui.Label(
        text=_("Strength"),
        description=_("How much of the model goes in; empty for what works best."),
        component=_text("strength", "" if wishes.strength is None else f"{wishes.strength:g}", longest=8),
    )


def _text(
    name: str, value: str, *, longest: int, style: discord.TextStyle = discord.TextStyle.short
) -> ui.TextInput[Form]:
    # The client stops what is too long, because a refused form takes what was typed with it.
    return ui.TextInput(custom_id=name, style=style, default=value or None, required=False, max_length=longest)


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
        raise BadInput(
            _("`strength` is a number such as 0.8."),
            advice=_("Leave it out for what works best."),
        )
    return strength
