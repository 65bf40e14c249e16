"""Owns what every engine needs to know of one training, read from its spec; never what an engine does with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from providers.gpu.agent.engine import Work
from providers.gpu.agent.job import NO_ENGINE, NO_IMAGES, Spec, WorkFailed

#: The name of the model's file, without its ending; ai-toolkit also labels its progress bar with it.
LORA = "lora"
#: What the engines take for a photo, of what an archive may hold.
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp"})

_T = TypeVar("_T")


@dataclass(frozen=True)
class Plan:
    """One training, as every engine needs to know it."""

    work: Work
    #: A value of `providers.recipe.BaseModelName`.
    base_model: str
    trigger_word: str
    steps: int
    rank: int
    learning_rate: float
    #: Longest side of a training picture, in pixels.
    resolution: int
    photo_count: int
    #: Where the engine is checked out, and the Python that has what it needs.
    engine_dir: Path
    python: str
    #: Files of the weights, or their names at Hugging Face where the engine takes such.
    weights: Mapping[str, str]
    #: Memory of the GPU in GB.
    vram_gb: int = 24
    #: "bf16", "fp16" for GPUs before NVIDIA's Ampere, or "no", which is also for the CPU.
    precision: str = "bf16"
    seed: int = 42
    #: Share of the steps that see a photo without its caption; None for the engine's own.
    caption_dropout: float | None = None
    #: What to draw on the way, every so many steps; nothing if either is missing.
    sample_prompts: tuple[str, ...] = ()
    sample_every: int = 0
    #: Keep a checkpoint every so many steps; 0 for none.
    save_every: int = 0
    #: The operator's own options by the engine's names, which win over ours; None takes one away.
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def draws(self) -> bool:
        """Tell whether pictures are to be drawn on the way."""
        return bool(self.sample_prompts) and self.sample_every > 0

    def weights_of(self, *names: str) -> list[str]:
        """Return where these weights are.

        Raises:
            WorkFailed: the machine's settings don't name one of them, or name a file that is not there.
        """
        if missing := [name for name in names if not self.weights.get(name)]:
            raise WorkFailed(
                NO_ENGINE,
                "This machine has no weights for {base_model}: {missing}.",
                {"base_model": self.base_model, "missing": ", ".join(missing)},
            )
        for name in names:
            path = Path(self.weights[name])
            if path.is_absolute() and not path.exists():
                raise WorkFailed(
                    NO_ENGINE,
                    "The weights of {base_model} are not where they should be: {name}.",
                    {"base_model": self.base_model, "name": name},
                )
        return [self.weights[name] for name in names]

    def for_memory(self, presets: Mapping[int, _T]) -> _T:
        """Return the preset of the largest GPU that is no larger than this one.

        Raises:
            WorkFailed: this GPU is smaller than the smallest that there is a preset for.
        """
        fitting = [size for size in presets if size <= self.vram_gb]
        if not fitting:
            raise WorkFailed(
                NO_ENGINE,
                "This needs a GPU with {smallest} GB or more; this one has {here}.",
                {"smallest": str(min(presets)), "here": str(self.vram_gb)},
            )
        return presets[max(fitting)]


def plan_of(spec: Spec, work: Work) -> Plan:
    """Return the plan of a training.

    Raises:
        WorkFailed: the spec lacks something, or there are no images.
    """
    photos = [path for path in work.dataset.iterdir() if path.suffix.lower() in IMAGES]
    if not photos:
        raise WorkFailed(NO_IMAGES, "There are no photos in the archive.")
    recipe, settings = spec.recipe, spec.settings
    try:
        return Plan(
            work=work,
            base_model=str(recipe["base_model"]),
            trigger_word=str(recipe["trigger_word"]),
            steps=int(recipe["steps"]),
            rank=int(recipe["rank"]),
            learning_rate=float(recipe["learning_rate"]),
            resolution=int(recipe["resolution"]),
            photo_count=len(photos),
            engine_dir=Path(settings["engine_dir"]),
            python=str(settings["python"]),
            weights={str(name): str(where) for name, where in settings["weights"].items()},
            vram_gb=int(settings.get("vram_gb") or 24),
            precision=str(settings.get("precision") or "bf16"),
            seed=int(settings.get("seed") or 42),
            caption_dropout=None if recipe.get("caption_dropout") is None else float(recipe["caption_dropout"]),
            sample_prompts=spec.sample_prompts,
            sample_every=int(settings.get("sample_every") or 0),
            save_every=int(settings.get("save_every") or 0),
            options=dict(settings.get("options") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WorkFailed(
            NO_ENGINE, "The order can't be read: {error}.", {"error": f"{type(error).__name__} {error}"}
        ) from error
