"""Owns leases that are kept as files in a bucket or a folder, where bot and agent leave each other word.

For a bot that no machine can reach, behind a NAT or with its machine under the same roof. For each job, below its
marker:

    job.json      what is to be trained; while it is there, somebody wants it        written by the bot
    archive.zip   the photos                                                         by the bot
    desk.json     when a ticket was issued, what the machine costs                   by the bot, for itself
    letter.json   in a bucket: signed links to all of this, for one machine          by the bot
    stop          there when the work is to stop                                     by the bot
    claim.json    who holds the job: whoever creates it                              by the agent
    report.json   how far it is                                                      by the agent
    files/<name>  what it made; in a bucket in parts, files/<name>/<number>          by the agent
    outcome.json  how it ended                                                       by the agent
"""

import asyncio
import hashlib
import json
import logging
import re
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError

from providers.base import Health, Progress
from providers.errors import ArtifactBroken, NotFound, Refused, Unavailable
from providers.gpu.hints import worded
from providers.gpu.leases import Arrival, LeaseReport, LeaseState, Ticket, log_tail
from providers.gpu.packing import AGENT_NAME, packed_agent
from providers.wording import Sentence, in_turn

log = logging.getLogger(__name__)

#: Seconds between two reports of an agent; in a bucket each is a paid request.
REPORT_SECONDS = 15.0
FOLDER_REPORT_SECONDS = 2.0
#: How long the links in a letter are good: for the longest life of a machine, and its time in a queue.
LETTER_LIFE = timedelta(hours=48)
#: A LoRA comes in parts, each under a link of its own that is signed beforehand.
PART_BYTES = 32 * 1024 * 1024
MOST_PARTS = 128
LORA = "lora.safetensors"
_BY_THE_AGENT = ("claim.json", "report.json", "outcome.json")
_MARKER = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,80}")
SAMPLES = tuple(f"sample-{n}{suffix}" for n in range(8) for suffix in (".png", ".jpg", ".jpeg", ".webp"))

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Desk(_Told):
    issued_at: datetime
    usd_an_hour: float | None = None


class _Machine(_Told):
    box_id: str | None = None


class _Claim(_Told):
    machine: _Machine = Field(default_factory=_Machine)


class _Progress(_Told):
    phase: str = ""
    step: int | None = None
    total: int | None = None
    loss: Annotated[float, Field(allow_inf_nan=False)] | None = None
    eta_seconds: Annotated[float, Field(allow_inf_nan=False)] | None = None


class _Report(_Told):
    progress: _Progress


def _expected(name: str) -> str:
    if name not in {LORA, *SAMPLES}:
        raise ValueError("no file of a training is called so")
    return name


class _File(_Told):
    name: Annotated[str, AfterValidator(_expected)]
    size: Annotated[int, Field(gt=0, le=PART_BYTES * MOST_PARTS)]
    sha256: str


class _Outcome(_Told):
    state: Literal[LeaseState.DONE, LeaseState.FAILED, LeaseState.STOPPED]
    files: list[_File] = Field(default_factory=list)
    facts: dict[str, Any] = Field(default_factory=dict)
    hint: str = ""
    template: str = ""
    values: dict[str, str] = Field(default_factory=dict)
    tail: list[str] = Field(default_factory=list)


class _Job(_Told):
    spec: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket and the key to it."""

    #: As s3://bucket/prefix.
    url: str
    key: SecretStr | None = None
    secret: SecretStr | None = None
    region: str = "us-east-1"
    #: Where its S3 is, if not at Amazon.
    endpoint: str | None = None

    def store(self) -> S3Store:
        """Return it; nobody is asked yet."""
        name, _, prefix = self.url.removeprefix("s3://").partition("/")
        # Whoever asks has a longer patience of their own; archives and LoRAs are large.
        told: dict[str, Any] = {
            "region": self.region,
            "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=30)},
            "client_options": {"connect_timeout": "10s", "timeout": "900s"},
        }
        if self.key is not None and self.secret is not None:
            told["access_key_id"] = self.key.get_secret_value()
            told["secret_access_key"] = self.secret.get_secret_value()
        if self.endpoint is not None:
            told["endpoint"] = self.endpoint
            told["client_options"]["allow_http"] = self.endpoint.startswith("http://")
        return S3Store(name, prefix=prefix.strip("/") or None, **told)


class MailboxLeases:
    """Keeps leases in a store.

    Args:
        store: A bucket, or a folder of this machine.
        folder: Where that folder is; None for a bucket.
        now: The time.
    """

    def __init__(
        self,
        store: S3Store | LocalStore,
        *,
        folder: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._folder = folder
        self._now = now
        # Before this, nobody looked, so that nothing was seen says nothing.
        self._looking_since = now()

    @classmethod
    def in_folder(cls, folder: Path) -> "MailboxLeases":
        """Return leases in a folder of this machine, which is made if need be."""
        return cls(LocalStore(folder, mkdir=True), folder=folder)

    @property
    def obstacle(self) -> str | None:
        """Return None: a mailbox is always reached."""
        return None

    async def check(self) -> Health:
        """Read a little, which shows whether the key is good."""
        try:
            await self._seen("nobody")
        except Unavailable as error:
            wrong = Sentence(error.message, values=error.values)
            return Health(ok=False, wording=in_turn([wrong, "Check DARKROOM_MAILBOX and the AWS_ settings."]))
        return Health(ok=True, wording="the bucket answers and its key may list")

    async def open(self, marker: str, spec: Mapping[str, Any], archive: Path) -> None:
        """Put the job and its photos into the box, unless a machine holds it already."""
        seen = await self._seen(marker)
        if "claim.json" in seen:
            return
        try:
            sha256, size = await asyncio.to_thread(_weighed, archive)
        except OSError:
            raise Refused("The photos of this job are missing.", advice="Start it again.") from None
        seconds = REPORT_SECONDS if self._folder is None else FOLDER_REPORT_SECONDS
        job = {"spec": dict(spec), "archive": {"sha256": sha256, "size": size}, "report_seconds": seconds}
        await _told(obstore.put_async(self._store, f"{marker}/archive.zip", archive))
        await self._write(marker, "job.json", job)

    async def issue(self, marker: str) -> Ticket:
        """Write a letter for one more machine; whoever of all creates the claim first holds the job."""
        if "job.json" not in await self._seen(marker):
            raise NotFound("This training is no longer open.")
        await self._write(marker, "desk.json", _Desk(issued_at=self._now()).model_dump(mode="json"))
        if self._folder is not None:
            return Ticket(env={"DARKROOM_JOB": marker, "DARKROOM_FOLDER": str(self._folder / marker)})
        agent = await asyncio.to_thread(packed_agent)
        name = f"agent/{agent.sha256}/{AGENT_NAME}"
        await _told(obstore.put_async(self._store, name, agent.data))
        await self._write(marker, "letter.json", await self._letter(marker))
        [letter, agent_url] = await self._signed("GET", [f"{marker}/letter.json", name])
        return Ticket(env={"DARKROOM_JOB": marker, "DARKROOM_LETTER": letter}, agent_url=agent_url)

    async def report(self, marker: str) -> LeaseReport | None:
        """Read what there is."""
        seen = await self._seen(marker)
        if "job.json" not in seen:
            return None
        desk = await self._read(marker, "desk.json", _Desk) if "desk.json" in seen else None
        claim = await self._read(marker, "claim.json", _Claim) if "claim.json" in seen else None
        report = await self._read(marker, "report.json", _Report) if "report.json" in seen else None
        outcome = await self._read(marker, "outcome.json", _Outcome) if "outcome.json" in seen else None
        if outcome is not None and outcome.state is LeaseState.FAILED:
            job = await self._read(marker, "job.json", _Job)
            log_tail(marker, job.spec if job else {}, outcome.tail)
        now = self._now()
        over = seen.get("outcome.json") if outcome is not None else None
        heard = max((seen[name] for name in _BY_THE_AGENT if name in seen), default=None)
        return LeaseReport(
            state=outcome.state if outcome else LeaseState.HELD if claim else LeaseState.OPEN,
            since_issued=_seconds(desk.issued_at if desk else None, now),
            since_heard=_seconds(max(heard, self._looking_since) if heard else None, now),
            since_stop=_seconds(seen.get("stop"), now),
            used_seconds=_seconds(desk.issued_at if desk else None, over or now) or 0.0,
            box_id=claim.machine.box_id if claim else None,
            progress=Progress(**report.progress.model_dump()) if report else None,
            failure=worded(outcome.hint, outcome.template, outcome.values) if outcome else None,
            usd_an_hour=desk.usd_an_hour if desk else None,
        )

    async def stop(self, marker: str) -> None:
        """Leave word that it is to stop."""
        seen = await self._seen(marker)
        if "stop" not in seen and "job.json" in seen:
            await self._write(marker, "stop", {})

    async def note_price(self, marker: str, usd_an_hour: float) -> None:
        """Write down what the machine costs."""
        desk = await self._read(marker, "desk.json", _Desk)
        if desk is not None:
            known = desk.model_copy(update={"usd_an_hour": usd_an_hour})
            await self._write(marker, "desk.json", known.model_dump(mode="json"))

    async def fetch(self, marker: str, into: Path) -> Arrival:
        """Copy what lies there, put together from its parts, each file checked."""
        outcome = await self._read(marker, "outcome.json", _Outcome)
        if outcome is None or outcome.state is not LeaseState.DONE:
            raise Refused("This training has no result yet.", advice="Wait until it is done.")
        copied: dict[str, Path] = {}
        for file in outcome.files:
            copied[file.name] = into / file.name
            try:
                await self._copy(marker, file, into / file.name)
            except ArtifactBroken:
                sample = file.name != LORA
                for path in [copied.pop(file.name)] if sample else copied.values():
                    path.unlink(missing_ok=True)
                if not sample:
                    raise
                log.warning("%s: %s is damaged in the mailbox and left out", marker, file.name)
        if LORA not in copied:
            raise ArtifactBroken("The machine delivered no LoRA.")
        samples = [path for name, path in sorted(copied.items()) if name != LORA]
        return Arrival(lora=copied[LORA], samples=samples, facts=outcome.facts)

    async def close(self, marker: str) -> None:
        """Remove everything, first of all what says that somebody wants it."""
        if "job.json" in await self._seen(marker):
            await _told(obstore.delete_async(self._store, f"{marker}/job.json"))
        if self._folder is not None and _MARKER.fullmatch(marker):
            await asyncio.to_thread(shutil.rmtree, self._folder / marker, ignore_errors=True)
            return
        names = [f"{marker}/{name}" for name in await self._seen(marker)]
        if names:
            await _told(obstore.delete_async(self._store, names))

    async def _copy(self, marker: str, file: _File, to: Path) -> None:
        seen = await self._seen(marker)
        whole = f"files/{file.name}"
        parts = [whole] if whole in seen else sorted(name for name in seen if name.startswith(f"{whole}/"))
        digest, size = hashlib.sha256(), 0
        with await asyncio.to_thread(to.open, "wb") as out:
            for part in parts:
                answer = await _told(obstore.get_async(self._store, f"{marker}/{part}"))
                async for chunk in answer.stream():
                    size += len(chunk)
                    if size > file.size:
                        break
                    data = bytes(chunk)
                    digest.update(data)
                    await asyncio.to_thread(out.write, data)
        if size != file.size or digest.hexdigest() != file.sha256:
            raise ArtifactBroken("What the machine left in the mailbox is not what it promised.")

    async def _letter(self, marker: str) -> dict[str, Any]:
        """Return all links that a machine needs."""
        reads = ("job.json", "archive.zip", "stop", "claim.json")
        writes = ("claim.json", "report.json", "outcome.json")
        numbered = [f"{number:04}" for number in range(MOST_PARTS)]
        got = await self._signed("GET", [f"{marker}/{name}" for name in reads])
        put = await self._signed("PUT", [f"{marker}/{name}" for name in writes])
        parts = await self._signed("PUT", [f"{marker}/files/{LORA}/{number}" for number in numbered])
        samples = await self._signed("PUT", [f"{marker}/files/{name}/0000" for name in SAMPLES])
        return {
            "get": dict(zip(reads, got, strict=True)),
            "put": dict(zip(writes, put, strict=True)),
            "files": {LORA: parts, **{name: [url] for name, url in zip(SAMPLES, samples, strict=True)}},
            "part_bytes": PART_BYTES,
        }

    async def _signed(self, method: Literal["GET", "PUT"], names: Sequence[str]) -> Sequence[str]:
        if not isinstance(self._store, S3Store):
            raise TypeError("only links into a bucket can be signed")
        return await _told(obstore.sign_async(self._store, method, list(names), LETTER_LIFE))

    async def _seen(self, marker: str) -> dict[str, datetime]:
        """Return what is there of a job and when it was written."""
        if not _MARKER.fullmatch(marker):
            return {}
        found = await _told(obstore.list(self._store, prefix=marker).collect_async())
        return {one["path"].removeprefix(f"{marker}/"): one["last_modified"] for one in found}

    async def _write(self, marker: str, name: str, content: Mapping[str, Any]) -> None:
        await _told(obstore.put_async(self._store, f"{marker}/{name}", json.dumps(content).encode()))

    async def _read(self, marker: str, name: str, model: type[ModelT]) -> ModelT | None:
        """Return a file's content; None when it is not there (any more) or is none of ours."""
        try:
            answer = await obstore.get_async(self._store, f"{marker}/{name}")
            data = bytes(await answer.bytes_async())
            return model.model_validate_json(data)
        except (FileNotFoundError, ValidationError):
            return None
        except BaseError as error:
            raise _out_of_reach(error) from None


async def _told(call: Awaitable[T]) -> T:
    try:
        return await call
    except (BaseError, OSError) as error:
        raise _out_of_reach(error) from None


def _out_of_reach(error: Exception) -> Unavailable:
    # The error's own text may hold a signed link.
    return Unavailable(
        "The mailbox of the machines can't be reached ({error}).", values={"error": type(error).__name__}
    )


def _seconds(since: datetime | None, until: datetime) -> float | None:
    return None if since is None else max((until - since).total_seconds(), 0.0)


def _weighed(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
