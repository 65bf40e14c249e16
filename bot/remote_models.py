"""Owns the deletion of models at the providers that trained them; never touches what is here.

A deleted model is due here from the transaction that deletes it, so a process that dies in between forgets nothing.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from bot.clock import Clock
from bot.lora import Lora
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.database import Database
from bot.texts import _, told
from providers.base import KeepsModels
from providers.errors import ProviderError
from providers.registry import Registry

log = logging.getLogger(__name__)

#: Seconds between two looks for copies that are due.
ROUND_SECONDS = 300.0
#: Rests between two tries for one copy; after the last one it is given up, with a line in the log.
RESTS = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), *[timedelta(days=1)] * 5)


class RemoteModels:
    """Deletes providers' copies."""

    def __init__(self, *, database: Database, registry: Registry, clock: Clock) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock

    async def run(self) -> None:
        """Delete copies that are due, now and every five minutes, until cancelled."""
        while True:
            await self.make_round()
            await asyncio.sleep(ROUND_SECONDS)

    async def make_round(self) -> None:
        """Try all copies that are due."""
        async with self._database.begin() as connection:
            due = await rows.to_forget(connection, at=self._clock.now())
        for lora, tries in due:
            await self._try(lora, tries)

    async def forget_now(self, lora: Lora) -> str | None:
        """Delete the copy of a model that was just deleted; a sentence for people when it is not gone yet.

        It is tried again by itself.
        """
        return await self._try(lora, 0)

    async def _try(self, lora: Lora, tries: int) -> str | None:
        left = await self.forget(lora)
        rest = RESTS[tries] if left is not None and tries < len(RESTS) else None
        if left is not None and rest is None:
            log.error("the provider's copy of model %s is given up: %s", lora.id, left)
        async with self._database.begin() as connection:
            next_at = None if rest is None else self._clock.now() + rest
            await rows.forget_again(connection, lora.id, at=next_at)
        return left

    async def forget(self, lora: Lora) -> str | None:
        """Delete the provider's copy of a model, if it keeps one; a sentence for people when that cannot be done."""
        async with self._database.begin() as connection:
            job = await job_rows.get(connection, lora.job_id or "")
        if job is None:
            return None
        trainer = self._registry.trainers.get(job.provider)
        if trainer is None:
            return _("**{model}** was trained at `{provider}`, which is no longer set up here.").format(
                model=lora.name, provider=job.provider
            )
        if not isinstance(trainer, KeepsModels):
            return None
        try:
            await trainer.forget_model(lora.facts)
        except ProviderError as error:
            log.warning("%s keeps a copy of model %s: %s", job.provider, lora.id, error)
            return _("{provider} did not delete its copy of **{model}**: {reason}").format(
                provider=trainer.title, model=lora.name, reason=told(error.message, error.values)
            )
        return None

    async def forget_all(self, person_id: int) -> Sequence[str]:
        """Delete the copies of all models that a person ever had; the sentences about what could not be done."""
        async with self._database.begin() as connection:
            theirs = await rows.ever_of(connection, person_id)
        reasons = [await self.forget(lora) for lora in theirs]
        return [reason for reason in reasons if reason]
