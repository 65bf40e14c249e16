"""Owns the forms of a draft: adding photos and removing them; pure functions, send nothing."""

from collections.abc import Sequence

import discord
from discord import ui

from bot.draft import Draft, DraftPhoto
from bot.drafts import DraftView
from bot.texts import _, ngettext
from cogs.ui.controls import Form

#: Files that a field of a form has at most.
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
    return Form("draft.add", draft.id, title=fitting_title(_("Add photos to {name}"), draft), labels=[label])


def remove_form(view: DraftView) -> Form:
    """Return the form that asks which photos go; what is chosen are the photos' ids, in one field or two."""
    options = [_photo_option(number, photo) for number, photo in enumerate(view.photos, start=1)]
    starts = range(0, len(options), MOST_OPTIONS)
    labels = [
        _remove_field(start + 1, options[start : start + MOST_OPTIONS], required=len(starts) == 1) for start in starts
    ]
    return Form(
        "draft.remove", view.draft.id, title=fitting_title(_("Remove photos from {name}"), view.draft), labels=labels
    )


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


def fitting_title(template: str, draft: Draft) -> str:
    """Return a form's title with the draft's name in it, as long as Discord takes."""
    text = template.format(name=draft.name)
    return text if len(text) <= _LONGEST_TITLE else f"{text[: _LONGEST_TITLE - 1]}…"
