"""Owns the life of a job, a training or some pictures: its states and the moves between them; never writes a row.

    PREPARING ─▶ SUBMITTING ─▶ QUEUED ─▶ RUNNING ─▶ COLLECTING ─▶ SUCCEEDED
        │            │            │         │            │
        ▼            ▼            ▼         ▼            ▼
     FAILED      UNCERTAIN     CANCELED / FAILED / EXPIRED / LOST

Invariants:
* a state is committed before the side effect that it announces;
* `submitting_since` is set while a paid call may be under way and its outcome is not yet committed;
* `remote_id` is set from QUEUED on; `ended_at` is set exactly in the terminal states;
* a terminal state is never left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.texts import N_, told
from providers.base import Aspect, Progress
from providers.recipe import Recipe
from providers.wording import Sentence, Value, Wording


class JobKind(StrEnum):
    """What a job makes."""

    TRAINING = "training"
    PICTURES = "pictures"
    #: A table of pictures that differ in one thing; its columns are jobs of the kind above that have it as parent.
    SHEET = "sheet"


class JobState(StrEnum):
    """Where a job stands."""

    #: The archive is built and handed over; nothing is paid.
    PREPARING = "preparing"
    #: The paid call is about to leave, has left, or its answer got lost and we look.
    SUBMITTING = "submitting"
    #: The provider has it and has not begun.
    QUEUED = "queued"
    RUNNING = "running"
    #: The provider is done and we bring home what it made.
    COLLECTING = "collecting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    #: It ran longer than its provider allows.
    EXPIRED = "expired"
    #: The provider no longer knows it.
    LOST = "lost"
    #: Nobody can tell whether the paid call was accepted; a person decides.
    UNCERTAIN = "uncertain"

    @property
    def terminal(self) -> bool:
        """Tell whether nothing can come after this state."""
        return self in TERMINAL


TERMINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED, JobState.EXPIRED, JobState.LOST})
_ENDS = TERMINAL - {JobState.SUCCEEDED}

MOVES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PREPARING: frozenset({JobState.SUBMITTING, JobState.FAILED, JobState.CANCELED}),
    JobState.SUBMITTING: frozenset(
        {JobState.PREPARING, JobState.QUEUED, JobState.RUNNING, JobState.FAILED, JobState.CANCELED, JobState.UNCERTAIN}
    ),
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.COLLECTING, *_ENDS}),
    JobState.RUNNING: frozenset({JobState.QUEUED, JobState.COLLECTING, *_ENDS}),
    JobState.COLLECTING: frozenset({JobState.SUCCEEDED, *_ENDS}),
    JobState.UNCERTAIN: frozenset({JobState.SUBMITTING, JobState.QUEUED, JobState.FAILED, JobState.CANCELED}),
    **dict.fromkeys(TERMINAL, frozenset()),
}


#: Why a job is with its provider when the one before could not be reached; told with the name of that one.
OUT_OF_ORDER = N_("{provider} is out of order")


class IllegalMoveError(Exception):
    """A job was told to make a move that its life does not have; a bug, never a person's doing."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job ended without a result."""

    #: One sentence for the person.
    reason: str
    #: What they can do next, one sentence.
    advice: Wording = ""
    #: What the reason's fields stand for; empty where it is said as it is.
    values: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, why: Wording, *, advice: Wording = "") -> "Failure":
        """Return a failure for this reason."""
        why = why if isinstance(why, Sentence) else Sentence(why)
        return cls(reason=why.template, values=why.values, advice=advice)

    @property
    def wording(self) -> Sentence:
        """Return the reason with its values, to be told elsewhere."""
        return Sentence(self.reason, values=self.values)

    @property
    def told(self) -> str:
        """Return the reason in the language that is spoken now, as far as its catalogue has it."""
        return told(self.wording)

    @property
    def sentence(self) -> str:
        """Return reason and advice as the person reads them."""
        return f"{self.told} {told(self.advice)}".strip()


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """What a training was asked for; never changes."""

    name: str
    recipe: Recipe
    photo_count: int


@dataclass(frozen=True, kw_only=True)
class MixedIn:
    """A further model that goes into some pictures."""

    lora_id: str
    strength: float


@dataclass(frozen=True, kw_only=True)
class Enlarged:
    """Which picture of which job becomes larger, and by how much on each side."""

    job_id: str
    position: int
    factor: float


@dataclass(frozen=True, kw_only=True)
class PictureSpec:
    """What some pictures were asked for; never changes."""

    prompt: str
    count: int
    seed: int
    aspect: Aspect
    strength: float
    #: What they shall not show.
    negative_prompt: str = ""
    mixed_in: tuple[MixedIn, ...] = ()
    #: Weights other than those that the model uses.
    checkpoint_id: str | None = None
    #: What is enlarged instead of drawn; all else tells how that picture was made.
    enlarged: Enlarged | None = None
    #: The training drew them itself at its end; the provider is its trainer, and no image maker had a part in it.
    by_training: bool = False


class SheetKind(StrEnum):
    """What the columns of a sheet differ in; the value is stored and part of buttons."""

    CHECKPOINTS = "checkpoints"
    STRENGTHS = "strengths"


@dataclass(frozen=True, kw_only=True)
class SheetColumn:
    """One column of a sheet."""

    #: The pictures' job.
    job_id: str
    strength: float
    #: The step of the checkpoint that these pictures are made with; None for the model as it is.
    step: int | None = None


@dataclass(frozen=True, kw_only=True)
class SheetSpec:
    """What a sheet was asked for; never changes."""

    kind: SheetKind
    prompt: str
    #: Seed of the first row; row n has seed + n in every column.
    seed: int
    rows: int
    columns: tuple[SheetColumn, ...]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the jobs table as the rest of the bot sees it."""

    id: str
    kind: JobKind
    state: JobState
    owner_id: int
    guild_id: int | None
    #: Name of the model, as people wrote it.
    title: str
    provider: str
    #: Why this provider, a clause for people; "your choice" when they chose it.
    why: str = ""
    #: Those that could not take it before; it never goes back to one.
    tried: tuple[str, ...] = ()
    spec: TrainingSpec | PictureSpec | SheetSpec
    draft_id: str | None
    lora_id: str | None
    #: The training whose sample pictures this job makes, or the sheet whose column.
    parent_id: str | None
    #: What the adapter's `prepare` left; None before it.
    prepared: Mapping[str, Any] | None = None
    #: How often a paid call was begun for this job.
    attempt: int = 0
    submitting_since: datetime | None = None
    #: How often we looked for a call whose outcome is unsure.
    looks: int = 0
    remote_id: str | None = None
    progress: Progress = field(default_factory=Progress)
    #: When it is expected to end; reckoned anew when it has got on, not while it stands still.
    eta_at: datetime | None = None
    failure: Failure | None = None
    cost_usd: float | None = None
    #: Pictures that the provider's own filter kept back.
    withheld: int = 0
    cancel_requested: bool = False
    #: What it left at the provider is removed.
    cleaned: bool = False
    created_at: datetime
    #: When a training left the line in which it waits for a free place.
    turn_at: datetime | None = None
    #: When the provider began.
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime
    revision: int = 1
    next_at: datetime | None = None
    tries: int = 0
    fence: int = 0

    @property
    def why_told(self) -> str:
        """Return why it is with this provider, in the language that is spoken now."""
        return told(self.why, {"provider": self.tried[-1]} if self.tried else None)

    @property
    def marker(self) -> str:
        """Return what `find` looks for; the same for every attempt, so that a late one is found too."""
        return f"darkroom-{self.id}"

    @property
    def training(self) -> TrainingSpec:
        """Return what the training was asked for; only for a training."""
        if not isinstance(self.spec, TrainingSpec):
            raise TypeError(f"job {self.id} is no training")
        return self.spec

    @property
    def pictures(self) -> PictureSpec:
        """Return what the pictures were asked for; only for pictures."""
        if not isinstance(self.spec, PictureSpec):
            raise TypeError(f"job {self.id} makes no pictures")
        return self.spec

    @property
    def sheet(self) -> SheetSpec:
        """Return what the sheet was asked for; only for a sheet."""
        if not isinstance(self.spec, SheetSpec):
            raise TypeError(f"job {self.id} makes no sheet")
        return self.spec

    def moved(self, state: JobState, *, at: datetime, **changes: Any) -> "Job":
        """Return the job in its next state.

        Raises:
            IllegalMoveError: its life has no such move.
        """
        if state is not self.state and state not in MOVES[self.state]:
            raise IllegalMoveError(f"job {self.id} cannot go from {self.state} to {state}")
        return replace(self, state=state, ended_at=at if state.terminal else None, **changes)

    def given_to(self, provider: str, spec: "TrainingSpec | PictureSpec", *, why: str, at: datetime) -> "Job":
        """Return the job at its beginning with another provider; only before anything was sent."""
        if self.submitting_since is not None or self.remote_id is not None:
            raise IllegalMoveError(f"job {self.id} is with {self.provider} already")
        return self.moved(
            JobState.PREPARING,
            at=at,
            provider=provider,
            spec=spec,
            why=why,
            tried=(*self.tried, self.provider),
            prepared=None,
            turn_at=None,
            tries=0,
        )

    def failed(self, failure: Failure, *, at: datetime, state: JobState = JobState.FAILED) -> "Job":
        """Return the job ended without a result, due once more for its cleanup."""
        return self.moved(state, at=at, failure=failure, submitting_since=None, tries=0, next_at=at)
