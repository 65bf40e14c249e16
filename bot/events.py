"""Owns the news inside one process: who wants to hear what changed; never holds truth, which lies in the database."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class JobChanged:
    """A job's row was written."""

    job_id: str
    #: The row wants to be looked at now.
    due: bool = False


class StrayFate(StrEnum):
    """What became of a machine that no job owns."""

    DESTROYED = "destroyed"
    #: Its provider did not take it back; it is tried again.
    STAYS = "stays"
    #: No job of ours had it, so it may be another bot's; it is left alone until nobody's can be that old.
    LEFT_ALONE = "left alone"


@dataclass(frozen=True, kw_only=True)
class StrayMachine:
    """A rented machine was met that no job owns; the operator should know."""

    #: Its provider, for people.
    provider: str
    name: str
    box_id: str
    fate: StrayFate


@dataclass(frozen=True, kw_only=True)
class ProviderTrouble:
    """A provider is out of reach, or it has answered; its jobs go on by themselves."""

    #: Its name.
    provider: str
    lost: bool


#: What whoever runs the bot, or a server that it concerns, should know.
Trouble = StrayMachine | ProviderTrouble


@dataclass(kw_only=True)
class News:
    """Tells listeners that a row changed; a listener only wakes something and never blocks."""

    _listeners: list[Callable[[JobChanged], None]] = field(default_factory=list)
    _operators: list[Callable[[Trouble], None]] = field(default_factory=list)

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

    def subscribe_operator(self, listener: Callable[[Trouble], None]) -> None:
        """Call `listener` with everything from now on that whoever runs the bot should know."""
        self._operators.append(listener)

    def warn_operator(self, notice: Trouble) -> None:
        """Tell every listener of the operator's."""
        for listener in self._operators:
            try:
                listener(notice)
            except Exception:  # a broken listener must not stop who has something to warn of
                log.exception("a listener failed on %s", notice)
