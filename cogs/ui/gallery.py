"""Owns how finished pictures look and what can be told about them; pure functions, send nothing."""

from collections.abc import Mapping, Sequence

import discord
from discord import ui

from bot.generating import Gallery
from bot.lora import Picture
from bot.texts import N_, _, ngettext
from bot.training.job import Job
from cogs.ui.controls import Layout, button, menu
from cogs.ui.pictures import add_pictures
from providers.base import Aspect

#: Shapes as people call them.
ASPECT_NAMES: Mapping[Aspect, str] = {
    Aspect.SQUARE: N_("Square (1:1)"),
    Aspect.PORTRAIT: N_("Portrait (3:4)"),
    Aspect.LANDSCAPE: N_("Landscape (4:3)"),
    Aspect.TALL: N_("Tall (9:16)"),
    Aspect.WIDE: N_("Wide (16:9)"),
}
#: A prompt is cut here in the channel, so that the pictures stay what one sees; *Details* has all of it.
SHOWN_PROMPT = 240


def draw_gallery(gallery: Gallery, *, headline: str | None = None) -> tuple[Layout, list[discord.File]]:
    """Return finished pictures with their buttons, and the files that go along.

    Args:
        gallery: With its files, if it has pictures.
        headline: Stands above the pictures.
    """
    container: ui.Container[Layout] = ui.Container()
    if headline:
        container.add_item(ui.TextDisplay(headline))
    files = add_pictures(container, gallery) if gallery.pictures else []
    for line in _lines(gallery):
        container.add_item(ui.TextDisplay(line))
    container.add_item(_buttons(gallery))
    if gallery.upscalable and gallery.pictures and _usable(gallery):
        container.add_item(_upscale(gallery))
    return Layout(container), files


def plain(text: str) -> str:
    """Return what people typed so that Discord shows it as it is: no formatting, no mention."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))


def kept_back(gallery: Gallery) -> str:
    """Return how many pictures the provider's filter kept back, a sentence."""
    job = gallery.job
    return _("{provider}'s filter kept {count} of {all} back.").format(
        provider=gallery.maker_title, count=job.withheld, all=job.pictures.count
    )


def _lines(gallery: Gallery) -> list[str]:
    job, spec, name = gallery.job, gallery.job.pictures, plain(model_name(gallery))
    if not gallery.pictures:
        all_held = job.withheld >= spec.count
        held = [kept_back(gallery), _("Another prompt or seed may pass.")] if all_held else [_("They were deleted.")]
        none_here = _("There are no pictures of **{model}** here.").format(model=name)
        return ["\n".join([" ".join([none_here, *held]), f"-# {_for_whom(job)}"])]
    if spec.enlarged is not None:
        large = gallery.pictures[0]
        told = _("upscaled {factor}× to {width} × {height} px").format(
            factor=f"{spec.enlarged.factor:g}", width=large.width, height=large.height
        )
        made_with = _("Upscaled with {provider}").format(provider=gallery.maker_title)
        lines = [f"**{name}** · {plain(cut(spec.prompt, SHOWN_PROMPT))}", f"{told} · {_for_whom(job)}"]
        return ["\n".join(lines), f"-# {made_with}"]
    strength = _("strength {strength}").format(strength=f"{spec.strength:g}")
    facts = [_seeds(gallery.pictures), _(ASPECT_NAMES[spec.aspect]), strength]
    if more := len(spec.mixed_in):
        facts.append(ngettext("{count} more model", "{count} more models", more).format(count=more))
    facts.append(_for_whom(job))
    lines = [f"**{name}** · {plain(cut(spec.prompt, SHOWN_PROMPT))}", " · ".join(facts)]
    if job.withheld:
        lines.append(kept_back(gallery))
    made_with = _("Made with {provider}")
    if spec.by_training:
        made_with = _("Drawn by the training itself, with {provider}")
    made_with = made_with.format(provider=gallery.maker_title)
    notice = f" · {_(gallery.notice)}" if gallery.notice else ""
    return ["\n".join(lines), f"-# {made_with}{notice}"]


def _for_whom(job: Job) -> str:
    return _("for {person}").format(person=f"<@{job.owner_id}>")


def _buttons(gallery: Gallery) -> ui.ActionRow[Layout]:
    job_id = gallery.job.id
    row: ui.ActionRow[Layout] = ui.ActionRow()
    if _usable(gallery) and gallery.job.pictures.enlarged is None:
        row.add_item(button("picture.again", job_id, label=_("Again"), style=discord.ButtonStyle.primary))
        row.add_item(button("picture.vary", job_id, label=_("Vary")))
    row.add_item(button("picture.details", job_id, label=_("Details")))
    if gallery.pictures:
        row.add_item(button("picture.delete", job_id, label=_("Delete"), style=discord.ButtonStyle.danger))
        row.add_item(button("picture.report", job_id, label=_("Report")))
    return row


def _usable(gallery: Gallery) -> bool:
    return gallery.lora is not None and gallery.lora.deleted_at is None


def _upscale(gallery: Gallery) -> ui.ActionRow[Layout]:
    job_id, pictures = gallery.job.id, gallery.pictures
    if len(pictures) == 1:
        return ui.ActionRow(button("picture.upscale", job_id, pictures[0].position, label=_("Upscale")))
    options = [
        discord.SelectOption(
            label=_("Picture {number}").format(number=picture.position + 1), value=str(picture.position)
        )
        for picture in pictures
    ]
    return ui.ActionRow(menu("picture.upscale", job_id, options=options, placeholder=_("Upscale a picture")))


def model_name(gallery: Gallery) -> str:
    """Return the name that the model has now."""
    return gallery.lora.name if gallery.lora else gallery.job.title


def _seeds(pictures: Sequence[Picture]) -> str:
    # Some providers make a whole order from one seed.
    seeds = list(dict.fromkeys(f"`{picture.seed}`" for picture in pictures))
    return ngettext("seed {seeds}", "seeds {seeds}", len(seeds)).format(seeds=", ".join(seeds))


def cut(text: str, longest: int) -> str:
    """Return a text that is no longer than that."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
