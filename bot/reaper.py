"""Owns the end of machines that no job owns: it looks for them, waits a while, and gives them back.

A machine is a job's own while the job lives or is still being cleaned up, and only the one whose id the job has, if it
has one. All others of a job of ours are strays. A machine with our name of which no job here knows may be another bot's
on the same account; it is a stray once it is older than any machine may live.
"""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.clock import Clock
from bot.events import News, StrayFate, StrayMachine
from bot.store import jobs as rows
from bot.store.database import Database
from bot.training.job import Job
from providers.errors import ProviderError
from providers.gpu.box import NAME_PREFIX, OwnedBox, OwnsBoxes
from providers.registry import Registry

log = logging.getLogger(__name__)

#: Seconds between two rounds.
ROUND_SECONDS = 300.0
#: How long a machine has to be a stray before it goes: its job may be cleaning up after itself just now.
GRACE = timedelta(minutes=10)
#: Agents end their machine after six hours at most, whoever's they are.
NOBODYS_AFTER = timedelta(hours=7)


@dataclass(kw_only=True)
class Reaper:
    """Looks after what this bot rented."""

    database: Database
    registry: Registry
    clock: Clock
    news: News
    #: When each stray was first met, by provider and id; forgotten by a restart, which only prolongs the grace.
    _met: dict[tuple[str, str], datetime] = field(default_factory=dict)
    #: What the operator was told already.
    _told: set[tuple[str, str, StrayFate]] = field(default_factory=set)

    async def run(self) -> None:
        """Make a round now and then one every few minutes until cancelled."""
        while True:
            await self.make_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def make_round(self) -> int:
        """Look everywhere and return how many machines were given back."""
        gone = 0
        for name, owner in self.registry.box_owners.items():
            try:
                # Before the rows are read: a machine's row is always older than the machine.
                boxes = await owner.list_owned()
            except ProviderError as error:
                log.info("%s can't list its machines now: %s", name, error)
                continue
            strays = [box for box in boxes if await self._is_stray(name, box)]
            self._forget_others(name, strays)
            for box in strays:
                gone += await self._see_to(name, owner, box)
        return gone

    async def _is_stray(self, provider: str, box: OwnedBox) -> bool:
        job = await self._job_of(box)
        if job is None or job.provider != provider:
            return True
        over = job.state.terminal and job.cleaned
        return over or job.remote_id not in {None, box.id}

    async def _job_of(self, box: OwnedBox) -> Job | None:
        async with self.database.begin() as connection:
            return await rows.get(connection, box.name.removeprefix(NAME_PREFIX))

    async def _see_to(self, provider: str, owner: OwnsBoxes, box: OwnedBox) -> int:
        now = self.clock.now()
        met = self._met.setdefault((provider, box.id), now)
        if await self._job_of(box) is None and now - box.created_at < NOBODYS_AFTER:
            self._tell(provider, owner, box, StrayFate.LEFT_ALONE)
            return 0
        if now - met < GRACE:
            return 0
        try:
            await owner.destroy(box.id)
        except ProviderError as error:
            log.warning("a machine that no job owns can't be given back: %s", error)
            self._tell(provider, owner, box, StrayFate.STAYS)
            return 0
        self._tell(provider, owner, box, StrayFate.DESTROYED)
        return 1

    def _tell(self, provider: str, owner: OwnsBoxes, box: OwnedBox, fate: StrayFate) -> None:
        if (provider, box.id, fate) in self._told:
            return
        self._told.add((provider, box.id, fate))
        log.warning("%s has the machine %s (%s), which no job owns: %s", owner.title, box.id, box.name, fate)
        self.news.warn_operator(StrayMachine(provider=owner.title, name=box.name, box_id=box.id, fate=fate))

    def _forget_others(self, provider: str, strays: list[OwnedBox]) -> None:
        ids = {box.id for box in strays}
        self._met = {key: met for key, met in self._met.items() if key[0] != provider or key[1] in ids}
        self._told = {told for told in self._told if told[0] != provider or told[1] in ids}
