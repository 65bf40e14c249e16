"""Owns the shape of a lease: what the bot and the agent on a machine know of each other; never how it is kept.

Whoever rents a machine may by mischance get two. So a machine has to claim its job before it spends its GPU's time:
with a token that is good for one claimer. The first one holds the lease, any other is refused and ends its machine.

Leases are kept in the bot's database and spoken of over HTTP (bot/), or in a bucket or a folder (mailbox.py).
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from providers.base import Progress
from providers.errors import NotFound, Unavailable
from providers.http import fit_for_people
from providers.wording import Wording

log = logging.getLogger(__name__)

#: Lines of a failed engine's output that are logged.
LOGGED_LINES = 15


class LeaseState(StrEnum):
    """Where a lease stands."""

    #: The job is described; no machine has claimed it.
    OPEN = "open"
    #: A machine holds it.
    HELD = "held"
    #: Its result has arrived, whole and checked.
    DONE = "done"
    #: Its agent said that there will be no result.
    FAILED = "failed"
    #: Its agent said that it has stopped, as it was told to.
    STOPPED = "stopped"

    @property
    def over(self) -> bool:
        """Tell whether its agent has nothing more to say."""
        return self in {LeaseState.DONE, LeaseState.FAILED, LeaseState.STOPPED}


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What a new machine needs to claim a job; its environment holds a secret and is good for one claimer."""

    #: For the agent: see providers/gpu/agent/settings.py.
    env: Mapping[str, str] = field(repr=False)
    #: Where the machine can fetch the agent; None when it lies on the same machine.
    agent_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class LeaseReport:
    """All that is known of a lease."""

    state: LeaseState
    #: Seconds since the last ticket was issued; None when none was.
    since_issued: float | None
    #: Seconds since its agent was last heard, or could be: while nobody listened, no time passes here.
    since_heard: float | None
    #: Seconds since it was told to stop; None when it was not.
    since_stop: float | None = None
    #: Seconds that its machine was in use, from the last ticket to now or to its agent's last word.
    used_seconds: float = 0.0
    #: The id of the machine that holds it, as the machine itself says; None when it can't say.
    box_id: str | None = None
    progress: Progress | None = None
    #: Why there is no result, one sentence for people, and what to do; only with FAILED.
    failure: Wording | None = None
    #: What was noted of the machine's price, in US dollars an hour.
    usd_an_hour: float | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What an agent delivered, copied to where the caller wants it."""

    lora: Path
    samples: Sequence[Path]
    #: Plain facts that the agent tells of it: seconds, the last loss, the GPU.
    facts: Mapping[str, Any]


class Leases(Protocol):
    """The leases of this deployment, by the markers of their jobs. Raises `ProviderError` and nothing else."""

    @property
    def obstacle(self) -> str | None:
        """Return why no agent could reach us, and what to set, for people; None when one can."""
        ...

    async def open(self, marker: str, spec: Mapping[str, Any], archive: Path) -> None:
        """Describe a job; again and with another archive while nobody has claimed it."""
        ...

    async def issue(self, marker: str) -> Ticket:
        """Make a ticket for a new machine; those issued before no longer let anybody claim.

        Raises:
            NotFound: there is no such lease.
        """
        ...

    async def report(self, marker: str) -> LeaseReport | None:
        """Return what is known; None when there is no such lease."""
        ...

    async def stop(self, marker: str) -> None:
        """Have the agent told to stop, and nobody claim it any more; fine again, and after the end."""
        ...

    async def note_price(self, marker: str, usd_an_hour: float) -> None:
        """Remember what the machine costs, for when its provider no longer tells."""
        ...

    async def fetch(self, marker: str, into: Path) -> Arrival:
        """Copy what a DONE lease holds into an existing folder, without samples that are damaged; may be called again.

        Raises:
            ArtifactBroken: the LoRA that lies there is not what was promised.
            NotFound: there is no such lease.
        """
        ...

    async def close(self, marker: str) -> None:
        """Forget the lease and all that belongs to it; an agent that still speaks of it is told to end. Fine again."""
        ...


def log_tail(marker: str, spec: Mapping[str, Any], tail: Sequence[str]) -> None:
    """Log the end of a failed engine's output for the operator, without what its person wrote."""
    hidden = [str(spec.get("recipe", {}).get("trigger_word", "")), *spec.get("sample_prompts", [])]
    for line in tail[-LOGGED_LINES:]:
        log.warning("%s: %s", marker, fit_for_people(str(line), hide=hidden))


class NoLeases:
    """The leases of whoever only asks what could be had, such as the doctor; none can be opened.

    Args:
        obstacle: Why no agent could reach this deployment, if so.
    """

    def __init__(self, obstacle: str | None = None) -> None:
        self._obstacle = obstacle

    @property
    def obstacle(self) -> str | None:
        """Return what it was made with."""
        return self._obstacle

    async def open(self, marker: str, spec: Mapping[str, Any], archive: Path) -> None:
        raise Unavailable("No machine can be had just now.")

    async def issue(self, marker: str) -> Ticket:
        raise NotFound("There is no such training here.")

    async def report(self, marker: str) -> LeaseReport | None:
        return None

    async def stop(self, marker: str) -> None:
        return None

    async def note_price(self, marker: str, usd_an_hour: float) -> None:
        return None

    async def fetch(self, marker: str, into: Path) -> Arrival:
        raise NotFound("There is no such training here.")

    async def close(self, marker: str) -> None:
        return None
