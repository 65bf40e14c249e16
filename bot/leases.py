"""Owns who holds which training on a GPU machine: fills the `Leases` of providers/, and answers their agents.

A token lets one machine claim; of it, and of the key that the machine brings, only hashes are kept. What an agent
tells is committed before it is answered, and makes its job due, like a webhook.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import secrets
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.arrivals import LORA, Arrivals, Parcel
from bot.clock import Clock
from bot.events import JobChanged, News
from bot.store import jobs as job_rows
from bot.store import leases as rows
from bot.store.database import Database
from bot.store.leases import Lease
from bot.texts import N_
from providers.base import Progress
from providers.errors import ArtifactBroken, NotFound, Refused
from providers.gpu.box import NAME_PREFIX
from providers.gpu.hints import worded
from providers.gpu.leases import Arrival, LeaseReport, LeaseState, Ticket, log_tail
from providers.gpu.packing import AGENT_NAME, packed_agent

log = logging.getLogger(__name__)

#: How long a token may wait for its machine, which may stand in a queue.
TICKET_LIFE = timedelta(hours=24)


class Refusal(StrEnum):
    """Why an agent is turned away; it then ends its machine."""

    FORGED = "the token or key is wrong"
    TAKEN = "another machine holds this job"
    GONE = "nobody wants this job any more"


def obstacle_to_machines(*, public_url: str | None, serving: bool) -> str | None:
    """Return what an operator has to set before a rented machine can reach this bot; None when it can."""
    if public_url is None or not serving:
        return N_("Set PUBLIC_URL and DARKROOM_WEB_PORT, so that rented machines can reach this bot.")
    url = urlsplit(public_url)
    if url.scheme != "https" and not _is_this_machine(url.hostname):
        return N_("PUBLIC_URL must begin with https://, since photos and models travel over it.")
    return None


class LeaseDesk:
    """Keeps the leases of this deployment.

    Args:
        database: Where they are.
        arrivals: Where delivered files are.
        root: The data folder, in which the archives lie.
        public_url: Where machines reach this bot; None when they don't.
        obstacle: What `obstacle_to_machines` says.
        clock: The time that goes into rows.
        news: Told when a job is due.
    """

    def __init__(
        self,
        *,
        database: Database,
        arrivals: Arrivals,
        root: Path,
        public_url: str | None,
        obstacle: str | None,
        clock: Clock,
        news: News,
    ) -> None:
        self._obstacle = obstacle
        self._database = database
        self._arrivals = arrivals
        self._root = root.resolve()
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock
        self._news = news
        # Before this, nobody could hear an agent, so its silence says nothing.
        self._listening_since = clock.now()

    @property
    def obstacle(self) -> str | None:
        """Return why no machine could reach us."""
        return self._obstacle

    async def open(self, marker: str, spec: Mapping[str, Any], archive: Path) -> None:
        """Describe a job."""
        try:
            sha256, size = await asyncio.to_thread(_weighed, archive)
            inside = await asyncio.to_thread(self._inside, archive)
        except OSError:
            raise Refused(N_("The photos of this job are missing."), advice=N_("Start it again.")) from None
        async with self._database.begin() as connection:
            await rows.put(connection, marker, spec=spec, archive=inside, sha256=sha256, size=size)

    async def issue(self, marker: str) -> Ticket:
        """Make a new token, the only one that is good from now on."""
        token = secrets.token_urlsafe(32)
        async with self._database.begin() as connection:
            if not await rows.issue(connection, marker, token_hash=_hash(token), at=self._clock.now()):
                raise NotFound(N_("This training is no longer open."))
        agent = await asyncio.to_thread(packed_agent)
        base = self._public_url or ""
        env = {"DARKROOM_URL": base, "DARKROOM_JOB": marker, "DARKROOM_TOKEN": token}
        return Ticket(env=env, agent_url=f"{base}/agent/v1/{agent.sha256}/{AGENT_NAME}")

    async def report(self, marker: str) -> LeaseReport | None:
        """Return what is known of a lease."""
        async with self._database.begin() as connection:
            lease = await rows.get(connection, marker)
        if lease is None:
            return None
        now, outcome = self._clock.now(), lease.outcome or {}
        heard = None if lease.heard_at is None else max(lease.heard_at, self._listening_since)
        return LeaseReport(
            state=lease.state,
            since_issued=_seconds(lease.issued_at, now),
            since_heard=_seconds(heard, now),
            since_stop=_seconds(lease.stop_at, now),
            used_seconds=_seconds(lease.issued_at, lease.over_at or now) or 0.0,
            box_id=lease.box_id,
            progress=lease.progress,
            failure=worded(outcome.get("hint", ""), outcome.get("template", ""), outcome.get("values")),
            usd_an_hour=lease.usd_an_hour,
        )

    async def stop(self, marker: str) -> None:
        """Have the agent told to stop at its next report."""
        async with self._database.begin() as connection:
            await rows.stop(connection, marker, at=self._clock.now())

    async def note_price(self, marker: str, usd_an_hour: float) -> None:
        """Remember what the machine costs."""
        async with self._database.begin() as connection:
            await rows.note_price(connection, marker, usd_an_hour)

    async def fetch(self, marker: str, into: Path) -> Arrival:
        """Copy what was delivered, each file checked once more."""
        async with self._database.begin() as connection:
            lease = await rows.get(connection, marker)
        if lease is None:
            raise NotFound(N_("Nothing is known of this training any more."))
        if lease.state is not LeaseState.DONE:
            raise Refused(N_("This training has no result yet."), advice=N_("Wait until it is done."))
        outcome = lease.outcome or {}
        copied = await asyncio.to_thread(self._copied, marker, outcome.get("files", []), into)
        return Arrival(
            lora=copied[LORA],
            samples=[path for name, path in sorted(copied.items()) if name != LORA],
            facts=outcome.get("facts", {}),
        )

    async def close(self, marker: str) -> None:
        """Forget a lease and its files."""
        async with self._database.begin() as connection:
            await rows.delete(connection, marker)
        if _is_plain(marker):
            await self._arrivals.remove(marker)

    async def sweep(self) -> None:
        """Remove delivered files of which no lease knows; a process that died between two steps left them."""
        async with self._database.begin() as connection:
            known = await rows.markers(connection)
        await self._arrivals.sweep(known)

    async def claim(self, marker: str, *, token: str, holder: str, box_id: str | None) -> Lease | Refusal:
        """Give the job to the machine that brings this token first; its own key makes a second call of it the same."""
        now = self._clock.now()
        async with self._database.begin() as connection:
            lease = await rows.get(connection, marker)
            if lease is None or lease.stop_at is not None or lease.state.over or _is_old(lease, now):
                return Refusal.GONE
            if lease.state is LeaseState.HELD:
                return lease if _same(lease.holder_hash, holder) else Refusal.TAKEN
            if not _same(lease.token_hash, token):
                return Refusal.FORGED
            holder_hash = _hash(holder)
            if not await rows.claim(
                connection, marker, token_hash=_hash(token), holder_hash=holder_hash, box_id=box_id, at=now
            ):
                return Refusal.TAKEN
            await self._hurry(connection, marker, now)
        self._wake(marker)
        log.info("a machine has begun with %s", marker)
        return lease

    async def held(self, marker: str, holder: str) -> Lease | Refusal:
        """Return the lease if this key holds it."""
        async with self._database.begin() as connection:
            lease = await rows.get(connection, marker)
        if lease is None:
            return Refusal.GONE
        return lease if _same(lease.holder_hash, holder) else Refusal.FORGED

    async def hear(self, lease: Lease, progress: Progress) -> bool:
        """Note a report of its agent and return whether it is to stop."""
        now = self._clock.now()
        news = progress != lease.progress
        async with self._database.begin() as connection:
            await rows.hear(connection, lease.marker, progress=progress, at=now)
            if news:
                await self._hurry(connection, lease.marker, now)
        if news:
            self._wake(lease.marker)
        return lease.stop_at is not None

    async def end(self, lease: Lease, state: LeaseState, outcome: Mapping[str, Any]) -> Sequence[str]:
        """Note the last word of its agent; returns the names of promised files that are not here, then nothing ends."""
        if state is LeaseState.DONE:
            missing = [f["name"] for f in outcome["files"] if not await self._is_here(lease.marker, f)]
            if missing:
                return missing
        if state is LeaseState.FAILED:
            log_tail(lease.marker, lease.spec, outcome.get("tail", []))
        kept = {name: value for name, value in outcome.items() if name != "tail"}
        now = self._clock.now()
        async with self._database.begin() as connection:
            await rows.end(connection, lease.marker, state=state, outcome=kept, at=now)
            await self._hurry(connection, lease.marker, now)
        self._wake(lease.marker)
        return []

    def archive(self, lease: Lease) -> Path | None:
        """Return the photos of a lease; None when they are gone."""
        path = (self._root / lease.archive).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None

    def _inside(self, archive: Path) -> str:
        return archive.resolve().relative_to(self._root).as_posix()

    async def _is_here(self, marker: str, file: Mapping[str, Any]) -> bool:
        parcel = Parcel(marker=marker, name=file["name"], size=file["size"], sha256=file["sha256"])
        return parcel.acceptable and (await self._arrivals.standing(parcel)).complete

    def _copied(self, marker: str, files: Sequence[Mapping[str, Any]], into: Path) -> dict[str, Path]:
        copied: dict[str, Path] = {}
        for file in files:
            to = into / file["name"]
            try:
                shutil.copyfile(self._arrivals.path(marker, file["name"]), to)
                right = _weighed(to) == (file["sha256"], file["size"])
            except OSError:
                right = False
            if right:
                copied[file["name"]] = to
                continue
            to.unlink(missing_ok=True)
            if file["name"] == LORA:
                for path in copied.values():
                    path.unlink(missing_ok=True)
                raise ArtifactBroken(N_("What the machine delivered is damaged here."))
            log.warning("%s: %s is damaged here and left out", marker, file["name"])
        if LORA not in copied:
            raise ArtifactBroken(N_("The machine delivered no LoRA."))
        return copied

    async def _hurry(self, connection: AsyncConnection, marker: str, now: datetime) -> None:
        await job_rows.hurry_job(connection, marker.removeprefix(NAME_PREFIX), at=now)

    def _wake(self, marker: str) -> None:
        self._news.publish(JobChanged(job_id=marker.removeprefix(NAME_PREFIX), due=True))


def _hash(secret: str) -> str:
    # Plain SHA-256: what is hashed is 256 random bits, which nobody guesses.
    return hashlib.sha256(secret.encode()).hexdigest()


def _same(known: str | None, secret: str) -> bool:
    return known is not None and hmac.compare_digest(known, _hash(secret))


def _is_old(lease: Lease, now: datetime) -> bool:
    return lease.state is LeaseState.OPEN and (lease.issued_at is None or now - lease.issued_at > TICKET_LIFE)


def _is_plain(marker: str) -> bool:
    return marker.replace("-", "").replace("_", "").isalnum()


def _seconds(since: datetime | None, until: datetime) -> float | None:
    return None if since is None else max((until - since).total_seconds(), 0.0)


def _weighed(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _is_this_machine(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"
