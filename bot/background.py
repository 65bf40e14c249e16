"""Owns the long-lived tasks of the process: named, supervised, stopped in order; never decides what they do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds before a task that died is started again; doubles up to the cap while it keeps dying.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


@dataclass(kw_only=True)
class Background:
    """Runs tasks until they are stopped and starts those again that die."""

    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work` under this name; it is meant to run for ever and is started again if it fails.

        Raises:
            ValueError: a task of this name is running.
        """
        if name in self._tasks:
            raise ValueError(f"a task named {name!r} is running")
        self._tasks[name] = asyncio.create_task(self._supervise(name, work), name=name)

    async def stop(self) -> None:
        """Cancel all tasks, the youngest first, and wait for each."""
        for task in reversed(list(self._tasks.values())):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._tasks.clear()

    @staticmethod
    async def _supervise(name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            try:
                await work()
                log.info("task %s ended", name)
                return
            except Exception:  # a supervisor outlives whatever its task raises
                log.exception("task %s died, starting it again in %.0f s", name, pause)
            await asyncio.sleep(pause)
            lived = asyncio.get_running_loop().time() - began
            pause = FIRST_PAUSE if lived > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)


async def unbroken(work: Coroutine[Any, Any, T]) -> T:
    """Await a short piece of work to its end, and only then be cancelled.

    For transactions of a task that is stopped at shutdown: one that is cut off costs the database's only connection.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
