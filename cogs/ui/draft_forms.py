"""Owns the forms of a draft: adding photos, writing captions, removing photos; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import Draft, DraftPhoto
from bot.drafts import DraftView
from bot.texts import _, ngettext
from bot.words import LONGEST_CAPTION
from cogs.ui.controls import Form

#: Fields that a form has at most, and files in one field.
MOST_FIELDS = 5
MOST_FILES = 10
#: Options that a menu has at most.
MOST_OPTIONS = 25
_LONGEST_TITLE = 45


def add_form(draft: Draft) -> Form:
    """Return the form that takes photos; its field is `photos`."""
    upload: ui.FileUpload[Form] = ui.FileUpload(custom_id="photos", min_values=1, max_values=MOST_FILES)
    description = _(
        "Up to {most} at once: JPEG, PNG, HEIC and other pictures, or a zip of photos and captions."
    ).format(most=MOST_FILES)
    label = ui.Label(text=_("Photos"), description=description.format(most=MOST_FILES), component=upload)
    return Form("draft.add", draft.id, title=_title(_("Add photos to {name}"), draft), labels=[label])


def captions_form(view: DraftView, numbers: Sequence[int], *ids: object) -> Form:
    """Return the form for the captions of up to five photos; each field's custom_id is its photo's id.

    Args:
        view: The draft.
        numbers: The photos' numbers, from 1.
        ids: What goes back to the desk beside the draft's id.
    """
    labels = [_caption_field(number, view.photos[number - 1]) for number in numbers]
    return Form("draft.captions", view.draft.id, *ids, title=_title(_("Captions of {name}"), view.draft), labels=labels)


def remove_form(view: DraftView) -> Form:
    """Return the form that asks which photos go; what is chosen are the photos' ids, in one field or two."""
    options = [_photo_option(number, photo) for number, photo in enumerate(view.photos, start=1)]
    starts = range(0, len(options), MOST_OPTIONS)
    labels = [
        _remove_field(start + 1, options[start : start + MOST_OPTIONS], required=len(starts) == 1) for start in starts
    ]
    return Form("draft.remove", view.draft.id, title=_title(_("Remove photos from {name}"), view.draft), labels=labels)


def _caption_field(number: int, photo: DraftPhoto) -> ui.Label[Form]:
    text: ui.TextInput[Form] = ui.TextInput(
        custom_id=photo.id,
        style=discord.TextStyle.paragraph,
        default=photo.caption or None,
        placeholder=_("What it shows besides the subject: lying on a sofa, evening light"),
        required=False,
        # The client counts while one types, so that no finished text is refused.
        max_length=LONGEST_CAPTION,
    )
    return ui.Label(text=_("Photo {number}").format(number=number), description=photo.file_name or None, component=text)


def _photo_option(number: int, photo: DraftPhoto) -> discord.SelectOption:
    label = _("Photo {number}: {file}") if photo.file_name else _("Photo {number}")
    return discord.SelectOption(label=label.format(number=number, file=photo.file_name), value=photo.id)


def _remove_field(first: int, options: Sequence[discord.SelectOption], *, required: bool) -> ui.Label[Form]:
    select: ui.Select[Form] = ui.Select(
        custom_id=f"photos_{first}",
        options=list(options),
        placeholder=_("Choose one or several"),
        min_values=1 if required else 0,
        max_values=len(options),
        required=required,
    )
    last = first + len(options) - 1
    text = ngettext("Photo {first}", "Photos {first} to {last}", len(options)).format(first=first, last=last)
    return ui.Label(text=text, component=select)


def _title(template: str, draft: Draft) -> str:
    text = template.format(name=draft.name)
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"
