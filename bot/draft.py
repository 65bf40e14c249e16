"""Owns what a draft is: the photos and words that a model will be trained from; never reads or writes anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


@dataclass(frozen=True, kw_only=True)
class StoredFinding:
    """What was noticed about one photo, as a sentence for people."""

    code: str
    sentence: str


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
