"""Owns the bot's own HTTP server: which routes there are and where they listen; what a route does is its module's."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from bot.store import jobs as rows
from bot.store.database import Database
from bot.web.agent import AgentRoutes
from bot.web.files import SignedFiles
from bot.web.webhooks import Webhooks

log = logging.getLogger(__name__)

#: No provider's webhook is larger; what machines deliver has limits of its own.
MOST_BODY_BYTES = 4 * 1024 * 1024
#: Seconds that answers under way get at a stop; whoever is cut off goes on later where it was.
SHUTDOWN_SECONDS = 1.0


def build_site(*, database: Database, files: SignedFiles, webhooks: Webhooks, agents: AgentRoutes) -> web.Application:
    """Return the application with all its routes."""

    async def health(_request: web.Request) -> web.StreamResponse:
        try:
            async with database.begin() as connection:
                under_way = await rows.count_under_way(connection)
        except SQLAlchemyError:
            log.exception("the database does not answer")
            return web.json_response({"ok": False, "database": "does not answer"}, status=503)
        return web.json_response({"ok": True, "jobs_under_way": under_way})

    site = web.Application(client_max_size=MOST_BODY_BYTES)
    site.router.add_get("/files/{token}/{name}", files.serve)
    site.router.add_post("/webhooks/{provider}", webhooks.take)
    site.router.add_get("/health", health)
    agents.join(site)
    return site


@asynccontextmanager
async def serving(site: web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve the application and yield the port that it got; 0 asks the system for a free one."""
    # No access log: its lines would hold signed links.
    runner = web.AppRunner(site, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
