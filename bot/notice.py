"""Owns what a notice in a server's log channel is about; never reads, writes or sends anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class NoticeKind(StrEnum):
    """What a log channel is told about; the value is stored, and beside it what its subject is."""

    #: Somebody reported pictures; subject: the report.
    REPORT = "report"
    #: Nobody knows whether a paid order was taken, and a person has to say; subject: the job.
    DOUBT = "doubt"
    #: A rented machine was destroyed because nobody held it any more; subject: the machine.
    MACHINE = "machine"
    #: A provider that jobs of this server wait for is out of reach; subject: the provider and when that began.
    OUTAGE = "outage"
    #: The operator's word to all servers; subject: the announcement.
    ANNOUNCEMENT = "announcement"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One row of the notices table."""

    id: str
    guild_id: int
    kind: NoticeKind
    subject: str
    #: What the message says besides, by names that belong to the kind.
    facts: Mapping[str, Any] = field(default_factory=dict)
    created_at: datetime
    #: Nothing can be done about it any more.
    closed: bool = False
    #: Where it stands; None until Discord has it.
    channel_id: int | None = None
    message_id: int | None = None
    revision: int = 1
    #: What the message shows; it is stale while the row is further on.
    shown_revision: int = 0
