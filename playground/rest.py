"""The REST server's frame: routes, bodies, tokens, faults, rate limits and the record of every exchange.

What a route does stands in the `rest_*` modules.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web

from playground import errors
from playground.errors import ApiError
from playground.faults import Fault, Faults, When
from playground.limits import SentFile, check_files
from playground.ratelimits import Allowance, Limiter

Json = dict[str, Any]
PREFIX = "/api/v10"
_MAJOR = ("channel_id", "guild_id", "webhook_token")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """Hold one parsed request; `names` are the parts of the path, ids and tokens."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    payload: Any
    files: dict[int, SentFile]

    def id(self, name: str) -> int:
        """Give an id of the path; what is not a number is no id of ours."""
        text = self.names[name]
        return int(text) if text.isdigit() else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """Hold one request and its answer. `planned` marks an answer that a fault gave; status 0 is a cut connection."""

    method: str
    path: str
    query: dict[str, str]
    request: Any
    files: tuple[SentFile, ...] = field(repr=False)
    status: int
    answer: Any
    planned: bool = False
    at: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """Hold an answer; without a body it is empty."""

    status: int = 200
    body: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """Hold one route; `public` ones carry their token in the path."""

    method: str
    path: str
    handler: Callable[[Call], Reply]
    public: bool = False


class RestServer:
    """Answer requests below `/api/v10` and remember them in `exchanges`."""

    def __init__(self, *, token: str, limiter: Limiter, faults: Faults, told: Callable[[], None]) -> None:
        self.token, self.limiter, self.faults = token, limiter, faults
        self._told = told
        self.exchanges: list[Exchange] = []
        self._routes: list[tuple[Route, re.Pattern[str]]] = []

    def add(self, routes: list[Route]) -> None:
        """Take on routes; the first that fits a path answers."""
        for route in routes:
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(route.path))
            self._routes.append((route, re.compile(pattern)))

    def requests(self, method: str = "*", path: str = "*") -> list[Exchange]:
        """List what was asked, oldest first, by method and glob pattern of the path."""
        return [e for e in self.exchanges if fnmatchcase(e.method, method) and fnmatchcase(e.path, path)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path.removeprefix(PREFIX)
        try:
            payload, files = await _body(request)
        except ValueError:
            body = json.dumps(errors.invalid_json().body()).encode()
            return web.Response(status=400, body=body, headers={"Content-Type": "application/json"})
        fault = self.faults.take(request.method, path)
        if fault is not None and fault.gate is not None and fault.when is When.BEFORE:
            fault.arrived.set()
            await fault.gate.wait()
        route, names = self._find(request.method, path)
        major = next((names[name] for name in _MAJOR if name in names), "")
        allowance = self.limiter.count(f"{request.method} {route.path if route else path}", major)
        replaced = fault is not None and fault.gate is None and fault.when is When.BEFORE
        call = Call(names=names, query=request.query, payload=payload, files=files)
        key = request.headers.get("Authorization")
        reply = Reply(status=0) if replaced else self._reply(key, route, call, allowance)
        if fault is not None and fault.gate is not None and fault.when is When.AFTER:
            fault.arrived.set()
            await fault.gate.wait()
        planned = fault is not None and fault.gate is None
        if planned and fault is not None:
            reply = Reply(status=fault.status or 0, body=fault.body)
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=path,
                query=dict(request.query),
                request=payload,
                files=tuple(files.values()),
                status=reply.status,
                answer=reply.body,
                planned=planned,
                at=self.limiter.clock.time(),
            )
        )
        # A request that was refused changes nothing else, and may be what somebody waits for.
        self._told()
        return _respond(request, reply, allowance, fault if planned else None)

    def _find(self, method: str, path: str) -> tuple[Route | None, dict[str, str]]:
        for route, pattern in self._routes:
            if route.method == method and (match := pattern.fullmatch(path)):
                return route, match.groupdict()
        return None, {}

    def _reply(
        self,
        authorization: str | None,
        route: Route | None,
        call: Call,
        allowance: Allowance,
    ) -> Reply:
        try:
            if route is None:
                raise errors.not_found()
            if not route.public and authorization != f"Bot {self.token}":
                raise errors.unauthorized()
            if allowance.retry_after is not None:
                wait = {"retry_after": round(allowance.retry_after, 3), "global": False, "code": 0}
                return Reply(status=429, body={"message": "You are being rate limited.", **wait})
            check_files(call.files)
            return route.handler(call)
        except ApiError as error:
            return Reply(status=error.status, body=error.body() | _wait_of(error))


def _wait_of(error: ApiError) -> Json:
    return {"retry_after": 6.0, "global": False} if error.status == 429 else {}


async def _body(request: web.Request) -> tuple[Any, dict[int, SentFile]]:
    """Read JSON, or multipart with `payload_json` and `files[n]`."""
    if not request.content_type.startswith("multipart/"):
        text = await request.text()
        return (json.loads(text) if text else {}), {}
    payload: Any = {}
    files: dict[int, SentFile] = {}
    async for part in await request.multipart():
        name = getattr(part, "name", "") or ""
        data = bytes(await part.read())  # type: ignore[union-attr]  # nested multipart is not in Discord's API
        if name == "payload_json":
            payload = json.loads(data)
        elif match := re.fullmatch(r"files\[(\d+)\]", name):
            files[int(match[1])] = SentFile(filename=getattr(part, "filename", "") or "unknown", data=data)
    return payload, files


def _respond(request: web.Request, reply: Reply, allowance: Allowance, fault: Fault | None) -> web.StreamResponse:
    """Write the answer. The content type carries no charset: discord.py compares it for equality."""
    if reply.status == 0 and request.transport is not None:
        request.transport.abort()
        return web.Response(status=500)
    headers = {**allowance.headers(), "Via": "1.1 google"}
    if reply.status == 429 and fault is None:
        headers["Retry-After"] = str(max(1, round(float(reply.body["retry_after"]))))
    if fault is not None:
        headers |= fault.headers
        if not fault.via:
            del headers["Via"]
    if reply.body is None:
        return web.Response(status=reply.status, headers=headers)
    headers["Content-Type"] = "application/json"
    return web.Response(status=reply.status, body=json.dumps(reply.body).encode(), headers=headers)
