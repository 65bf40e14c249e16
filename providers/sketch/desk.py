"""Owns how the work on an order tells where it is and hears that it should stop; never does any of the work."""

import time
from dataclasses import replace

from providers.sketch.order_folder import FolderGone, OrderFolder, WorkerProgress
from providers.wording import Sentence


class Canceled(Exception):
    """The order is to be stopped."""


class Desk:
    """How the work tells where it is, and hears that it should stop.

    Args:
        order: The order that is worked on.
    """

    def __init__(self, order: OrderFolder) -> None:
        self._order = order
        self._said = order.progress()
        self._began: tuple[float, int] | None = None

    def say(self, phase: str, step: int, total: int, loss: float | None = None) -> None:
        """Tell where the work is.

        Raises:
            Canceled: the order is to be stopped.
            FolderGone: nobody waits for the result.
        """
        self.listen()
        began, first = self._began = self._began or (time.monotonic(), step)
        pace = (time.monotonic() - began) / (step - first) if step > first else None
        eta = None if pace is None else round(pace * (total - step), 1)
        # A successor repeats a little of what was done; for people the work only moves forward.
        step = max(step, self._said.step)
        self._tell(WorkerProgress(state="running", phase=phase, step=step, total=total, loss=loss, eta_seconds=eta))

    def listen(self) -> None:
        """Raise Canceled or FolderGone when the work is to stop."""
        if not self._order.submitted:
            raise FolderGone
        if self._order.cancel_asked:
            raise Canceled

    def end(self, state: str, why: Sentence | None = None) -> None:
        """Tell that the work is over."""
        failure, values = (why.template, why.values) if why else (None, {})
        self._tell(replace(self._said, state=state, failure=failure, values=values, eta_seconds=None))

    def crash(self, why: Sentence) -> None:
        """Leave a sentence in case that no successor does better."""
        self._tell(replace(self._said, failure=why.template, values=why.values))

    def _tell(self, progress: WorkerProgress) -> None:
        self._order.write_progress(progress)
        self._said = progress
