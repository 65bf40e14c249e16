"""Owns the bot's side of the workers: starts them, sees that they live, clears up after them; never computes.

A worker is a process of its own that outlives the bot. It inherits the descriptor that locks its order's folder, so
there is no moment in which two workers could have the same order, and none in which a dead one could look alive.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from providers.disk import is_marker
from providers.sketch.order_folder import OrderFolder, Starts, WorkerProgress
from providers.wording import Sentence

#: Workers in a row that may end without getting on before the order is given up.
_MOST_STARTS = 3
_CRASHED = Sentence(
    "The process that did the work ended three times without a word; perhaps this machine has too little memory."
)
_NOT_STARTED = Sentence("The process that does the work could not be started ({error}).")


def default_slots() -> int:
    """Return how many workers compute at once: all cores but one, which is for the bot."""
    return max(1, (os.cpu_count() or 1) - 1)


class Workshop:
    """The folder with all orders of one kind; its methods block, so call them off the event loop.

    Args:
        folder: Sketch's own folder; trainings and pictures share it.
        kind: Names the orders' folder in it and tells the worker what to do.
        slots: How many workers may compute at once, over all kinds.
    """

    def __init__(self, folder: Path, kind: str, slots: int | None = None) -> None:
        self._folder = folder.absolute()
        self._kind = kind
        self._slots = slots if slots is not None else default_slots()

    @property
    def slots(self) -> int:
        """Return how many workers compute at once."""
        return self._slots

    def open(self) -> None:
        """Make the folders, and clear what an interrupted removal left."""
        (self._folder / "slots").mkdir(parents=True, exist_ok=True)
        orders = self._folder / self._kind
        orders.mkdir(exist_ok=True)
        for left in orders.glob(".removed-*"):
            shutil.rmtree(left, ignore_errors=True)

    def order(self, marker: str) -> OrderFolder | None:
        """Return the folder of an order that exists."""
        if not is_marker(marker):
            return None
        order = OrderFolder(self._folder / self._kind / marker)
        return order if order.submitted else None

    def prepare(self, marker: str, inputs: Mapping[str, Path]) -> None:
        """Copy what an order needs into its folder; what is there already stays."""
        self.open()
        order = OrderFolder(self._folder / self._kind / marker)
        order.inputs.mkdir(parents=True, exist_ok=True)
        order.results.mkdir(exist_ok=True)
        for name, source in inputs.items():
            if not (order.inputs / name).exists():
                part = order.inputs / f".{name}.part"
                shutil.copyfile(source, part)
                part.replace(order.inputs / name)

    def submit(self, marker: str, request: Mapping[str, Any]) -> None:
        """Make the order exist, then start its worker."""
        order = OrderFolder(self._folder / self._kind / marker)
        order.write_request({**request, "kind": self._kind, "slots": self._slots})
        self.look(order)

    def look(self, order: OrderFolder) -> WorkerProgress:
        """Return how far an order is; starts a worker for it when it has none and needs one."""
        progress = order.progress()
        if progress.ended:
            return progress
        lock = order.try_lock()
        if lock is None:
            return order.progress()
        try:
            return self._revive(order, lock)
        finally:
            os.close(lock)

    def remove(self, marker: str) -> None:
        """Remove an order with all its files; a worker that has it notices and ends."""
        path = self._folder / self._kind / marker
        if not is_marker(marker) or not path.exists():
            return
        aside = path.with_name(f".removed-{marker}-{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(FileNotFoundError):
            path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def _revive(self, order: OrderFolder, lock: int) -> WorkerProgress:
        """Decide what becomes of an order that has no worker."""
        progress, starts = order.progress(), order.starts()
        if progress.ended:
            return progress
        if order.cancel_asked:
            return _ended(order, WorkerProgress(state="canceled", phase="canceled", step=progress.step))
        if progress.step > starts.step:
            starts = Starts(count=0, step=progress.step)
        if starts.count >= _MOST_STARTS:
            why = progress.why or _CRASHED
            failed = WorkerProgress(state="failed", phase="", step=progress.step)
            return _ended(order, replace(failed, failure=why.template, values=why.values))
        order.write_starts(Starts(count=starts.count + 1, step=starts.step))
        try:
            _start_worker(order, lock)
        except (OSError, subprocess.SubprocessError) as error:
            # The order exists all the same; the next look starts another worker.
            values = {"error": type(error).__name__}
            progress = replace(progress, failure=_NOT_STARTED.template, values=values)
            order.write_progress(progress)
        return progress


def _ended(order: OrderFolder, progress: WorkerProgress) -> WorkerProgress:
    order.write_progress(progress)
    return progress


def _start_worker(order: OrderFolder, lock: int) -> None:
    """Start a detached worker that holds the lock.

    The process that is started here only forks and ends, which is waited for: the worker is nobody's child, so it is
    not ended with the bot and never a zombie. It gets nothing of the bot's environment, so none of its keys.
    """
    package_root = Path(__file__).parents[2]
    threads = dict.fromkeys(
        ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
    )
    environment = {"PYTHONPATH": str(package_root), "PATH": os.environ.get("PATH", ""), **threads}
    with order.log.open("ab") as log:
        subprocess.run(  # noqa: S603 - our own interpreter and module, and a folder that we named
            [sys.executable, "-P", "-m", "providers.sketch.worker", str(order.path), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
            cwd="/",
            env=environment,
            check=True,
            timeout=60,
        )
