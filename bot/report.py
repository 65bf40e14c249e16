"""Owns what a report of some pictures is; never reads or writes anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReportState(StrEnum):
    """What became of a report; the value is stored."""

    OPEN = "open"
    #: The pictures were deleted.
    DELETED = "deleted"
    #: The person who asked for them was blocked.
    BLOCKED = "blocked"
    DISMISSED = "dismissed"


@dataclass(frozen=True, kw_only=True)
class Report:
    """Somebody's word to the managers that pictures should not be."""

    id: str
    #: The server where they were seen; None in direct messages, whose reports go to the operator.
    guild_id: int | None
    reporter_id: int
    #: Who asked for the pictures.
    subject_id: int
    job_id: str
    #: In the reporter's words; may be empty.
    reason: str
    state: ReportState
    created_at: datetime
    settled_by: int | None = None
    settled_at: datetime | None = None
