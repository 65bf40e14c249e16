"""Rate limits: the headers that every answer carries, and a limiter for tests that want to run into it.

Source: https://docs.discord.com/developers/topics/rate-limits
"""

import hashlib
from dataclasses import dataclass

from playground.clock import Clock


@dataclass(kw_only=True, slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowance:
    """Say what is left after a request; `retry_after` in seconds is given when it was one too many."""

    limit: int
    remaining: int
    reset: float
    reset_after: float
    bucket: str
    retry_after: float | None = None

    def headers(self) -> dict[str, str]:
        """Give the X-RateLimit headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


class Limiter:
    """Count requests a bucket; off until `enabled` is set, and then `limit` requests go through in `window` seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.enabled = False
        self.limit = 5
        self.window = 5.0
        self._windows: dict[tuple[str, str], _Window] = {}

    def count(self, route: str, major: str) -> Allowance:
        """Count one request against its bucket: the route, for each channel, guild or webhook."""
        bucket = hashlib.md5(route.encode(), usedforsecurity=False).hexdigest()
        now = self.clock.time()
        if not self.enabled:
            return Allowance(limit=50, remaining=49, reset=now + 1, reset_after=1.0, bucket=bucket)
        window = self._windows.get((route, major))
        if window is None or window.ends <= now:
            window = self._windows[route, major] = _Window(ends=now + self.window)
        window.used += 1
        return Allowance(
            limit=self.limit,
            remaining=max(0, self.limit - window.used),
            reset=window.ends,
            reset_after=window.ends - now,
            bucket=bucket,
            retry_after=window.ends - now if window.used > self.limit else None,
        )
