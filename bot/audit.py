"""Owns the audit log: every act of a server's managers and of the operator, written in the act's own transaction.

An entry holds numbers and what was set, never a prompt or a picture. It is kept for 180 days and survives the wish of
its actor to be forgotten, because it protects those it was done to; whom it was done to is wiped out of it at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import audit as rows

#: Entries go after this time.
KEPT = timedelta(days=180)
#: Entries on one page.
PAGE = 10


class AuditAct(StrEnum):
    """What was done; the value is stored."""

    SETTING = "setting"
    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    BLOCK = "block"
    UNBLOCK = "unblock"
    DELETE_PICTURES = "delete_pictures"
    DISMISS = "dismiss"
    MARK_ADULT = "mark_adult"
    UNMARK_ADULT = "unmark_adult"
    SETTLE_DOUBT = "settle_doubt"
    ANNOUNCE = "announce"
    SYNC = "sync"


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One line of the log; lines are added, never changed."""

    #: None for an act of the operator on all servers.
    guild_id: int | None
    actor_id: int
    act: AuditAct
    #: The person, job, model or setting that it was done to; empty for the server as a whole.
    target: str = ""
    #: What else is to be known, in the words of whoever did it: a reason, a value before and after.
    details: Mapping[str, str] = field(default_factory=dict)
    at: datetime


async def record(
    connection: AsyncConnection,
    *,
    guild_id: int | None,
    actor_id: int,
    act: AuditAct,
    at: datetime,
    target: object = "",
    details: Mapping[str, str] | None = None,
) -> None:
    """Write an act down in the transaction that does it."""
    await rows.insert(
        connection,
        guild_id=guild_id,
        actor_id=actor_id,
        act=act.value,
        target=str(target),
        details=dict(details or {}),
        at=at,
    )


async def page(connection: AsyncConnection, guild_id: int | None, number: int) -> tuple[Sequence[AuditEntry], int]:
    """Return one page of a server's log, the newest first, and how many pages there are; page numbers begin at 0."""
    count = await rows.count(connection, guild_id)
    found = await rows.newest(connection, guild_id, skip=number * PAGE, limit=PAGE)
    entries = [AuditEntry(**dict(row) | {"act": AuditAct(row["act"])}) for row in found]
    return entries, max(1, -(-count // PAGE))
