"""The bot as a process that is started, killed and started again."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.crash.launcher import Run


@dataclass(kw_only=True)
class Life:
    """One process of the bot; `end` is its exit code, -9 after a SIGKILL."""

    pid: int
    end: asyncio.Task[int]

    async def kill(self) -> None:
        """Kill it, unless it is dead already."""
        if not self.end.done():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        await self.end


class Launcher:
    """Starts lives of the bot, one at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator["Launcher"]:
        """Import everything once; each life is forked from there."""
        command = (sys.executable, "-W", "ignore", "-m", "tests.crash.launcher")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        try:
            yield cls(process)
        finally:
            process.kill()
            await process.wait()

    async def start(self, run: Run) -> Life:
        """Start the bot."""
        assert self._process.stdin is not None
        self._process.stdin.write(run.line().encode())
        pid = await self._number()
        return Life(pid=pid, end=asyncio.create_task(self._number(), name=f"end of {pid}"))

    async def _number(self) -> int:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the launcher died")
        return int(line)
