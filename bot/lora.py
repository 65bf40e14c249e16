"""Owns what a trained model is; never reads or writes anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.consent import Depicted
from providers.base import LoraFormat
from providers.recipe import BaseModelName, SubjectKind


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A trained model that pictures can be made with; people just call it a model."""

    id: str
    owner_id: int
    name: str
    trigger_word: str
    kind: SubjectKind
    base_model: BaseModelName
    format: LoraFormat
    #: The training that made it.
    job_id: str
    blob_key: str
    sha256: str
    #: Bytes of the weights file.
    size: int
    facts: Mapping[str, Any]
    created_at: datetime
    #: The first draft of the line that it was trained from; None for a model that came from elsewhere.
    family_id: str | None = None
    #: Its number among the models of its line, from 1; deleted ones keep theirs.
    version: int = 1
    deleted_at: datetime | None = None
    #: Who is in its photos, see `bot/consent.py`; None for models of before the question.
    depicted: Depicted | None = None
    #: The answer that says so.
    consent_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture that was made and kept."""

    id: str
    job_id: str
    #: From 0.
    position: int
    blob_key: str
    seed: int
    width: int
    height: int
