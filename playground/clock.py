"""Time as the playground sees it: the machine's own clock, or one that a test moves by hand. It never sleeps."""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Stand for one planned call."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Tell the time and call back later."""

    def time(self) -> float: ...

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer: ...


class SystemClock:
    """Follow the machine's clock and the running event loop."""

    def time(self) -> float:
        return time.time()

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, action)


class _ManualTimer:
    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class ManualClock:
    """Stand still until `advance` is called; planned calls run in the order of their time.

    It starts at the machine's time, because discord.py compares snowflakes with the machine's clock.
    """

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start
        self._order = itertools.count()
        self._planned: list[tuple[float, int, _ManualTimer]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, seconds: float, action: Callable[[], None]) -> Timer:
        timer = _ManualTimer(action)
        heapq.heappush(self._planned, (self._now + seconds, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Move on by so many seconds and run what falls due on the way."""
        end = self._now + seconds
        while self._planned and self._planned[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._planned)
            if timer.action is not None:
                timer.action()
        self._now = end
