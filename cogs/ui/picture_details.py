"""Owns how it looks what can be known about pictures, and the questions about them; pure functions, send nothing."""

import discord
from discord import ui

from bot.lora import Lora, Picture
from bot.picture_details import PictureDetails
from bot.reports import LONGEST_REASON
from bot.texts import _, ngettext
from bot.training.job import Enlarged
from bot.words import LONGEST_NAME
from cogs.ui import words
from cogs.ui.controls import Form, Layout, button
from cogs.ui.gallery import ASPECT_NAMES, SHOWN_PROMPT, cut, model_name, plain


def draw_details(details: PictureDetails) -> Layout:
    """Return what somebody may know about some pictures."""
    job, spec, gallery = details.gallery.job, details.gallery.job.pictures, details.gallery
    prompt = spec.prompt if details.may_use else cut(spec.prompt, SHOWN_PROMPT)
    lines = [
        _("### Details"),
        _("**Model** {name}").format(name=plain(model_name(gallery))),
        *(_of_model(gallery.lora) if gallery.lora is not None and details.may_use else []),
        *_mixed_in(details),
        _made_with(details),
        _("**Prompt** {prompt}").format(prompt=plain(prompt)),
        *([_("**Not in it** {prompt}").format(prompt=plain(spec.negative_prompt))] if _tells_negative(details) else []),
        _("**Shape** {shape} · **strength** {strength}").format(
            shape=_(ASPECT_NAMES[spec.aspect]), strength=f"{spec.strength:g}"
        ),
        *_told_upscale(spec.enlarged),
        *(_told_picture(picture) for picture in gallery.pictures),
        _("**Asked for** by {person}, {when}").format(
            person=f"<@{job.owner_id}>", when=words.moment(job.created_at, "f")
        ),
        *(_of_job(details) if details.asked else []),
    ]
    layout = Layout(ui.TextDisplay("\n".join(lines)))
    if details.may_use:
        layout.add_item(ui.ActionRow(button("prompt.keep", job.id, label=_("Save the prompt"))))
    return layout


def draw_delete_pictures_question(job_id: str, count: int) -> Layout:
    """Return the question that stands before the end of some pictures."""
    text = ngettext(
        "Delete this picture for ever? Its message goes with it.",
        "Delete these {count} pictures for ever? Their message goes with them.",
        count,
    ).format(count=count)
    row: ui.ActionRow[Layout] = ui.ActionRow(
        button("picture.erase", job_id, label=_("Delete for ever"), style=discord.ButtonStyle.danger)
    )
    return Layout(ui.Container(ui.TextDisplay(text), row))


def draw_report_form(job_id: str) -> Form:
    """Return the form in which somebody says what is wrong with some pictures."""
    field: ui.TextInput[Form] = ui.TextInput(
        custom_id="reason", style=discord.TextStyle.paragraph, max_length=LONGEST_REASON, required=False
    )
    label = ui.Label(
        text=_("What is wrong?"),
        description=_("Only those who manage this server read it; empty is fine."),
        component=field,
    )
    return Form("picture.report", job_id, title=_("Report pictures"), labels=[label])


def draw_save_form(job_id: str) -> Form:
    """Return the form that asks what a prompt shall be found by."""
    field: ui.TextInput[Form] = ui.TextInput(custom_id="name", max_length=LONGEST_NAME)
    label = ui.Label(
        text=_("Name"),
        description=_("It is offered under this name when you type a prompt in /generate."),
        component=field,
    )
    return Form("prompt.keep", job_id, title=_("Save the prompt"), labels=[label])


def _of_model(lora: Lora) -> list[str]:
    word = [_("**Trigger word** {word}").format(word=plain(lora.trigger_word))] if lora.trigger_word else []
    return [*word, _("**Base model** {name}").format(name=lora.base_model.label)]


def _made_with(details: PictureDetails) -> str:
    told = _("**Made with** {provider}")
    if details.gallery.job.pictures.by_training:
        told = _("**Drawn by** the training itself, with {provider}")
    return told.format(provider=details.gallery.maker_title)


def _mixed_in(details: PictureDetails) -> list[str]:
    lines = [
        _("**Also** {name}, strength {strength}").format(name=plain(lora.name), strength=f"{strength:g}")
        for lora, strength in details.mixed_in
    ]
    if details.unnamed:
        lines.append(
            ngettext(
                "**Also** {count} model of somebody else", "**Also** {count} models of others", details.unnamed
            ).format(count=details.unnamed)
        )
    return lines


def _tells_negative(details: PictureDetails) -> bool:
    return details.may_use and bool(details.gallery.job.pictures.negative_prompt)


def _told_picture(picture: Picture) -> str:
    return _("**Picture {number}** seed {seed}, {width} × {height} px").format(
        number=picture.position + 1, seed=f"`{picture.seed}`", width=picture.width, height=picture.height
    )


def _told_upscale(enlarged: Enlarged | None) -> list[str]:
    if enlarged is None:
        return []
    return [
        _("**Upscaled** {factor}× from picture {number} of job {job}").format(
            factor=f"{enlarged.factor:g}", number=enlarged.position + 1, job=f"`{enlarged.job_id}`"
        )
    ]


def _of_job(details: PictureDetails) -> list[str]:
    job, lines = details.gallery.job, []
    if job.ended_at is not None and not job.pictures.by_training:
        took = f"{(job.ended_at - job.created_at).total_seconds():.0f}"
        lines.append(_("**Done** {when}, after {seconds} s").format(when=words.moment(job.ended_at, "f"), seconds=took))
    if job.cost_usd:
        lines.append(_("**Cost** {price}").format(price=f"${job.cost_usd:.3f}"))
    return [*lines, _("**Job** {id}").format(id=f"`{job.id}`")]
