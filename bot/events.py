"""Owns the news inside one process: who wants to hear what changed; never holds truth, which lies in the database."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobChanged:
    """A job's row was written."""

    job_id: str
    #: The row wants to be looked at now.
    due: bool = False


@dataclass(kw_only=True)
class News:
    """Tells listeners that a row changed; a listener only wakes something and never blocks."""

    _listeners: list[Callable[[JobChanged], None]] = field(default_factory=list)

    def subscribe(self, listener: Callable[[JobChanged], None]) -> None:
        """Call `listener` at every change from now on."""
        self._listeners.append(listener)

    def unsubscribe(self, listener: Callable[[JobChanged], None]) -> None:
        """Leave `listener` alone from now on."""
        self._listeners.remove(listener)

    def publish(self, event: JobChanged) -> None:
        """Tell every listener; one that fails does not keep the news from the others."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # a broken listener must not stop the job that made the news
                log.exception("a listener failed on %s", event)
