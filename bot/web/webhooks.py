"""Owns what happens to word from a provider: verified, taken once, a reason to poll at once; never the truth."""

import logging
from collections.abc import Mapping

from aiohttp import web
from sqlalchemy.exc import IntegrityError

from bot.clock import Clock
from bot.events import JobChanged, News
from bot.store import jobs as rows
from bot.store import webhooks as deliveries
from bot.store.database import Database
from providers.base import HearsWebhooks
from providers.errors import ProviderError

log = logging.getLogger(__name__)


class Webhooks:
    """Takes what providers send to `/webhooks/<provider>`."""

    def __init__(self, *, database: Database, clock: Clock, news: News, listeners: Mapping[str, HearsWebhooks]) -> None:
        self._database = database
        self._clock = clock
        self._news = news
        self._listeners = listeners

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Answer a delivery: 204 when it is fine or was heard before, 401 when it is not surely the provider's."""
        listener = self._listeners.get(request.match_info["provider"])
        if listener is None:
            raise web.HTTPNotFound
        body = await request.read()
        try:
            hint = await listener.parse_webhook(request.headers, body)
        except ProviderError as error:
            log.warning("a webhook for %s was refused: %s", request.match_info["provider"], error)
            raise web.HTTPUnauthorized from error
        await self._hear(request.match_info["provider"], hint.delivery_id, hint.remote_id)
        return web.Response(status=204)

    async def _hear(self, provider: str, delivery_id: str, remote_id: str) -> None:
        now = self._clock.now()
        try:
            async with self._database.begin() as connection:
                await deliveries.insert(connection, provider=provider, delivery_id=delivery_id, at=now)
                job_id = await rows.hurry(connection, provider=provider, remote_id=remote_id, at=now)
        except IntegrityError:
            log.debug("a webhook of %s came twice", provider)
            return
        if job_id is not None:
            self._news.publish(JobChanged(job_id=job_id, due=True))
