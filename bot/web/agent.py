"""Owns what agents on GPU machines are answered: the agent itself, a claim, reports, deliveries, the last word.

Bodies are read up to a limit of their own; parts of files go to disk as they come. An agent that is turned away is told
so in our own words, since proxies answer with the same statuses.
"""

import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, TypeVar

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.arrivals import Arrivals, Parcel, Standing
from bot.leases import LeaseDesk, Refusal
from bot.store.leases import Lease
from providers.base import Progress
from providers.gpu.leases import LeaseState
from providers.gpu.packing import AGENT_NAME, packed_agent

log = logging.getLogger(__name__)

#: Seconds between two reports of an agent.
REPORT_SECONDS = 5.0
MOST_CLAIM_BYTES = 8 * 1024
MOST_REPORT_BYTES = 8 * 1024
MOST_FINISH_BYTES = 512 * 1024
MOST_PART_BYTES = 16 * 1024 * 1024
_CHUNK = 256 * 1024

_STATUSES = {Refusal.FORGED: 401, Refusal.TAKEN: 409, Refusal.GONE: 410}
_Secret = Annotated[str, StringConstraints(min_length=32, max_length=128)]

ModelT = TypeVar("ModelT", bound=BaseModel)


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Machine(_Told):
    box_id: Annotated[str, StringConstraints(max_length=200)] | None = None


class _Claim(_Told):
    token: _Secret
    holder: _Secret
    machine: _Machine = Field(default_factory=_Machine)


class _Progress(_Told):
    phase: str = ""
    step: Annotated[int, Field(ge=0)] | None = None
    total: Annotated[int, Field(ge=0)] | None = None
    loss: float | None = None
    eta_seconds: Annotated[float, Field(ge=0)] | None = None

    def as_progress(self) -> Progress:
        loss = self.loss if self.loss is not None and math.isfinite(self.loss) else None
        left = self.eta_seconds if self.eta_seconds is not None and math.isfinite(self.eta_seconds) else None
        return Progress(phase=self.phase[:80], step=self.step, total=self.total, loss=loss, eta_seconds=left)


class _Report(_Told):
    progress: _Progress


class _File(_Told):
    name: str
    size: int
    sha256: str


class _Outcome(_Told):
    state: Literal[LeaseState.DONE, LeaseState.FAILED, LeaseState.STOPPED]
    files: Annotated[list[_File], Field(max_length=16)] = Field(default_factory=list)
    facts: dict[str, Any] = Field(default_factory=dict)
    code: Annotated[str, StringConstraints(max_length=40)] = ""
    hint: Annotated[str, StringConstraints(max_length=500)] = ""
    template: Annotated[str, StringConstraints(max_length=500)] = ""
    values: Annotated[dict[str, Annotated[str, StringConstraints(max_length=500)]], Field(max_length=8)] = Field(
        default_factory=dict
    )
    tail: list[str] = Field(default_factory=list)


class AgentRoutes:
    """Answers what agents ask."""

    def __init__(self, *, desk: LeaseDesk, arrivals: Arrivals) -> None:
        self._desk = desk
        self._arrivals = arrivals

    def join(self, site: web.Application) -> None:
        """Add the routes to a site."""
        job = "/agent/v1/jobs/{marker}"
        site.router.add_get(f"/agent/v1/{{sha256}}/{AGENT_NAME}", self.agent)
        site.router.add_post(f"{job}/claim", self.claim)
        site.router.add_get(f"{job}/archive", self._for_holder(self.archive))
        site.router.add_post(f"{job}/report", self._for_holder(self.report))
        site.router.add_get(f"{job}/files/{{name}}", self._for_holder(self.standing))
        site.router.add_put(f"{job}/files/{{name}}", self._for_holder(self.part))
        site.router.add_post(f"{job}/finish", self._for_holder(self.finish))

    async def agent(self, request: web.Request) -> web.StreamResponse:
        """Serve the agent; a machine that was told of another version's can't use this one."""
        agent = packed_agent()
        if request.match_info["sha256"] != agent.sha256:
            raise web.HTTPNotFound
        return web.Response(body=agent.data, content_type="application/octet-stream")

    async def claim(self, request: web.Request) -> web.StreamResponse:
        """Give the job to the first machine that asks with its token."""
        told = await _read(request, _Claim, MOST_CLAIM_BYTES)
        lease = await self._desk.claim(
            request.match_info["marker"], token=told.token, holder=told.holder, box_id=told.machine.box_id
        )
        if isinstance(lease, Refusal):
            return _refused(request, lease)
        return web.json_response(
            {
                "spec": lease.spec,
                "archive": {"sha256": lease.archive_sha256, "size": lease.archive_size},
                "report_seconds": REPORT_SECONDS,
            }
        )

    async def archive(self, _request: web.Request, lease: Lease) -> web.StreamResponse:
        """Send the photos."""
        path = self._desk.archive(lease)
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "private, no-store"})

    async def report(self, request: web.Request, lease: Lease) -> web.StreamResponse:
        """Hear how far it is, and say whether it is to stop."""
        told = await _read(request, _Report, MOST_REPORT_BYTES)
        return web.json_response({"stop": await self._desk.hear(lease, told.progress.as_progress())})

    async def standing(self, request: web.Request, lease: Lease) -> web.StreamResponse:
        """Say how much of a file is here."""
        return _told(await self._arrivals.standing(_parcel(request, lease)))

    async def part(self, request: web.Request, lease: Lease) -> web.StreamResponse:
        """Take some bytes of a file and say how much of it is here now."""
        parcel, offset = _parcel(request, lease), _number(request, "offset")
        if (request.content_length or 0) > MOST_PART_BYTES:
            raise web.HTTPRequestEntityTooLarge(max_size=MOST_PART_BYTES, actual_size=request.content_length or 0)
        chunks = request.content.iter_chunked(_CHUNK)
        try:
            return _told(await self._arrivals.take(parcel, offset, chunks, most=MOST_PART_BYTES))
        except (aiohttp.ClientError, ConnectionError):
            # Nobody is there to read the answer; what came is kept.
            raise web.HTTPBadRequest from None
        except OSError as error:
            log.error("a delivery of %s can't be written: %s", lease.marker, error.strerror)  # noqa: TRY400 - no bug
            raise web.HTTPServiceUnavailable from None

    async def finish(self, request: web.Request, lease: Lease) -> web.StreamResponse:
        """Take the last word, which may come again when our answer got lost."""
        told = await _read(request, _Outcome, MOST_FINISH_BYTES)
        outcome = told.model_dump(mode="json", exclude={"state"})
        return web.json_response({"missing": list(await self._desk.end(lease, told.state, outcome))})

    def _for_holder(
        self, answer: Callable[[web.Request, Lease], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            marker = request.match_info["marker"]
            lease = await self._desk.held(marker, key) if scheme == "Bearer" else Refusal.FORGED
            return _refused(request, lease) if isinstance(lease, Refusal) else await answer(request, lease)

        return guarded


def _refused(request: web.Request, why: Refusal) -> web.Response:
    log.info("an agent was turned away from %r: %s", request.match_info["marker"][:80], why)
    return web.json_response({"darkroom": why}, status=_STATUSES[why])


async def _read(request: web.Request, model: type[ModelT], most: int) -> ModelT:
    body = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > most:
            raise web.HTTPRequestEntityTooLarge(max_size=most, actual_size=len(body))
    try:
        # Python's own reader: agents may write NaN for a loss.
        told: Any = json.loads(bytes(body))
        return model.model_validate(told)
    except (ValidationError, ValueError):
        raise web.HTTPBadRequest from None


def _parcel(request: web.Request, lease: Lease) -> Parcel:
    parcel = Parcel(
        marker=lease.marker,
        name=request.match_info["name"],
        size=_number(request, "size"),
        sha256=request.query.get("sha256", ""),
    )
    if not parcel.acceptable:
        raise web.HTTPBadRequest
    return parcel


def _number(request: web.Request, name: str) -> int:
    value = request.query.get(name, "")
    if not (value.isascii() and value.isdigit() and len(value) < 14):
        raise web.HTTPBadRequest
    return int(value)


def _told(standing: Standing) -> web.Response:
    return web.json_response({"have": standing.have, "complete": standing.complete})
