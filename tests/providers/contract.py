"""Owns what a bench is: how the contract suite meets one adapter; never what an adapter must do (see test_contract.py).

A new adapter joins the suite with one Bench subclass, registered in benches.py.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.base import ImageOrder, Prepared, RemoteState, Snapshot, TrainingOrder

#: In every order of every bench; must never be seen in a log.
TRIGGER_WORD = "zxqfox"
PROMPT = "a secret garden at midnight"

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
ENDED = {RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELED, RemoteState.EXPIRED, RemoteState.LOST}


class Bench(ABC):
    """One adapter with a provider to talk to, real or played."""

    def __init__(self, tmp_path: Path) -> None:
        self.tmp_path = tmp_path

    async def start(self) -> None:  # noqa: B027 - a bench without a server has nothing to start
        """Start what plays the provider."""

    async def stop(self) -> None:  # noqa: B027 - as above
        """Leave nothing running."""

    @abstractmethod
    def make_adapter(self) -> Any:
        """Return a fresh adapter that speaks to the same provider, as a bot does after a restart."""

    @abstractmethod
    def make_order(self, marker: str) -> TrainingOrder | ImageOrder:
        """Return a small order."""

    @abstractmethod
    def make_long_order(self, marker: str) -> TrainingOrder | ImageOrder:
        """Return an order that takes long enough to be stopped halfway."""

    @abstractmethod
    def unfit_orders(self) -> Sequence[TrainingOrder | ImageOrder]:
        """Return orders that the adapter must refuse before anything is accepted."""

    @abstractmethod
    def busy(self) -> AbstractContextManager[None]:
        """Keep the provider busy, so that jobs stay in its queue."""

    @abstractmethod
    def check_output(self, output: Any, order: TrainingOrder | ImageOrder, into: Path) -> None:
        """Assert that a result is what was ordered."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something outside this process, which has no event to wait for."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def snapshots(adapter: Any, remote_id: str, prepared: Prepared) -> AsyncIterator[Snapshot]:
    """Yield looks at a job until it has ended."""
    async with asyncio.timeout(60):
        while True:
            seen = await adapter.poll(remote_id, prepared)
            yield seen
            if seen.state in ENDED:
                return
            await asyncio.sleep(0.02)


async def wait_for(adapter: Any, remote_id: str, prepared: Prepared, *states: RemoteState) -> Snapshot:
    """Poll until the job is in one of these states, by default until it has ended."""
    async for seen in snapshots(adapter, remote_id, prepared):
        if seen.state in (states or ENDED):
            return seen
    raise AssertionError(f"ended without reaching {states}")
