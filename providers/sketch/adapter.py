"""Owns what Sketch's trainer and image maker have in common: all of a job's life but its order and its output."""

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, ParamSpec, TypeVar

from providers.base import Health, ImageOrder, LossPoint, Prepared, Progress, RemoteState, Snapshot, TrainingOrder
from providers.disk import is_marker
from providers.errors import ArtifactBroken, NotFound, Refused, Unavailable, UnexpectedAnswer
from providers.sketch.order_folder import FolderGone, OrderFolder, WorkerProgress
from providers.sketch.workshop import Workshop

OrderT = TypeVar("OrderT", TrainingOrder, ImageOrder)
OutputT = TypeVar("OutputT")
P = ParamSpec("P")
R = TypeVar("R")

_GONE = "Sketch doesn't have this job (any more)."


class SketchAdapter(ABC, Generic[OrderT, OutputT]):
    """A provider whose jobs are worker processes on this machine.

    Args:
        folder: Where orders are kept until `cleanup`; the trainer and the image maker may share it. Made when needed.
        slots: How many workers compute at once; by default all cores but one.
    """

    #: Names the folder of this kind of orders, and tells a worker what to do.
    kind: str

    def __init__(self, folder: Path, *, slots: int | None = None) -> None:
        self._workshop = Workshop(folder, self.kind, slots)

    @property
    def name(self) -> str:
        """Return the short name."""
        return "sketch"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "Sketch (this machine)"

    async def check(self) -> Health:
        """Tell whether the folder can be written."""
        try:
            await _off_loop(self._workshop.open)
        except Unavailable as error:
            return Health(ok=False, wording=error.sentence)
        return Health(ok=True, wording="Sketch runs on this machine: free, no account needed.")

    async def prepare(self, order: OrderT) -> Prepared:
        """Copy what the order needs, so that it doesn't depend on the caller's files."""
        self._refuse_unfit(order)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name a folder.")
        inputs = self._inputs(order)
        try:
            await _off_loop(self._workshop.prepare, order.marker, inputs)
        except NotFound as error:
            raise Refused("A file that this job needs is missing.", advice="Start it again.") from error
        return {"marker": order.marker}

    async def submit(self, order: OrderT, prepared: Prepared) -> str:
        """Write the order down and start its worker."""
        self._refuse_unfit(order)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name a folder.")
        try:
            await _off_loop(self._workshop.submit, order.marker, self._request(order))
        except NotFound as error:
            raise Refused("This job was not prepared or was cleared up already.", advice="Start it again.") from error
        return order.marker

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look for an order; a marker is never used twice here, so its time doesn't matter."""
        order = await _off_loop(self._workshop.order, marker)
        return None if order is None else marker

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Look at the order, and start its worker again if that has died."""
        return await self._with_order(remote_id, lambda order: _snapshot(self._workshop.look(order), order.curve()))

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Leave word for the worker, which hears it within a step."""
        await self._with_order(remote_id, OrderFolder.ask_cancel)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> OutputT:
        """Copy the results."""

        def gather(order: OrderFolder) -> OutputT:
            if order.progress().state != RemoteState.SUCCEEDED:
                raise Refused("This job has no result to collect.", advice="Wait until it is done.")
            try:
                return self._gather(order, into)
            except (FileNotFoundError, ValueError, KeyError) as error:
                raise ArtifactBroken("Sketch's result is damaged.", advice="Start it again; it is free.") from error

        return await self._with_order(remote_id, gather)

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Remove the order's folder."""
        await _off_loop(self._workshop.remove, remote_id or str(prepared.get("marker", "")))

    @abstractmethod
    def _refuse_unfit(self, order: OrderT) -> None:
        """Raise Refused for an order that can't be done."""

    @abstractmethod
    def _inputs(self, order: OrderT) -> Mapping[str, Path]:
        """Return the files to copy, by the names that the worker knows."""

    @abstractmethod
    def _request(self, order: OrderT) -> Mapping[str, Any]:
        """Return what the worker must know, as plain JSON."""

    @abstractmethod
    def _gather(self, order: OrderFolder, into: Path) -> OutputT:
        """Copy the results of a succeeded order."""

    async def _with_order(self, remote_id: str, action: Callable[[OrderFolder], R]) -> R:
        order = await _off_loop(self._workshop.order, remote_id)
        if order is None:
            raise NotFound(_GONE)
        return await _off_loop(action, order)


async def _off_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run blocking work in a thread; a file system's trouble becomes a provider's."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except (FolderGone, FileNotFoundError) as error:
        raise NotFound(_GONE) from error
    except (ValueError, TypeError) as error:
        advice = "Start it again; it is free."
        raise UnexpectedAnswer("Sketch's notes about this job are damaged.", advice=advice) from error
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        advice = "The operator of this bot has to look at its data folder."
        raise Unavailable(
            "Sketch's folder can't be used ({reason}).", values={"reason": reason}, advice=advice
        ) from error


def _snapshot(progress: WorkerProgress, curve: Sequence[float]) -> Snapshot:
    return Snapshot(
        state=RemoteState(progress.state),
        raw_state=progress.state,
        progress=Progress(
            phase=progress.phase,
            step=progress.step,
            total=progress.total,
            loss=progress.loss,
            eta_seconds=progress.eta_seconds,
        ),
        losses=[LossPoint(step=step, loss=loss) for step, loss in enumerate(curve)],
        failure=progress.why if progress.state == RemoteState.FAILED else None,
        cost_usd=0.0,
    )
