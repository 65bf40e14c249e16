"""Owns the shape of a place that has machines with a GPU; never what runs on one.

A box is whatever can be created under a name, found by it, and destroyed: a pod, a virtual machine, a job of a
serverless endpoint, a process on this machine. It starts the agent and knows nothing of trainings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from providers.base import Health
from providers.wording import Wording

#: What the name of everything begins with that this bot creates anywhere; a job's marker does.
NAME_PREFIX = "darkroom-"


class BoxState(StrEnum):
    """Where a machine stands."""

    #: Asked for and paid for, perhaps, and the agent can't have begun.
    STARTING = "starting"
    RUNNING = "running"
    #: Stopped by itself; it may still be there and cost money, and is destroyed later.
    ENDED = "ended"
    #: Its provider doesn't know it (any more).
    GONE = "gone"


class Ending(StrEnum):
    """How the agent ends its machine when its work is over, whichever way."""

    #: Deletes its own pod at RunPod, whose container would be started again and again if it only exited.
    RUNPOD = "runpod"
    #: Shuts the operating system down.
    SHUTDOWN = "shutdown"
    #: Exits; the process is all that there is.
    EXIT = "exit"


@dataclass(frozen=True, kw_only=True)
class BoxTerms:
    """What a box declares about its machines."""

    #: Seconds after which an accepted machine is sure to show up in `find` and `list_owned`.
    settle_seconds: float
    #: Seconds from `create` within which an agent has to have begun; later, the machine is taken for broken.
    start_seconds: float
    #: Seconds between two looks while nothing new is heard.
    poll_seconds: float
    ending: Ending
    #: One line of plain truth that is shown with every training; may be empty.
    notice: str = ""
    #: GPU memory of the smallest machine that may be chosen, in GB; None when nobody can say.
    vram_gb: int | None = None


@dataclass(frozen=True, kw_only=True)
class BoxPrice:
    """What an hour of a machine costs, for estimates."""

    low_usd: float
    high_usd: float
    #: Where the figures come from, with a date where it matters.
    basis: Wording


@dataclass(frozen=True, kw_only=True)
class BoxOrder:
    """One machine, ready to be created."""

    #: Unique for each job, begins with NAME_PREFIX; what `find` looks for.
    name: str
    #: Environment of the agent. It holds a token, so it is never logged.
    env: Mapping[str, str] = field(repr=False)
    #: Shell text (POSIX) that fetches the agent, checks it and becomes it; needs python3 and the environment above.
    script: str = field(repr=False)
    #: Seconds after which the agent ends its machine in any case; a box with a guard of its own sets it no lower.
    max_seconds: float


@dataclass(frozen=True, kw_only=True)
class BoxStatus:
    """One look at a machine."""

    #: None when its provider said something that we do not know.
    state: BoxState | None
    #: The provider's own word for it, for the log.
    raw_state: str
    #: What it cost so far, if the provider tells.
    usd: float | None = None
    #: What an hour of just this machine costs, if the provider tells.
    usd_an_hour: float | None = None
    #: Why it ended, one sentence for people, if the provider tells.
    failure: Wording | None = None


@dataclass(frozen=True, kw_only=True)
class OwnedBox:
    """A machine that carries our name."""

    id: str
    name: str
    created_at: datetime


class Box(Protocol):
    """A place that has machines. All calls raise `providers.errors.ProviderError` and nothing else."""

    @property
    def name(self) -> str:
        """Return the short name; the trainer on this box is called so and it is stored with jobs."""
        ...

    @property
    def title(self) -> str:
        """Return the name for people."""
        ...

    @property
    def terms(self) -> BoxTerms:
        """Return what it declares; read once at start."""
        ...

    async def check(self) -> Health:
        """Make a free call that shows whether machines can be had now; never raises."""
        ...

    def price(self) -> BoxPrice:
        """Return what an hour costs, without asking anybody."""
        ...

    async def create(self, order: BoxOrder) -> str:
        """Send the one paid call and return the machine's id.

        After a sure refusal for want of capacity the next kind of machine may be asked for; nothing else is repeated.

        Raises:
            SubmitUnsure: a machine may have been created.
        """
        ...

    async def find(self, name: str) -> str | None:
        """Return the id of a machine of this name that exists, whatever state it is in."""
        ...

    async def status(self, box_id: str) -> BoxStatus:
        """Take one look; an id that nobody knows, or that can't be one, is GONE."""
        ...

    async def destroy(self, box_id: str) -> None:
        """Remove the machine and all that was made for it; one that is gone is fine."""
        ...

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return every machine of our account whose name begins with NAME_PREFIX, ended ones that still exist too."""
        ...


@runtime_checkable
class OwnsBoxes(Protocol):
    """An adapter that has machines, which somebody has to look after beyond the life of a job."""

    @property
    def title(self) -> str:
        """Return the name for people."""
        ...

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return every machine that carries our name, whoever's job it is for."""
        ...

    async def destroy(self, box_id: str) -> None:
        """Remove a machine; one that is gone is fine."""
        ...
