"""Owns what a trained model is, and with whom one is shared; never reads or writes anything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.consent import Depicted
from bot.errors import Missing
from bot.texts import N_
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
    #: The training that made it; None for one that was imported.
    job_id: str | None
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
    #: What its owner says about it.
    description: str = ""
    #: What is taken where somebody leaves it open; None for what the image maker likes best.
    strength: float | None = None
    #: Name of the image maker that is taken where somebody leaves it open; None for the best choice.
    provider: str | None = None


@dataclass(frozen=True, kw_only=True)
class StoredCheckpoint:
    """Weights of a model as they were at one step of its training."""

    id: str
    lora_id: str
    step: int
    blob_key: str
    sha256: str
    #: Bytes of the weights file.
    size: int
    facts: Mapping[str, Any]
    created_at: datetime


class ShareKind(StrEnum):
    """Whom a model is shared with; the value is stored."""

    SERVER = "server"
    ROLE = "role"
    PERSON = "person"


@dataclass(frozen=True, kw_only=True)
class Share:
    """A right to make pictures with somebody's model."""

    kind: ShareKind
    #: The server, the role, or the person.
    target_id: int
    #: The server that it is about; None for a person, who may use it everywhere.
    guild_id: int | None

    @classmethod
    def with_server(cls, guild_id: int) -> "Share":
        return cls(kind=ShareKind.SERVER, target_id=guild_id, guild_id=guild_id)

    @classmethod
    def with_role(cls, role_id: int, guild_id: int) -> "Share":
        # Discord's @everyone is a role with the server's own id.
        return (
            cls.with_server(guild_id)
            if role_id == guild_id
            else cls(kind=ShareKind.ROLE, target_id=role_id, guild_id=guild_id)
        )

    @classmethod
    def with_person(cls, person_id: int) -> "Share":
        return cls(kind=ShareKind.PERSON, target_id=person_id, guild_id=None)


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """An offer to give a model away."""

    lora_id: str
    from_id: int
    to_id: int
    created_at: datetime


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


def picture_at(pictures: Sequence[Picture], position: int) -> Picture:
    """Return one picture of a job.

    Raises:
        Missing: it was deleted, or never was.
    """
    for picture in pictures:
        if picture.position == position:
            return picture
    raise Missing(N_("That picture was deleted."), advice=N_("/generate makes new ones."))
