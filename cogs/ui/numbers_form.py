"""Owns the form for a training's own numbers: how it looks, and what its answers mean; sends nothing."""

import math

import discord
from discord import ui

from bot.errors import BadInput
from bot.texts import _
from bot.training.presets import Wishes
from bot.training.service import Offer
from cogs.ui.controls import Answers, Form
from providers.recipe import Limits

_LONGEST_NUMBER = 12


def draw_numbers_form(offer: Offer) -> Form:
    """Return the form with the numbers of a quote filled in; it has only what the trainer uses."""
    can, recipe = offer.capabilities, offer.quote.recipe
    labels = [
        _number(
            _("Steps"), "steps", recipe.steps, can.steps, _("How long it learns: more is slower, closer to the photos.")
        )
    ]
    if can.rank:
        labels.append(_number(_("Rank"), "rank", recipe.rank, can.rank, _("How much the LoRA can hold.")))
    if can.learning_rate:
        meaning = _("How boldly it learns; too much burns the picture in.")
        labels.append(_number(_("Learning rate"), "learning_rate", recipe.learning_rate, can.learning_rate, meaning))
    if len(can.resolutions) > 1:
        options = [
            discord.SelectOption(
                label=_("{count} px").format(count=size), value=str(size), default=size == recipe.resolution
            )
            for size in can.resolutions
        ]
        chosen: ui.Select[Form] = ui.Select(custom_id="resolution", options=options)
        meaning = _("Longest side of the pictures it learns from.")
        labels.append(ui.Label(text=_("Resolution"), description=meaning, component=chosen))
    if can.caption_dropout:
        meaning = _("Share of the steps that see a photo without its caption.")
        dropout = can.caption_dropout.default if recipe.caption_dropout is None else recipe.caption_dropout
        labels.append(_number(_("Caption dropout"), "caption_dropout", dropout, can.caption_dropout, meaning))
    return Form("train.numbers", offer.quote.id, title=_("Advanced"), labels=labels)


def read_numbers_form(answers: Answers) -> Wishes:
    """Return what somebody filled in; what they left empty stays as it was.

    Raises:
        BadInput: one of the answers is no number.
    """
    resolution = next(iter(answers.choices.get("resolution", ())), None)
    return Wishes(
        steps=_whole(answers, "steps"),
        rank=_whole(answers, "rank"),
        learning_rate=_decimal(answers, "learning_rate"),
        resolution=None if resolution is None else int(resolution),
        caption_dropout=_decimal(answers, "caption_dropout"),
    )


def _number(title: str, name: str, value: float, limits: Limits, meaning: str) -> ui.Label[Form]:
    reach = _("{low} to {high}").format(low=f"{limits.low:g}", high=f"{limits.high:g}")
    field: ui.TextInput[Form] = ui.TextInput(
        custom_id=name, default=f"{value:g}", required=False, max_length=_LONGEST_NUMBER
    )
    return ui.Label(text=title, description=f"{meaning} {reach}."[:100], component=field)


def _decimal(answers: Answers, name: str) -> float | None:
    text = answers.texts.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadInput(
            _("`{option}` is a number, and {text} is none.").format(option=name, text=f"`{text.replace('`', '')}`"),
            advice=_("Press Advanced again; it tells what goes in."),
        )
    return number


def _whole(answers: Answers, name: str) -> int | None:
    number = _decimal(answers, name)
    if number is None:
        return None
    if number != int(number):
        raise BadInput(
            _("`{option}` is a whole number.").format(option=name),
            advice=_("Press Advanced again; it tells what goes in."),
        )
    return int(number)
