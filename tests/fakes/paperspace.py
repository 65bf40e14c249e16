"""The stand-in for Paperspace as tests need it: with a record, planned misfortunes, and machines that misbehave."""

from typing import Any

from aiohttp import web

from playground.paperspace import KEY, TEMPLATE, PaperspaceStandIn, Rented
from tests.fakes.faulty import FaultyServer

__all__ = ["KEY", "TEMPLATE", "FakePaperspace", "Rented"]


class FakePaperspace(FaultyServer, PaperspaceStandIn):
    def __init__(self, **how: Any) -> None:
        FaultyServer.__init__(self)
        PaperspaceStandIn.__init__(self, **how)
        #: No machine ever gets a host.
        self.hostless = False

    def routes(self, app: web.Application) -> None:
        PaperspaceStandIn.routes(self, app)

    async def __aexit__(self, *how: object) -> None:
        await self.clear()
        await FaultyServer.__aexit__(self, *how)

    def has_room(self, rented: Rented) -> bool:
        return not self.hostless
