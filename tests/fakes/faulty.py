"""Owns what all fake hosted providers share: a real server on this machine, its record, its planned misfortunes."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

Work = Callable[[web.Request, bytes], Awaitable[web.Response]]


@dataclass(kw_only=True, eq=False)
class Trouble:
    """One planned misfortune on a route; without `status`, `text`, `hang` and `half` the connection is cut."""

    route: str
    times: int = 1
    status: int | None = None
    text: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    #: The request has had its effect before.
    after: bool = False
    hang: bool = False
    half: bool = False


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request with its answer, as it went over the wire."""

    route: str
    method: str
    path: str
    query: dict[str, str]
    request: Any
    status: int
    answer: Any
    #: The answer was a planned misfortune.
    planned: bool


class FaultyServer:
    """Serve while the `async with` block runs; subclasses add routes in `routes`."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.url = ""
        #: What was fetched from links in orders; None leaves links alone, since those of most tests lead nowhere.
        self.fetched: dict[str, bytes] | None = None
        self._troubles: list[Trouble] = []
        self._open = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None

    def routes(self, app: web.Application) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=128 * 1024 * 1024)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._site = site
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def stop_listening(self) -> None:
        """Be found by nobody from now on."""
        if self._site is not None:
            await self._site.stop()

    async def fetch(self, url: str) -> bool:
        """Fetch what an order links to, and tell whether it is there."""
        if self.fetched is None:
            return True
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            if answer.status == 200:
                self.fetched[url] = await answer.read()
            return answer.status == 200

    def plan(self, route: str, **how: Any) -> None:
        self._troubles.append(Trouble(route=route, **how))

    def asked(self, route: str) -> list[Exchange]:
        return [one for one in self.exchanges if one.route == route]

    def on(self, route: str, work: Work) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.read()
            trouble = next((t for t in self._troubles if t.route == route and t.times > 0), None)
            if trouble is None:
                answer = await work(request, body)
                self._note(route, request, body, answer, planned=False)
                return answer
            trouble.times -= 1
            return await self._misfortune(trouble, request, body, work)

        return handle

    async def _misfortune(self, trouble: Trouble, request: web.Request, body: bytes, work: Work) -> web.StreamResponse:
        if trouble.after:
            await work(request, body)
        if trouble.hang:
            await self._open.wait()
        if trouble.half:
            whole = await work(request, body)
            half = web.StreamResponse(headers={"Content-Length": str(len(whole.body))})
            await half.prepare(request)
            await half.write(whole.body[: len(whole.body) // 2])
            request.transport.abort()
            return half
        if trouble.status is None and trouble.text is None and request.transport is not None:
            request.transport.abort()
        text = "planned" if trouble.text is None else trouble.text
        answer = web.Response(status=trouble.status or 200, text=text, headers=trouble.headers)
        self._note(trouble.route, request, body, answer, planned=True)
        return answer

    def _note(self, route: str, request: web.Request, body: bytes, answer: web.Response, *, planned: bool) -> None:
        self.exchanges.append(
            Exchange(
                route=route,
                method=request.method,
                path=request.path,
                query=dict(request.query),
                request=_json(body),
                status=answer.status,
                answer=_json(answer.body),
                planned=planned,
            )
        )


def _json(body: Any) -> Any:
    try:
        return json.loads(body)
    except (ValueError, TypeError):
        return None
