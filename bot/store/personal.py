"""Owns which tables tell something about a person, and what becomes of it when they want it gone.

A test holds this list complete: a table that is in neither `TRACES` nor `IMPERSONAL` fails it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import (
    adult_marks,
    audit,
    blocks,
    cards,
    checkpoints,
    consents,
    drafts,
    erasures,
    gallery_posts,
    gallery_threads,
    jobs,
    leases,
    ledger,
    letters,
    lora_shares,
    lora_transfers,
    loras,
    losses,
    people,
    photos,
    pictures,
    quotes,
    reports,
    saved_prompts,
)

#: Stands for the person in what has to stay, such as the books.
NOBODY = 0
#: What a kept job loses: words that the person typed.
_SCRUBBED = frozenset({"prompt", "negative_prompt", "name", "trigger_word"})


class Fate(StrEnum):
    """What becomes of a row when its person wants to be forgotten."""

    DELETED = "deleted"
    #: It stays without the person, because sums, limits or the safety of others rest on it.
    NAMELESS = "nameless"
    #: It stays as it is, for a time and a reason of its own.
    KEPT = "kept"


@dataclass(frozen=True, kw_only=True)
class Trace:
    """Rows about people in one table."""

    table: sa.Table
    #: The condition for those about a person.
    about: Callable[[int], sa.ColumnElement[bool]]
    fate: Fate = Fate.DELETED
    #: What a nameless row loses.
    wiped: Mapping[str, Any] = field(default_factory=dict)
    #: Columns that an export leaves out: secrets of ours, and what is somebody else's.
    hidden: frozenset[str] = frozenset()


def _holds(column: sa.Column[Any]) -> Callable[[int], sa.ColumnElement[bool]]:
    return lambda person_id: column == person_id


def _of_theirs(column: sa.Column[Any], parent: sa.Table) -> Callable[[int], sa.ColumnElement[bool]]:
    return lambda person_id: column.in_(sa.select(parent.c.id).where(parent.c.owner_id == person_id))


def _leased(person_id: int) -> sa.ColumnElement[bool]:
    # A lease knows its job by the marker (`Job.marker`).
    return leases.c.marker.in_(sa.select(sa.literal("darkroom-") + jobs.c.id).where(jobs.c.owner_id == person_id))


def _shared_with(person_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(lora_shares.c.kind == "person", lora_shares.c.target_id == person_id)


def _transfer_with(person_id: int) -> sa.ColumnElement[bool]:
    return sa.or_(lora_transfers.c.from_id == person_id, lora_transfers.c.to_id == person_id)


def _done_to(person_id: int) -> sa.ColumnElement[bool]:
    return audit.c.target == str(person_id)


#: In the order of deletion: what refers to a row goes before it.
TRACES: Sequence[Trace] = (
    Trace(table=quotes, about=_of_theirs(quotes.c.draft_id, drafts)),
    Trace(table=pictures, about=_of_theirs(pictures.c.job_id, jobs)),
    Trace(table=losses, about=_of_theirs(losses.c.job_id, jobs)),
    Trace(table=checkpoints, about=_of_theirs(checkpoints.c.lora_id, loras)),
    Trace(table=cards, about=_of_theirs(cards.c.job_id, jobs)),
    Trace(table=gallery_posts, about=_of_theirs(gallery_posts.c.job_id, jobs)),
    Trace(table=gallery_threads, about=_of_theirs(gallery_threads.c.lora_id, loras)),
    Trace(table=lora_shares, about=_of_theirs(lora_shares.c.lora_id, loras)),
    Trace(table=lora_shares, about=_shared_with),
    Trace(table=lora_transfers, about=_transfer_with),
    Trace(table=adult_marks, about=_of_theirs(adult_marks.c.lora_id, loras)),
    Trace(table=adult_marks, about=_holds(adult_marks.c.by_id), fate=Fate.NAMELESS, wiped={"by_id": NOBODY}),
    Trace(table=photos, about=_holds(photos.c.owner_id)),
    Trace(table=consents, about=_holds(consents.c.owner_id)),
    Trace(table=saved_prompts, about=_holds(saved_prompts.c.owner_id)),
    Trace(table=letters, about=_holds(letters.c.person_id)),
    Trace(table=leases, about=_leased, hidden=frozenset({"token_hash", "holder_hash", "archive"})),
    Trace(table=drafts, about=_holds(drafts.c.owner_id)),
    Trace(table=loras, about=_holds(loras.c.owner_id)),
    Trace(table=ledger, about=_holds(ledger.c.owner_id), fate=Fate.NAMELESS, wiped={"owner_id": NOBODY}),
    Trace(
        table=jobs,
        about=_holds(jobs.c.owner_id),
        fate=Fate.NAMELESS,
        wiped={"owner_id": NOBODY, "title": "", "progress": {}, "prepared": None, "failure": None},
    ),
    Trace(
        table=reports,
        about=_holds(reports.c.reporter_id),
        fate=Fate.NAMELESS,
        wiped={"reporter_id": NOBODY, "reason": ""},
    ),
    Trace(
        table=reports,
        about=_holds(reports.c.subject_id),
        fate=Fate.NAMELESS,
        wiped={"subject_id": NOBODY},
        hidden=frozenset({"reporter_id", "reason", "settled_by"}),
    ),
    Trace(table=audit, about=_done_to, fate=Fate.NAMELESS, wiped={"target": "", "details": {}}),
    Trace(table=people, about=_holds(people.c.id)),
    # An act of a manager protects those it was done to, and a block those who asked for it (`bot.audit`).
    Trace(table=audit, about=_holds(audit.c.actor_id), fate=Fate.KEPT),
    Trace(table=blocks, about=_holds(blocks.c.person_id), fate=Fate.KEPT),
    Trace(table=erasures, about=_holds(erasures.c.person_id), fate=Fate.KEPT),
)
#: Tables that say nothing about a person, with the reason.
IMPERSONAL: Mapping[str, str] = {
    "notes": "facts about the deployment",
    "deliveries": "ids of providers' messages",
    "guilds": "what managers set for a server",
    "notices": "names jobs, reports and machines by their ids",
    "departures": "servers",
}


async def rows_about(connection: AsyncConnection, person_id: int) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return every row about a person, by table; times as ISO 8601."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for trace in TRACES:
        rows = (await connection.execute(sa.select(trace.table).where(trace.about(person_id)))).mappings()
        told = found.setdefault(trace.table.name, [])
        told.extend({n: _plain(value) for n, value in row.items() if n not in trace.hidden} for row in rows)
    return found


async def blob_keys_about(connection: AsyncConnection, person_id: int) -> Sequence[str]:
    """Return the keys of a person's photos, models and pictures."""
    keys: list[str] = []
    for trace in TRACES:
        for column in trace.table.c:
            if column.name.endswith("blob_key"):
                held = sa.select(column).where(trace.about(person_id), column.is_not(None))
                keys.extend((await connection.scalars(held)).all())
    return keys


async def forget(connection: AsyncConnection, person_id: int) -> Mapping[str, int]:
    """Remove a person from every table and return how many rows went, by table; the files are the caller's."""
    gone: dict[str, int] = {}
    await _scrub_specs(connection, person_id)
    for trace in TRACES:
        about = trace.about(person_id)
        if trace.fate is Fate.DELETED:
            done = await connection.execute(sa.delete(trace.table).where(about))
            gone[trace.table.name] = gone.get(trace.table.name, 0) + done.rowcount
        elif trace.fate is Fate.NAMELESS:
            await connection.execute(sa.update(trace.table).where(about).values(**trace.wiped))
    return gone


async def _scrub_specs(connection: AsyncConnection, person_id: int) -> None:
    rows = await connection.execute(sa.select(jobs.c.id, jobs.c.spec).where(jobs.c.owner_id == person_id))
    for job_id, spec in rows.all():
        await connection.execute(sa.update(jobs).where(jobs.c.id == job_id).values(spec=_scrubbed(spec)))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "" if name in _SCRUBBED and inner else _scrubbed(inner) for name, inner in value.items()}
    return [_scrubbed(inner) for inner in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
