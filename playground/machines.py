"""Machines that are played by processes here: one starts, may be started again when it ends, and dies as a whole.

What a rented machine would run is really run, in a folder of its own and with nothing of this process's environment
but the search path. Commands that would end a machine are found first on that path, and end the played one.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: In the environment of everything that runs on a played machine, so that all of it can be found and ended.
MARK = "PLAYGROUND_MACHINE"
#: Commands by which a machine ends itself; here they only leave a note.
_ENDERS = ("shutdown", "poweroff", "halt", "reboot")
#: Seconds before what has ended is started again, where a provider does that.
RESTART_PAUSE = 0.2


@dataclass(kw_only=True, eq=False)
class Machine:
    """One machine.

    Args:
        name: What it is called.
        argv: What it runs.
        env: What that finds in its environment, beside the search path.
        restarts: Whether it runs it again whenever it ends, as a container that is meant to stay does.
        programs: Folders with programs that the machine has installed, found before those of this system.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    restarts: bool = False
    programs: Sequence[Path] = ()
    #: How often it was started.
    starts: int = 0
    #: It was ended from the inside or has nothing left to do.
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    #: Its disk; made when it is switched on.
    _disk: Path | None = None
    _task: asyncio.Task[None] | None = None
    _process: asyncio.subprocess.Process | None = None
    _destroyed: bool = False

    def start(self) -> None:
        """Switch it on; only inside a running loop."""
        self._disk = Path(tempfile.mkdtemp(prefix="playground-machine-"))
        self._task = asyncio.create_task(self._live(self._disk), name=f"machine {self.name}")

    @property
    def log(self) -> str:
        """Return everything that it printed."""
        path = self._disk / "console.log" if self._disk else None
        return path.read_text(errors="replace") if path and path.exists() else ""

    @property
    def shut_down(self) -> bool:
        """Tell whether something on it ended it."""
        return self._disk is not None and (self._disk / "shut-down").exists()

    @property
    def pids(self) -> Sequence[int]:
        """Return the processes that run on it."""
        # Its disk is its own among all machines that are played on this computer, by other processes too.
        return _marked(str(self._disk)) if self._disk else ()

    async def destroy(self) -> None:
        """Kill everything that runs on it and forget its disk; fine to call again."""
        self._destroyed = True
        # Again and again: something may be starting just now.
        while self._task is not None and not self._task.done():
            await asyncio.to_thread(self._kill)
            await asyncio.wait({self._task}, timeout=0.05)
        await asyncio.to_thread(self._kill)
        if self._disk is not None:
            await asyncio.to_thread(shutil.rmtree, self._disk, ignore_errors=True)
        self.ended.set()

    async def _live(self, disk: Path) -> None:
        programs = await asyncio.to_thread(_make_enders, disk)
        path = os.pathsep.join([str(programs), *map(str, self.programs), str(Path(sys.executable).parent), os.defpath])
        # Below a folder of its own, for whatever looks for the home of a user or for a place of its own.
        own = {"HOME": str(disk), "TMPDIR": str(disk), "PATH": path, MARK: str(disk)}
        while not self._destroyed:
            self.starts += 1
            with (disk / "console.log").open("ab") as log:
                self._process = process = await asyncio.create_subprocess_exec(
                    *self.argv,
                    cwd=disk,
                    env=own | dict(self.env),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            await process.wait()
            if self.shut_down or not self.restarts:
                break
            await asyncio.sleep(RESTART_PAUSE)
        self.ended.set()

    def _kill(self) -> None:
        pids = self.pids
        if self._process is not None and self._process.returncode is None:
            # Where there is no /proc, at least what stayed in its session's first group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _make_enders(disk: Path) -> Path:
    """Put the commands that end a machine on its disk, and return where."""
    folder = disk / "sbin"
    folder.mkdir()
    for name in _ENDERS:
        program = folder / name
        program.write_text(f"#!/bin/sh\ntouch '{disk}/shut-down'\n")
        program.chmod(0o755)
    return folder


def _marked(disk: str) -> list[int]:
    """Return the processes of the machine with this disk, found by what they have in their environment."""
    wanted = f"{MARK}={disk}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found
