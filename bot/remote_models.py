"""Owns the deletion of models at the providers that trained them; never touches what is here."""

import logging
from collections.abc import Sequence

from bot.lora import Lora
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.database import Database
from bot.texts import _
from providers.base import KeepsModels
from providers.errors import ProviderError
from providers.registry import Registry

log = logging.getLogger(__name__)


class RemoteModels:
    """Deletes providers' copies."""

    def __init__(self, *, database: Database, registry: Registry) -> None:
        self._database = database
        self._registry = registry

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
                provider=trainer.title, model=lora.name, reason=error
            )
        return None

    async def forget_all(self, person_id: int) -> Sequence[str]:
        """Delete the copies of all models that a person ever had; the sentences about what could not be done."""
        async with self._database.begin() as connection:
            theirs = await rows.ever_of(connection, person_id)
        reasons = [await self.forget(lora) for lora in theirs]
        return [reason for reason in reasons if reason]
