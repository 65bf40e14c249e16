"""Owns how captions are asked for, five at a time or all at once, and what is said then; sends nothing."""

from collections.abc import Sequence

import discord
from discord import ui
from discord.utils import escape_markdown

from bot.captions import Change, Changed, How
from bot.draft import DraftPhoto
from bot.drafts import DraftView
from bot.texts import N_, _, ngettext
from bot.words import LONGEST_CAPTION
from cogs.ui.controls import Form, Layout, button, menu
from cogs.ui.draft_forms import fitting_title

#: Fields that a form has at most.
MOST_FIELDS = 5
#: Changes that are shown one by one, and signs of each caption in them: they shall fit a phone's screen.
MOST_SHOWN = 5
_LONGEST_SHOWN = 90
_WAYS = {
    How.BEFORE: (N_("Put it before"), N_("Each caption begins with it.")),
    How.AFTER: (N_("Put it after"), N_("Each caption ends with it.")),
    How.FILL: (N_("Fill the empty ones"), N_("Captions that are written stay as they are.")),
    How.REPLACE: (N_("Replace all"), N_("Every caption becomes it; without a text, all are emptied.")),
}


def captions_form(view: DraftView, numbers: Sequence[int], *ids: object) -> Form:
    """Return the form for the captions of up to five photos; each field's custom_id is its photo's id.

    Args:
        view: The draft.
        numbers: The photos' numbers, from 1.
        ids: What goes back to the desk beside the draft's id.
    """
    labels = [_caption_field(number, view.photos[number - 1]) for number in numbers]
    return Form(
        "draft.captions", view.draft.id, *ids, title=fitting_title(_("Captions of {name}"), view.draft), labels=labels
    )


def caption_all_form(view: DraftView) -> Form:
    """Return the form that changes all captions; its fields are `how` and `text`."""
    options = [
        discord.RadioGroupOption(label=_(label), value=how.value, description=_(more), default=how is How.BEFORE)
        for how, (label, more) in _WAYS.items()
    ]
    ways: ui.RadioGroup[Form] = ui.RadioGroup(custom_id="how", options=options)
    text: ui.TextInput[Form] = ui.TextInput(
        custom_id="text",
        style=discord.TextStyle.paragraph,
        placeholder=_("Such as: {trigger_word}, outdoors, daylight").format(trigger_word=view.draft.trigger_word),
        required=False,
        max_length=LONGEST_CAPTION,
    )
    written = sum(bool(photo.caption) for photo in view.photos)
    there = _("{written} of {count} written").format(written=written, count=len(view.photos))
    labels: list[ui.Label[Form]] = [
        ui.Label(text=_("What to do with the captions"), description=there, component=ways),
        ui.Label(text=_("Text"), description=_("One line, for every photo of the draft."), component=text),
    ]
    return Form(
        "draft.caption_all", view.draft.id, title=fitting_title(_("Caption all of {name}"), view.draft), labels=labels
    )


def draw_caption_groups(view: DraftView, *, note: str = "") -> Layout:
    """Return the question which five captions to write."""
    groups = caption_groups(len(view.photos))
    options = [
        discord.SelectOption(label=_group_name(group), value=str(page), description=_written(view.photos, group))
        for page, group in enumerate(groups)
    ]
    text = _("Captions of **{name}**: a form takes {most} at a time.").format(name=view.draft.name, most=MOST_FIELDS)
    return Layout(
        ui.TextDisplay(f"{note}\n{text}".strip()),
        ui.ActionRow(menu("draft.captions", view.draft.id, options=options, placeholder=_("Choose photos"))),
    )


def draw_changed(changed: Changed) -> Layout:
    """Return what a change of all captions did, with the way back."""
    back = button("draft.show", changed.draft.id, label=_("Back to the draft"))
    buttons = [back]
    if changed.changes:
        buttons.insert(0, button("draft.caption_undo", changed.draft.id, label=_("Undo")))
    return Layout(ui.TextDisplay("\n".join(_told(changed))), ui.ActionRow(*buttons))


def captions_saved(group: range | None = None, *, gone: int) -> str:
    """Return that captions were saved.

    Args:
        group: The numbers of the photos, when they are not all.
        gone: Photos of the form that were removed meanwhile.
    """
    if group is None:
        saved = _("The captions are saved.")
    elif len(group) == 1:
        saved = _("The caption of photo {first} is saved.").format(first=group[0])
    else:
        saved = _("The captions of photos {first}–{last} are saved.").format(first=group[0], last=group[-1])
    lost = ngettext(
        "{count} photo of the form left the draft meanwhile.",
        "{count} photos of the form left the draft meanwhile.",
        gone,
    ).format(count=gone)
    return f"{saved} {lost}" if gone else saved


def caption_groups(count: int) -> list[range]:
    """Return the numbers of so many photos, from 1, in groups that fit one form."""
    return [range(first, min(first + MOST_FIELDS, count + 1)) for first in range(1, count + 1, MOST_FIELDS)]


def _group_name(group: range) -> str:
    return ngettext("Photo {first}", "Photos {first}–{last}", len(group)).format(first=group[0], last=group[-1])


def _written(photos: Sequence[DraftPhoto], group: range) -> str:
    written = sum(bool(photos[number - 1].caption) for number in group)
    return _("{written} of {count} written").format(written=written, count=len(group))


def _told(changed: Changed) -> list[str]:
    count, name = len(changed.changes), changed.draft.name
    if count:
        text = ngettext("Changed {count} caption of **{name}**.", "Changed {count} captions of **{name}**.", count)
    else:
        text = _("No caption of **{name}** was changed.")
    lines = [text.format(count=count, name=name)]
    lines += [_shown(change) for change in changed.changes[:MOST_SHOWN]]
    more = count - MOST_SHOWN
    if more > 0:
        lines.append(ngettext("- and {count} more", "- and {count} more", more).format(count=more))
    if changed.too_long:
        numbers = ", ".join(str(number) for number in changed.too_long)
        text = ngettext(
            "Photo {numbers} keeps its caption: it would have more than {most} characters.",
            "Photos {numbers} keep their captions: they would have more than {most} characters.",
            len(changed.too_long),
        )
        lines.append(text.format(numbers=numbers, most=LONGEST_CAPTION))
    return lines


def _shown(change: Change) -> str:
    before, after = (_cut(text) or _("(empty)") for text in (change.before, change.after))
    return _("- {number}: {before} → {after}").format(number=change.number, before=before, after=after)


def _cut(text: str) -> str:
    short = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
    return escape_markdown(short)


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
