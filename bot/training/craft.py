"""Owns what differs between the kinds of jobs, as the rails see it; the two crafts live beside it."""

from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.training.job import Job
from providers.base import Adapter, AdapterCapabilities


class JobAdapter(Adapter[Any, Any], Protocol):
    """An adapter of whatever kind, as far as the rails care."""

    @property
    def capabilities(self) -> AdapterCapabilities:
        """Return what it declares about its jobs."""
        ...


class Craft(Protocol):
    """How one kind of job is ordered and its result kept."""

    def adapter(self, job: Job) -> JobAdapter:
        """Return the adapter that the job was given to.

        Raises:
            CannotServe: it is no longer set up here.
        """
        ...

    async def order(self, job: Job) -> Any:
        """Return what the adapter is told; the same for the same job, also after a restart.

        Raises:
            BotError: what it is made of is gone.
        """
        ...

    async def bring_home(self, job: Job, output: Any) -> Any:
        """Copy what the adapter collected to where it stays, under keys made of the job's id; may run again.

        The answer goes to `keep`.
        """
        ...

    async def keep(self, connection: AsyncConnection, job: Job, brought: Any) -> None:
        """Write the rows of the result, in the transaction that ends the job."""
        ...

    async def ended(self, connection: AsyncConnection, job: Job) -> None:
        """Write what else changes when the job ends, whichever way, in that transaction."""
        ...

    async def elsewhere(self, job: Job) -> Job | None:
        """Return the job as another provider would do it, for no more than was set aside; None when there is none."""
        ...

    def workspace(self, job: Job) -> Path:
        """Return the job's own scratch folder, removed after its end."""
        ...
