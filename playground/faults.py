"""Planned misfortune for REST requests: wrong answers, cut connections, delays. The REST server carries it out."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

Json = dict[str, Any]


class When(StrEnum):
    """Say whether the request still has its effect."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(kw_only=True, eq=False)
class Fault:
    """Hold one kind of misfortune; without a status the connection is reset. `left` counts down to 0."""

    method: str
    path: str
    left: int
    when: When
    status: int | None = None
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    via: bool = True
    gate: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Let a held request go on, and all later ones."""
        if self.gate is not None:
            self.left = 0
            self.gate.set()


class Faults:
    """Own the planned misfortunes; paths are glob patterns below the API's base, such as `/channels/*/messages`."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def answer(
        self,
        status: int,
        *,
        method: str = "*",
        path: str = "*",
        times: int = 1,
        when: When | str = When.BEFORE,
        body: Json | None = None,
    ) -> Fault:
        """Answer with a status, before or after the request has had its effect."""
        default = {"message": f"{status}: planned", "code": 0}
        return self._plan(method, path, times, When(when), status=status, body=default if body is None else body)

    def rate_limit(
        self, retry_after: float, *, method: str = "*", path: str = "*", times: int = 1, via: bool = True, code: int = 0
    ) -> Fault:
        """Answer 429; without the Via header it looks like a ban by Cloudflare."""
        body = {"message": "You are being rate limited.", "retry_after": retry_after, "global": False, "code": code}
        headers = {"Retry-After": str(max(1, round(retry_after))), "X-RateLimit-Scope": "user"}
        return self._plan(method, path, times, When.BEFORE, status=429, body=body, headers=headers, via=via)

    def reset(self, *, method: str = "*", path: str = "*", times: int = 1, when: When | str = When.BEFORE) -> Fault:
        """Cut the connection, before or after the request has had its effect."""
        return self._plan(method, path, times, When(when))

    def hold(self, *, method: str = "*", path: str = "*", times: int = 1, when: When | str = When.BEFORE) -> Fault:
        """Hold requests until `release` is called on what this gives; `arrived` is set when one is held."""
        return self._plan(method, path, times, When(when), gate=asyncio.Event())

    def clear(self) -> None:
        """Plan nothing any more and let go what is held."""
        planned, self._planned = self._planned, []
        for fault in planned:
            fault.release()

    def take(self, method: str, path: str) -> Fault | None:
        """Give the misfortune that strikes this request, if any, and count it."""
        for fault in self._planned:
            if fault.left > 0 and fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                fault.left -= 1
                return fault
        return None

    def _plan(self, method: str, path: str, times: int, when: When, **more: Any) -> Fault:
        fault = Fault(method=method, path=path, left=times, when=when, **more)
        self._planned.append(fault)
        return fault
