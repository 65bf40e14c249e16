"""Owns what we think of each provider's health: lost after several failures in a row, back after one success.

It tells a dead provider from a dead job: one line in the log when a provider is lost, one when it is back, and a note
on the cards of its jobs meanwhile. It is an opinion made from what jobs met, so a restart may forget it.
"""

import logging
from dataclasses import dataclass, field

from bot.events import JobChanged, News, ProviderTrouble
from bot.store import jobs as rows
from bot.store.database import Database

log = logging.getLogger(__name__)

#: Failures in a row, over all jobs of a provider, after which it counts as lost.
THRESHOLD = 3


@dataclass(kw_only=True)
class Circuits:
    """The health of all providers."""

    database: Database
    news: News
    _failures: dict[str, int] = field(default_factory=dict)
    #: Those that have worked since the start; what was said of the others before it may stand somewhere.
    _proven: set[str] = field(default_factory=set)

    def lost(self, provider: str) -> bool:
        """Tell whether a provider is out of reach now."""
        return self._failures.get(provider, 0) >= THRESHOLD

    async def failed(self, provider: str, reason: str) -> None:
        """Count a failure that is the provider's and no job's."""
        self._failures[provider] = self._failures.get(provider, 0) + 1
        if self._failures[provider] == THRESHOLD:
            log.warning("%s is lost: %s", provider, reason)
            self.news.warn_operator(ProviderTrouble(provider=provider, lost=True))
            await self._redraw(provider)

    async def worked(self, provider: str) -> None:
        """Forget the failures: it has answered."""
        was_lost = self.lost(provider)
        self._failures.pop(provider, None)
        if was_lost or provider not in self._proven:
            self._proven.add(provider)
            self.news.warn_operator(ProviderTrouble(provider=provider, lost=False))
        if was_lost:
            log.warning("%s is back", provider)
            await self._redraw(provider)

    async def _redraw(self, provider: str) -> None:
        async with self.database.begin() as connection:
            touched = await rows.touch_live(connection, provider)
        for job_id in touched:
            self.news.publish(JobChanged(job_id=job_id))
