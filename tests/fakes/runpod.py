"""The stand-in for RunPod as tests need it: with a record, planned misfortunes, and pods that misbehave."""

from typing import Any

from aiohttp import web

from playground.runpod import ENDPOINT, GPUS, KEY, Pod, RunPodStandIn
from tests.fakes.faulty import FaultyServer

__all__ = ["ENDPOINT", "GPUS", "KEY", "FakeRunPod", "Pod"]


class FakeRunPod(FaultyServer, RunPodStandIn):
    def __init__(self, **how: Any) -> None:
        FaultyServer.__init__(self)
        RunPodStandIn.__init__(self, **how)
        #: No pod ever gets a host.
        self.hostless = False
        #: What is billed an hour instead of the catalogue's price.
        self.billed: float | None = None

    def routes(self, app: web.Application) -> None:
        RunPodStandIn.routes(self, app)

    async def __aexit__(self, *how: object) -> None:
        await self.clear()
        await FaultyServer.__aexit__(self, *how)

    def has_room(self, pod: Pod) -> bool:
        return not self.hostless

    def rate(self, wanted: dict[str, Any]) -> float:
        return super().rate(wanted) if self.billed is None else self.billed
