"""A server on localhost that plays somebody else's API: listening, and what stands before every route."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

Work = Callable[[web.Request, bytes], Awaitable[web.Response]]


class StandIn:
    """Plays while the `async with` block runs; subclasses add their routes by `on`."""

    def __init__(self) -> None:
        self.url = ""
        self._runner: web.AppRunner | None = None

    def routes(self, app: web.Application) -> None:
        """Add the routes."""
        raise NotImplementedError

    def on(self, route: str, work: Work) -> Any:
        """Return a handler that does this work; `route` is its name, for those who watch."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await work(request, await request.read())

        return handle

    async def __aenter__(self) -> Self:
        app = web.Application()
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.clear()
        if self._runner is not None:
            await self._runner.cleanup()

    async def clear(self) -> None:
        """End whatever it started."""
