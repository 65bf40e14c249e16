"""Owns the shape of an adapter: what a trainer and an image maker are asked, and the words of their answers.

An adapter speaks to one provider and keeps no truth of its own: all that a call needs is in its arguments, so that a
process that was killed can go on from the rows it wrote. Callers branch on declared capabilities, never on a name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

from providers.recipe import BaseModelName, Limits, Recipe
from providers.trains_not import TrainsNot
from providers.wording import Wording

#: What `prepare` leaves for the later calls: plain JSON, stored with the job before anything is paid.
Prepared = Mapping[str, Any]


class Aspect(StrEnum):
    """The shape of a picture, width to height."""

    SQUARE = "1:1"
    PORTRAIT = "3:4"
    LANDSCAPE = "4:3"
    TALL = "9:16"
    WIDE = "16:9"


class LoraFormat(StrEnum):
    """How the weights of a LoRA are laid out in its file; decides who can generate with it."""

    SKETCH = "sketch"
    KOHYA = "kohya"
    DIFFUSERS = "diffusers"


class RemoteState(StrEnum):
    """Where a job stands at its provider."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is, as its provider tells."""

    #: What it does now, for people: "fitting noise level 3 of 6".
    phase: str = ""
    step: int | None = None
    total: int | None = None
    loss: float | None = None
    #: Seconds left by the provider's own reckoning, if it reckons.
    eta_seconds: float | None = None
    #: How many come before it, while it waits; None where nobody tells.
    ahead: int | None = None


@dataclass(frozen=True, kw_only=True)
class LossPoint:
    """How far a training was from its photos at one step."""

    step: int
    loss: float


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One look at a job at its provider."""

    #: None when the provider said something that we do not know; the caller keeps the last known state.
    state: RemoteState | None
    #: The provider's own word for it, for the log.
    raw_state: str
    progress: Progress | None = None
    #: All that its provider still knows of earlier losses; the caller keeps what it lacks.
    losses: Sequence[LossPoint] = ()
    #: Why it failed, one sentence for the person; only with FAILED, EXPIRED or LOST.
    failure: Wording | None = None
    #: What it cost so far or in the end; None when the provider does not tell.
    cost_usd: float | None = None


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job is expected to cost and to take."""

    low_usd: float
    high_usd: float
    #: Minutes from submission to the end, without waiting for other people's jobs.
    minutes: float
    #: Where the figures come from, with a date where it matters.
    basis: Wording


@dataclass(frozen=True, kw_only=True)
class Health:
    """Whether a provider can be used now."""

    ok: bool
    #: For people: what is fine, or what to set and where to get it.
    wording: Wording

    @property
    def detail(self) -> str:
        """Return it in English, as operators read it at the command line."""
        return str(self.wording)


@dataclass(frozen=True, kw_only=True)
class AdapterCapabilities:
    """What every adapter declares about its jobs."""

    #: `find` can tell whether a paid call was accepted; otherwise a person has to decide.
    findable: bool
    #: Seconds after which an accepted job is sure to show up in `find`.
    settle_seconds: float
    cancelable: bool
    #: Seconds between two polls while nothing new is heard.
    poll_seconds: float
    #: Seconds after which a job that still runs is given up.
    max_run_seconds: float
    #: One line of plain truth that is shown with every job, such as what it ignores; may be empty.
    notice: str = ""
    #: What a job leaves there costs money until `cleanup` has removed it, so that is never given up.
    bills_until_cleaned: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainerCapabilities(AdapterCapabilities):
    """What a trainer can do."""

    base_models: frozenset[BaseModelName]
    produces: LoraFormat
    photos: Limits
    #: None for a number that this trainer has no use for.
    steps: Limits
    rank: Limits | None
    learning_rate: Limits | None
    #: Longest sides in pixels, the default first.
    resolutions: Sequence[int]
    autocaption: bool
    #: None where the share of photos that are seen without their caption can't be set.
    caption_dropout: Limits | None = None
    #: It leaves earlier weights beside the last ones.
    checkpoints: bool = False
    #: How many trainings it works on at the same time, where more would only wait there; None for any number.
    at_once: int | None = None


@dataclass(frozen=True, kw_only=True)
class ImageCapabilities(AdapterCapabilities):
    """What an image maker can do."""

    base_models: frozenset[BaseModelName]
    accepts: frozenset[LoraFormat]
    aspects: frozenset[Aspect]
    count: Limits
    strength: Limits | None
    uses_prompt: bool
    #: The base models with which it heeds a negative prompt; with others an order must bring none.
    negative_prompts: frozenset[BaseModelName] = frozenset()
    #: How many LoRAs one order may bring, its own included; all for the same base model.
    max_loras: int = 1
    #: So slow or so limited that any other one comes first, unless somebody prefers it.
    last_resort: bool = False
    #: By what factor it enlarges a picture that is there; None where it can't. One that can is `Upscales`.
    upscale: Limits | None = None
    #: Why its provider has no trainer, where people would expect one.
    trains_not: TrainsNot | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingOrder:
    """One training, ready to be submitted."""

    #: Unique for each job; what `find` looks for.
    marker: str
    recipe: Recipe
    #: Zip with the images and same-named .txt captions at its root; owned by the caller, read-only.
    archive: Path
    photo_count: int


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """The weights that pictures are made with."""

    path: Path
    base_model: BaseModelName
    format: LoraFormat
    trigger_word: str
    #: What its training left in `TrainedLora.facts`; an image maker may know an own short cut from them.
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ExtraLora:
    """A further LoRA that goes into a picture."""

    lora: LoraFile
    strength: float


@dataclass(frozen=True, kw_only=True)
class Enlargement:
    """A picture that shall become larger, and by how much on each side."""

    #: PNG, JPEG or WebP by its suffix; owned by the caller, read-only.
    picture: Path
    factor: float


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """Some pictures, ready to be submitted."""

    marker: str
    lora: LoraFile
    prompt: str
    count: int
    #: Seed of the first picture; picture n has seed + n.
    seed: int
    aspect: Aspect
    strength: float
    #: What the pictures shall not show; empty unless `negative_prompts` has the base model.
    negative_prompt: str = ""
    #: Up to `max_loras - 1`, mixed in with their own strengths.
    extra_loras: Sequence[ExtraLora] = ()
    #: What is enlarged instead of drawn, where `upscale` is declared; the other fields only tell how it was made.
    enlarge: Enlargement | None = None


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The weights as they were at one step, in a file that works like the last ones."""

    path: Path
    step: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MadeImage:
    """One picture, in the folder that `collect` was given."""

    path: Path
    seed: int
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class TrainedLora:
    """What a training leaves, in the folder that `collect` was given."""

    path: Path
    format: LoraFormat
    base_model: BaseModelName
    #: Plain facts worth keeping with the model, such as the final loss.
    facts: Mapping[str, Any] = field(default_factory=dict)
    #: Earlier weights, by their steps, the last ones not among them; in the same folder and format.
    checkpoints: Sequence[Checkpoint] = ()
    #: Pictures that the training drew of what it had learned; files without a word in them.
    samples: Sequence[MadeImage] = ()
    #: What they were drawn from; empty where there are none.
    sample_prompt: str = ""


@dataclass(frozen=True, kw_only=True)
class MadeImages:
    """What a generation leaves."""

    images: Sequence[MadeImage]
    #: Pictures that the provider's own filter kept back.
    withheld: int = 0


@dataclass(frozen=True, kw_only=True)
class WebhookHint:
    """A provider's word that something happened to a job; a hint to poll at once, never taken for the truth."""

    #: The same for each delivery of one message; the caller drops what it has seen within the time tolerance.
    delivery_id: str
    remote_id: str


class FileLinks(Protocol):
    """Where providers can fetch files of ours."""

    def link(self, path: Path, *, name: str) -> str | None:
        """Return an https URL of this file that ends in `/name` and expires by itself; None without a public URL.

        Two names give two different URLs, so that a name can mark a job.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """An adapter that holds connections of its own."""

    async def close(self) -> None:
        """Let them go; the adapter is not used any more."""
        ...


@runtime_checkable
class HearsWebhooks(Protocol):
    """An adapter whose provider sends word of its own accord."""

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookHint:
        """Verify one delivery, whose body is as it came over the wire, and say which job it is about.

        Raises:
            WebhookRejected: it is not surely from the provider, or too old.
        """
        ...


@runtime_checkable
class KeepsModels(Protocol):
    """A trainer whose provider keeps the models that it trained."""

    async def forget_model(self, facts: Mapping[str, Any]) -> None:
        """Delete the provider's copy of the model that `TrainedLora.facts` tell of; fine if it is gone or never was.

        Raises:
            Refused: the provider keeps it, and says why.
        """
        ...


@runtime_checkable
class Upscales(Protocol):
    """An image maker that enlarges pictures, as `ImageCapabilities.upscale` says."""

    def estimate_upscale(self) -> Estimate:
        """Return what one picture would cost and take, without asking anybody."""
        ...


OrderT_contra = TypeVar("OrderT_contra", contravariant=True)
OutputT_co = TypeVar("OutputT_co", covariant=True)


class Adapter(Protocol[OrderT_contra, OutputT_co]):
    """The calls that the submitter and the tracker make, in the order of a job's life.

    All raise `providers.errors.ProviderError` and nothing else.
    """

    @property
    def name(self) -> str:
        """Return the short name; stored with every job, so it never changes."""
        ...

    @property
    def title(self) -> str:
        """Return the name for people."""
        ...

    async def check(self) -> Health:
        """Make a free call that shows whether this provider can be used now; never raises."""
        ...

    async def prepare(self, order: OrderT_contra) -> Prepared:
        """Do all that is free, such as uploads; may be called again for the same order."""
        ...

    async def submit(self, order: OrderT_contra, prepared: Prepared) -> str:
        """Send the one paid call and return the provider's id; never retries by itself.

        Raises:
            SubmitUnsure: it may have been accepted.
        """
        ...

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look for a job that was submitted with this marker at or after `since`."""
        ...

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Take one look at the job.

        Raises:
            NotFound: the provider does not know it.
        """
        ...

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Ask for the end of the job; fine to call again, and for a job that has ended."""
        ...

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> OutputT_co:
        """Bring what a succeeded job made into an existing, empty folder; may be called again."""
        ...

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Remove what `prepare` and the job left at the provider; fine to call again."""
        ...


class Trainer(Adapter[TrainingOrder, TrainedLora], Protocol):
    """A provider that turns photos into a LoRA."""

    @property
    def capabilities(self) -> TrainerCapabilities:
        """Return what it can do; read once at start."""
        ...

    def estimate(self, recipe: Recipe, photo_count: int) -> Estimate:
        """Return what such a training would cost and take, without asking anybody."""
        ...


class ImageMaker(Adapter[ImageOrder, MadeImages], Protocol):
    """A provider that makes pictures with a LoRA."""

    @property
    def capabilities(self) -> ImageCapabilities:
        """Return what it can do; read once at start."""
        ...

    def estimate(self, count: int) -> Estimate:
        """Return what that many pictures would cost and take, without asking anybody."""
        ...
