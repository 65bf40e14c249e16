"""The stand-in of the playground as tests need it: with a record, planned faults, and messages that it signs."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from playground.replicate import TOKEN, Handler, ReplicateStandIn, problem
from playground.replicate_goods import make_delivery, make_lora, make_tar, plain_picture
from playground.replicate_jobs import Job
from playground.replicate_models import FAST_VERSION, GENERATOR_VERSION, TRAINER_VERSION, make_version
from playground.rest import Exchange

__all__ = [
    "FAST_VERSION",
    "GENERATOR_VERSION",
    "OWNER",
    "SECRET",
    "TOKEN",
    "TRAINER_VERSION",
    "FakeReplicate",
    "Job",
    "PaidFault",
    "accepted_and_broken",
    "accepted_and_cut",
    "accepted_and_silent",
    "accepted_and_unreadable",
    "cut",
    "make_delivery",
    "make_lora",
    "make_tar",
    "make_version",
    "planned",
]

SECRET = "whsec_" + base64.b64encode(b"a secret that signs webhooks").decode()
OWNER = "darkroom-tests"

#: Called with the request and what accepts its job.
PaidFault = Callable[[web.Request, Callable[[], None]], Awaitable[web.StreamResponse]]


class FakeReplicate(ReplicateStandIn):
    """Plays Replicate for tests; its pictures are plain."""

    owner = OWNER

    def __init__(self) -> None:
        super().__init__()
        self.exchanges: list[Exchange] = []
        #: Answers for the next paid calls, in place of the right one.
        self.paid_faults: deque[PaidFault] = deque()
        self.read_faults: deque[int] = deque()
        self.next_status: str | None = None
        self.cut_downloads = 0
        self.calls = 0

    def webhook(
        self, remote_id: str, *, delivery: str = "msg_1", at: float | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Sign a message about a job as Replicate does."""
        body = json.dumps(self.jobs[remote_id].told()).encode()
        sent = str(int(time.time() if at is None else at))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{delivery}.{sent}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,b3RoZXI= v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": delivery, "webhook-timestamp": sent, "webhook-signature": signature}, body

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        super()._add_routes(router)
        router.add_get("/v1/webhooks/default/secret", self._secret)

    async def _secret(self, _: web.Request) -> web.Response:
        return web.json_response({"key": SECRET})

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/delivery/"):
            return await handler(request)
        self.calls += 1
        body = await request.json() if request.content_type == "application/json" and request.can_read_body else None
        answer: web.StreamResponse
        if request.method == "GET" and self.read_faults:
            headers = {"Retry-After": "0", "X-Planned": "1"}
            answer = web.json_response({"detail": "busy"}, status=self.read_faults.popleft(), headers=headers)
        else:
            answer = await super().answer(request, handler)
        self._note(request, body, answer, planned="X-Planned" in answer.headers)
        return answer

    def _note(self, request: web.Request, body: Any, answer: web.StreamResponse, *, planned: bool) -> None:
        text = answer.text if isinstance(answer, web.Response) else None
        try:
            told = json.loads(text) if text else None
        except ValueError:
            told = None
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=request.path.removeprefix("/v1"),
                query=dict(request.query),
                request=body,
                files=(),
                status=answer.status,
                answer=told,
                planned=planned,
            )
        )

    async def accept(self, request: web.Request, job: Job) -> web.StreamResponse:
        if self.paid_faults:
            return await self.paid_faults.popleft()(request, lambda: self.book(job))
        return await super().accept(request, job)

    def look(self, job: Job) -> web.Response:
        if self.next_status is not None:
            status, self.next_status = self.next_status, None
            return web.json_response(job.told() | {"status": status}, headers={"X-Planned": "1"})
        return super().look(job)

    def draw(self, job: Job, number: int) -> bytes:
        return plain_picture(int(job.input["seed"]))

    async def deliver(self, request: web.Request, data: bytes, content_type: str) -> web.StreamResponse:
        if not self.cut_downloads:
            return await super().deliver(request, data, content_type)
        self.cut_downloads -= 1
        answer = web.StreamResponse(headers={"Content-Type": content_type, "Content-Length": str(len(data))})
        await answer.prepare(request)
        await answer.write(data[: len(data) // 2])
        cut(request)
        return answer


def cut(request: web.Request) -> None:
    """Reset the connection."""
    assert request.transport is not None
    request.transport.abort()


def planned(status: int, detail: str, headers: dict[str, str] | None = None) -> PaidFault:
    """Make a fault that refuses a paid call."""

    async def refuse(_: web.Request, _accept: Callable[[], None]) -> web.StreamResponse:
        return problem(status, detail, {"X-Planned": "1", **(headers or {})})

    return refuse


async def accepted_and_broken(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    return problem(500, "Internal server error", {"X-Planned": "1"})


async def accepted_and_silent(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    await asyncio.sleep(5)
    return web.Response(status=504, headers={"X-Planned": "1"})


async def accepted_and_cut(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    cut(request)
    return web.Response(status=500, headers={"X-Planned": "1"})


async def accepted_and_unreadable(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    return web.Response(status=201, text="<html>Created</html>", headers={"X-Planned": "1"})
