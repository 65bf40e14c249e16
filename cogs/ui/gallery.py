"""Owns how finished pictures look and what can be told about them; pure functions, send nothing."""

from collections.abc import Mapping, Sequence

import discord
from discord import ui

from bot.generating import Gallery
from bot.lora import Picture
from cogs.ui import words
from cogs.ui.controls import Layout, button
from cogs.ui.pictures import add_pictures
from providers.base import Aspect

#: Shapes as people call them.
ASPECT_NAMES: Mapping[Aspect, str] = {
    Aspect.SQUARE: "Square (1:1)",
    Aspect.PORTRAIT: "Portrait (3:4)",
    Aspect.LANDSCAPE: "Landscape (4:3)",
    Aspect.TALL: "Tall (9:16)",
    Aspect.WIDE: "Wide (16:9)",
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
    return Layout(container), files


def draw_details(gallery: Gallery) -> Layout:
    """Return everything that is known about some pictures."""
    job, spec, lora = gallery.job, gallery.job.pictures, gallery.lora
    lines = [f"### Details\n**Model** {plain(_model_name(gallery))}"]
    if lora is not None:
        lines.append(f"**Trigger word** {plain(lora.trigger_word)}")
        lines.append(f"**Base model** {lora.base_model.label}")
    lines += [
        f"**Made with** {gallery.maker_title}",
        f"**Prompt** {plain(spec.prompt)}",
        f"**Shape** {ASPECT_NAMES[spec.aspect]} · **strength** {spec.strength:g}",
        *(f"**Picture {p.position + 1}** seed `{p.seed}`, {p.width} × {p.height} px" for p in gallery.pictures),
        f"**Asked for** by <@{job.owner_id}>, {words.moment(job.created_at, 'f')}",
    ]
    if job.ended_at is not None:
        took = (job.ended_at - job.created_at).total_seconds()
        lines.append(f"**Done** {words.moment(job.ended_at, 'f')}, after {took:.0f} s")
    if job.cost_usd:
        lines.append(f"**Cost** ${job.cost_usd:.3f}")
    lines.append(f"**Job** `{job.id}`")
    return Layout(ui.TextDisplay("\n".join(lines)))


def plain(text: str) -> str:
    """Return what people typed so that Discord shows it as it is: no formatting, no mention."""
    return discord.utils.escape_mentions(discord.utils.escape_markdown(text))


def kept_back(gallery: Gallery) -> str:
    """Return how many pictures the provider's filter kept back, a sentence."""
    job = gallery.job
    return f"{gallery.maker_title}'s filter kept {job.withheld} of {job.pictures.count} back."


def _lines(gallery: Gallery) -> list[str]:
    job, spec, name = gallery.job, gallery.job.pictures, plain(_model_name(gallery))
    if not gallery.pictures:
        all_held = job.withheld >= spec.count
        held = f"{kept_back(gallery)} Another prompt or seed may pass." if all_held else "They were deleted."
        return [f"There are no pictures of **{name}** here. {held}\n-# for <@{job.owner_id}>"]
    facts = [_seeds(gallery.pictures), ASPECT_NAMES[spec.aspect], f"strength {spec.strength:g}"]
    lines = [
        f"**{name}** · {plain(_cut(spec.prompt, SHOWN_PROMPT))}",
        f"{' · '.join(facts)} · for <@{job.owner_id}>",
    ]
    if job.withheld:
        lines.append(kept_back(gallery))
    notice = f" · {gallery.notice}" if gallery.notice else ""
    return ["\n".join(lines), f"-# Made with {gallery.maker_title}{notice}"]


def _buttons(gallery: Gallery) -> ui.ActionRow[Layout]:
    job_id = gallery.job.id
    usable = gallery.lora is not None and gallery.lora.deleted_at is None
    row: ui.ActionRow[Layout] = ui.ActionRow()
    if usable:
        row.add_item(button("picture.again", job_id, label="Again", style=discord.ButtonStyle.primary))
        row.add_item(button("picture.vary", job_id, label="Vary"))
    row.add_item(button("picture.details", job_id, label="Details"))
    if gallery.pictures:
        row.add_item(button("picture.delete", job_id, label="Delete", style=discord.ButtonStyle.danger))
    return row


def _model_name(gallery: Gallery) -> str:
    return gallery.lora.name if gallery.lora else gallery.job.title


def _seeds(pictures: Sequence[Picture]) -> str:
    # Some providers make a whole order from one seed.
    seeds = list(dict.fromkeys(f"`{picture.seed}`" for picture in pictures))
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(seeds)}"


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
