"""Owns what a bench is: how the contract suite meets one adapter; never what an adapter must do (see test_contract.py).

A new adapter joins the suite with one Bench subclass, registered in benches.py.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from providers.base import ImageOrder, Prepared, RemoteState, Snapshot, TrainingOrder

#: In every order of every bench; must never be seen in a log.
TRIGGER_WORD = "zxqfox"
PROMPT = "a secret garden at midnight"

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
ENDED = {RemoteState.SUCCEEDED, RemoteState.FAILED, RemoteState.CANCELED, RemoteState.EXPIRED, RemoteState.LOST}


#: What the Retry-After of RATE_LIMITED says.
RETRY_AFTER = 7.0


class Fault(StrEnum):
    """What a provider can do wrong, once, at the next call that it fits."""

    UNREACHABLE = "the paid call finds nobody"
    BAD_KEY = "the paid call is answered that the key is wrong"
    NO_CREDIT = "the paid call is answered that there is no credit"
    REFUSED = "the paid call is answered that the input is wrong, repeating prompt and trigger word"
    RATE_LIMITED = "the paid call is answered 429 with Retry-After"
    BROKEN_AFTER_ACCEPTING = "the paid call is accepted and answered 500"
    SILENT_AFTER_ACCEPTING = "the paid call is accepted and not answered in time"
    CUT_AFTER_ACCEPTING = "the paid call is accepted and its connection reset"
    UNREADABLE_AFTER_ACCEPTING = "the paid call is accepted and answered with what is not JSON"
    BUSY_READ = "a read is answered 503"
    UNKNOWN_STATUS = "a job has a status that no documentation knows"
    TRUNCATED_DOWNLOAD = "a result is cut off on its way"


class Bench(ABC):
    """One adapter with a provider to talk to, real or played."""

    #: Faults, and names of tests from `test_contract_` on, that mean nothing for this adapter, with the reason.
    not_applicable: ClassVar[Mapping[str, str]] = {}
    #: What no log, error or repr may hold, beside the prompt and the trigger word.
    secrets: Sequence[str] = ()

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

    async def inject(self, fault: Fault) -> None:
        """Make the provider do this wrong, once."""
        raise NotImplementedError

    @property
    def accepted_jobs(self) -> int:
        """Tell how many paid calls the provider has accepted."""
        raise NotImplementedError

    def webhook(self, remote_id: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a message that the provider would send about this job now."""
        raise NotImplementedError

    @abstractmethod
    def check_output(self, output: Any, order: TrainingOrder | ImageOrder, into: Path) -> None:
        """Assert that a result is what was ordered."""


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something outside this process, which has no event to wait for."""
    async with asyncio.timeout(40):
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
