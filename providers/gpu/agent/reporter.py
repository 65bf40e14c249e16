"""Owns the heartbeat: tells the bot every few seconds how far the work is, and hears whether it is to stop."""

from __future__ import annotations

import os
import threading

from providers.gpu.agent.job import Progress
from providers.gpu.agent.machine import say
from providers.gpu.agent.transport import NotWanted, Transport, Unreachable


class Reporter:
    """A thread beside the work; reads no clock but its own pauses, and fails at nothing."""

    def __init__(self, transport: Transport, *, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._progress = Progress(phase="getting ready")
        self._parent = os.getppid()
        self._end = threading.Event()
        self._stop = threading.Event()
        self._unwanted = threading.Event()
        self._silent = False
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Begin to report."""
        self._thread.start()

    def close(self) -> None:
        """Report no more."""
        self._end.set()
        self._thread.join(60)

    def tell(self, progress: Progress) -> None:
        """Take what the next report says."""
        self._progress = progress

    @property
    def stopped(self) -> bool:
        """Tell whether the bot wants the work to stop."""
        return self._stop.is_set()

    @property
    def unwanted(self) -> bool:
        """Tell whether the job is no longer ours."""
        return self._unwanted.is_set()

    def over(self) -> bool:
        """Tell whether there is any reason to end the work early."""
        return self.stopped or self.unwanted

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the work is wanted."""
        self._unwanted.wait(seconds)

    def _run(self) -> None:
        while not self._end.is_set():
            self.beat()
            self._end.wait(self._seconds)

    def beat(self) -> None:
        """Report once."""
        if os.getppid() != self._parent:
            # Whoever would end the machine after us is dead, so nobody can want this any more.
            self._unwanted.set()
            return
        try:
            if self._transport.report({"progress": self._progress.as_json()}):
                self._stop.set()
        except NotWanted:
            self._unwanted.set()
        except Unreachable as error:
            if not self._silent:
                say(f"the bot can't be reached ({error}); the work goes on")
            self._silent = True
        else:
            self._silent = False
