"""Owns one engine's process: started in a group of its own, read byte by byte, ended with all its children."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from select import select

from providers.gpu.agent.engine import Command
from providers.gpu.agent.job import NO_ENGINE, WorkFailed
from providers.gpu.agent.settings import engine_env

TAIL_LINES = 60
LONGEST_LINE = 2_000
#: Seconds between SIGTERM and SIGKILL; engines save nothing on SIGTERM, but their children need a moment.
GRACE_SECONDS = 10.0
#: Seconds that what the process left in its pipe is read, when a child of it keeps the pipe open.
DRAIN_SECONDS = 2.0
_LOOK_SECONDS = 0.25
_CHUNK = 65_536


class Lines:
    """Cuts bytes into lines at newlines and carriage returns, with which progress bars overwrite themselves."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, chunk: bytes) -> Iterator[str]:
        """Yield the lines that are complete now."""
        *whole, self._rest = re.split(rb"[\r\n]+", self._rest + chunk)
        if len(self._rest) > LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        for line in whole:
            text = line[:LONGEST_LINE].decode("utf-8", "replace").strip()
            if text:
                yield text

    def last(self) -> Iterator[str]:
        """Yield what was never ended."""
        yield from self.cut(b"\n")


class EngineProcess:
    """An engine at work.

    Args:
        command: What to start.
        note: A file that names the process's group, so that it can be ended when this process has died.
    """

    def __init__(self, command: Command, note: Path) -> None:
        self._note = note
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the engine's own arguments
                list(command.argv),
                cwd=str(command.cwd),
                env=engine_env(command.env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise WorkFailed(
                NO_ENGINE, "The engine can't be started on the machine ({error}).", {"error": type(error).__name__}
            ) from error
        note.write_text(str(self._process.pid))

    def run(self, hear: Callable[[str], None], stopped: Callable[[], bool]) -> int | None:
        """Read it to its end and return its exit code; None when it was stopped."""
        try:
            for line in self._lines(stopped):
                self.tail.append(line)
                hear(line)
            return None if stopped() else self._process.wait()
        finally:
            self.end()

    def _lines(self, stopped: Callable[[], bool]) -> Iterator[str]:
        lines, pipe = Lines(), self._process.stdout
        if pipe is None:
            return
        give_up: float | None = None
        while not stopped():
            readable, _, _ = select([pipe], [], [], _LOOK_SECONDS)
            if readable:
                chunk = os.read(pipe.fileno(), _CHUNK)
                if not chunk:
                    break
                yield from lines.cut(chunk)
            elif self._process.poll() is not None:
                give_up = give_up or time.monotonic() + DRAIN_SECONDS
                if time.monotonic() > give_up:
                    break
        yield from lines.last()

    def end(self) -> None:
        """End the process and its children, if any are left."""
        if end_group(self._process.pid):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE_SECONDS)
            end_group(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        with suppress(OSError):
            self._note.unlink()


def end_group(leader: int, how: signal.Signals = signal.SIGTERM) -> bool:
    """Send a signal to a whole process group; False when there is none any more."""
    try:
        os.killpg(leader, how)
    except (ProcessLookupError, PermissionError):
        return False
    return True
