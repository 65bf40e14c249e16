"""Owns what a draft is, the photos and words that a model will be trained from; never reads or writes anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.consent import Depicted
from bot.errors import Missing, NotYours, WrongMoment
from bot.texts import _
from providers.recipe import BaseModelName, SubjectKind

#: More photos than this make a LoRA no better, and thirty still fit on one contact sheet.
MOST_PHOTOS = 30


class DraftState(StrEnum):
    """Where a draft stands."""

    OPEN = "open"
    #: A training of it is under way; its photos stay as they are.
    TRAINING = "training"
    TRAINED = "trained"
    DISCARDED = "discarded"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A model in the making."""

    id: str
    owner_id: int
    name: str
    trigger_word: str
    kind: SubjectKind
    base_model: BaseModelName
    state: DraftState
    created_at: datetime
    updated_at: datetime
    #: The first draft of its line of copies; None for that one itself.
    family_id: str | None = None
    #: Who is in the photos; None until its person has said so.
    depicted: Depicted | None = None
    #: The answer that says so.
    consent_id: str | None = None

    @property
    def line(self) -> str:
        """Return what all copies of one draft have in common; their models are versions of one another."""
        return self.family_id or self.id


@dataclass(frozen=True, kw_only=True)
class StoredFinding:
    """What was noticed about one photo, so that it can be said in any language."""

    code: str
    #: In English, as the catalogues have it, with places for the values.
    sentence: str
    values: Mapping[str, int] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """Return the sentence in the language that is spoken now; it goes on after "Photo 3"."""
        return _(self.sentence).format(**self.values)


@dataclass(frozen=True, kw_only=True)
class DraftPhoto:
    """One developed photo, in a draft or waiting for its person to pick one."""

    id: str
    owner_id: int
    draft_id: str | None
    batch_id: str | None
    #: Order of arrival; photos are numbered by it, from 1, without gaps.
    position: int
    #: As the person's device called it; shown to them alone.
    file_name: str
    blob_key: str
    content_type: str
    sha256: str
    #: 16 hexadecimal digits.
    dhash: str
    width: int
    height: int
    findings: tuple[StoredFinding, ...]
    caption: str
    created_at: datetime


def owned(draft: Draft | None, owner_id: int) -> Draft:
    """Return the draft if it exists and is this person's.

    Raises:
        Missing: there is none, or it was discarded.
        NotYours: it belongs to somebody else.
    """
    if draft is None or draft.state is DraftState.DISCARDED:
        raise Missing(_("There is no such draft."), advice=_("/draft show shows yours."))
    if draft.owner_id != owner_id:
        raise NotYours(_("That draft belongs to somebody else."), advice=_("Make your own with /draft new."))
    return draft


def answered(draft: Draft) -> Draft:
    """Return the draft if its person has said who is in the photos.

    Raises:
        WrongMoment: they have not.
    """
    if draft.depicted is None:
        raise WrongMoment(
            _("Nobody has said yet who is in the photos of **{name}**.").format(name=draft.name),
            advice=_("/draft show asks; it takes one press."),
        )
    return draft


def still_open(draft: Draft) -> Draft:
    """Return the draft if it can still be changed and trained.

    Raises:
        WrongMoment: it is being trained or has been trained.
    """
    if draft.state is DraftState.TRAINING:
        raise WrongMoment(
            _("**{name}** is being trained already, so its photos stay as they are.").format(name=draft.name),
            advice=_("/jobs shows how far it is."),
        )
    if draft.state is not DraftState.OPEN:
        raise WrongMoment(
            _("**{name}** has been trained already.").format(name=draft.name),
            advice=_("/models list shows it; /draft new starts another."),
        )
    return draft
