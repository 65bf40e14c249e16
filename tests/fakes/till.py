"""A hosted provider for tests: an HTTP server on this machine that writes down every order it takes as owed money."""

import asyncio
import io
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import numpy as np
from aiohttp import web
from PIL import Image
from safetensors.numpy import save

Json = dict[str, Any]


@dataclass(kw_only=True)
class Look:
    """What the till says at one look at a job; a job goes one on with each look and stays at its last."""

    status: str
    step: int | None = None
    total: int | None = None
    loss: float | None = None
    error: str | None = None


QUEUED = Look(status="queued")
RUNNING = Look(status="running", step=1, total=3, loss=0.9)
SUCCEEDED = Look(status="succeeded", step=3, total=3, loss=0.1)
#: A short, happy life.
USUAL: tuple[Look, ...] = (QUEUED, RUNNING, Look(status="running", step=2, total=3, loss=0.4), SUCCEEDED)


@dataclass(kw_only=True)
class TillJob:
    """An order that the till took."""

    id: str
    kind: str
    marker: str
    created_at: datetime
    order: Json
    looks: list[Look]
    canceled: bool = False
    removed: bool = False

    def look(self) -> Look:
        """Say how it stands and go one on."""
        if self.canceled:
            return Look(status="canceled")
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@dataclass(kw_only=True, eq=False)
class Trouble:
    """One planned misfortune on a route: submit, find, poll, cancel, collect, upload or remove.

    With none of `status`, `text`, `hang` and `half` the connection is cut. `after`: the request has had its effect.
    """

    route: str
    times: int = 1
    status: int | None = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    hang: bool = False
    half: bool = False
    met: asyncio.Event = field(default_factory=asyncio.Event)


class Till:
    """Serve the provider while the `async with` block runs.

    `bill` has a line for each order that was taken, with its marker, whatever became of the answer.
    """

    def __init__(self) -> None:
        self.bill: list[str] = []
        self.jobs: dict[str, TillJob] = {}
        self.uploads: set[str] = set()
        self.script: Sequence[Look] = USUAL
        #: How many requests came, by route.
        self.asked: dict[str, int] = {}
        #: How far the till's clock is behind the bot's.
        self.behind = timedelta(0)
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        #: Orders do not show up in the list before this is set.
        self.listed = asyncio.Event()
        self.listed.set()
        self._troubles: list[Trouble] = []
        self._numbers = itertools.count(1)
        self._open = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.url = ""

    # ------------------------------------------------------------------ running
    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_put("/uploads/{name}", self._on("upload", self._upload))
        app.router.add_delete("/uploads/{name}", self._on("remove", self._remove))
        app.router.add_post("/{kind}", self._on("submit", self._submit))
        app.router.add_get("/{kind}", self._on("find", self._list))
        app.router.add_get("/{kind}/{id}", self._on("poll", self._poll))
        app.router.add_post("/{kind}/{id}/cancel", self._on("cancel", self._cancel))
        app.router.add_get("/{kind}/{id}/result/{number}", self._on("collect", self._result))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        if self._runner is not None:
            await self._runner.cleanup()

    # ------------------------------------------------------------------ for tests
    def plan(self, route: str, **how: Any) -> Trouble:
        """Plan a misfortune for the next requests on a route."""
        trouble = Trouble(route=route, **how)
        self._troubles.append(trouble)
        return trouble

    def release(self) -> None:
        """Let go on what hangs, and let nothing hang from now on."""
        self._open.set()

    def job(self, marker: str) -> TillJob:
        """Return the one order with this marker."""
        [job] = [job for job in self.jobs.values() if job.marker == marker]
        return job

    # ------------------------------------------------------------------ the routes
    def _on(self, route: str, work: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            self.asked[route] = self.asked.get(route, 0) + 1
            body = await request.read()
            trouble = next((t for t in self._troubles if t.route == route and t.times > 0), None)
            if trouble is None:
                return await work(request, body)  # type: ignore[no-any-return]  # aiohttp's handlers differ in kind
            trouble.times -= 1
            return await self._misfortune(trouble, request, body, work)

        return handle

    async def _misfortune(self, trouble: Trouble, request: web.Request, body: bytes, work: Any) -> web.StreamResponse:
        if trouble.after:
            await work(request, body)
        trouble.met.set()
        if trouble.hang:
            await self._open.wait()
            return await work(request, body)  # type: ignore[no-any-return]  # as above
        if trouble.half:
            whole = await work(request, body)
            half = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
            await half.prepare(request)
            await half.write(whole.body[: len(whole.body) // 2])
            self._cut(request)
            return half
        if trouble.status is None and trouble.text is None:
            self._cut(request)
        return web.Response(
            status=trouble.status or 200,
            text=trouble.text if trouble.text is not None else '{"error": "planned"}',
            headers=trouble.headers,
        )

    @staticmethod
    def _cut(request: web.Request) -> None:
        if request.transport is not None:
            request.transport.abort()

    async def _upload(self, request: web.Request, body: bytes) -> web.Response:
        self.uploads.add(request.match_info["name"])
        return web.json_response({"size": len(body)})

    async def _remove(self, request: web.Request, body: bytes) -> web.Response:
        self.uploads.discard(request.match_info["name"])
        return web.json_response({})

    async def _submit(self, request: web.Request, body: bytes) -> web.Response:
        order = await request.json()
        job = TillJob(
            id=f"till-{next(self._numbers)}",
            kind=request.match_info["kind"],
            marker=order["marker"],
            created_at=self.now() - self.behind,
            order=order,
            looks=[replace(look) for look in self.script],
        )
        self.jobs[job.id] = job
        self.bill.append(job.marker)
        return web.json_response({"id": job.id}, status=201)

    async def _list(self, request: web.Request, body: bytes) -> web.Response:
        since = datetime.fromisoformat(request.query["since"])
        kind = request.match_info["kind"]
        shown = [job for job in self.jobs.values() if job.kind == kind and job.created_at >= since]
        if not self.listed.is_set():
            shown = []
        return web.json_response([{"id": job.id, "marker": job.marker} for job in reversed(shown)])

    async def _poll(self, request: web.Request, body: bytes) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.removed:
            return web.json_response({"error": "no such job"}, status=404)
        return web.json_response(vars(job.look()) | {"cost_usd": 0.25})

    async def _cancel(self, request: web.Request, body: bytes) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.removed:
            return web.json_response({"error": "no such job"}, status=404)
        if job.looks[0].status != "succeeded":
            job.canceled = True
        return web.json_response({})

    async def _result(self, request: web.Request, body: bytes) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.removed:
            return web.json_response({"error": "no such job"}, status=404)
        made = lora_file() if job.kind == "trainings" else picture_file(int(request.match_info["number"]))
        return web.Response(body=made, content_type="application/octet-stream")


def lora_file() -> bytes:
    """Make the smallest LoRA that is one: a pair of matrices of rank 2."""
    return save({"unet.lora_down": np.ones((2, 4), np.float32), "unet.lora_up": np.ones((4, 2), np.float32)})


def picture_file(number: int) -> bytes:
    """Make a small PNG, another one for each number."""
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), (40 * number % 256, 90, 200)).save(buffer, "PNG")
    return buffer.getvalue()
