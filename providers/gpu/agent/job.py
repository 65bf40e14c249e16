"""Owns the words of the agent's work: what it is told to train, how far it is, and why it gave up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: How a failure is told apart; the bot has a sentence for each, so never rename one.
OUT_OF_MEMORY = "out of memory"
GATED_WEIGHTS = "gated weights"
NO_IMAGES = "no images"
NAN_LOSS = "nan loss"
NO_RESULT = "no result"
BAD_RESULT = "bad result"
BAD_ARCHIVE = "bad archive"
NO_ENGINE = "no engine"
DISK_FULL = "disk full"
ENGINE_FAILED = "engine failed"
AGENT_FAILED = "agent failed"


@dataclass(frozen=True)
class Spec:
    """What is to be trained, as the bot wrote it in `providers.gpu.engines`."""

    #: The job's marker; also a fine name for output files.
    marker: str
    #: Name of the engine.
    engine: str
    #: As `providers.recipe.Recipe`: base_model, trigger_word, kind, steps, rank, learning_rate, resolution.
    recipe: Mapping[str, Any]
    #: The engine's own: where it is installed, where the weights lie, how much GPU memory there is.
    settings: Mapping[str, Any]
    #: Prompts of sample pictures; may be empty.
    sample_prompts: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Spec:
        """Return the spec that was told; a missing part is a KeyError."""
        return cls(
            marker=str(told["marker"]),
            engine=str(told["engine"]),
            recipe=dict(told["recipe"]),
            settings=dict(told.get("settings") or {}),
            sample_prompts=tuple(told.get("sample_prompts") or ()),
        )


@dataclass(frozen=True)
class Progress:
    """How far the work is; the words of `providers.base.Progress`."""

    #: What is done now, for people: "training", "loading the base model".
    phase: str = ""
    step: int | None = None
    total: int | None = None
    loss: float | None = None
    eta_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as it is told to the bot."""
        return dict(vars(self))


@dataclass(frozen=True)
class Made:
    """What an engine left."""

    lora: str
    #: Sample pictures, the latest last.
    samples: tuple[str, ...] = ()
    #: Plain facts worth keeping with the model, such as the last loss.
    facts: Mapping[str, Any] = field(default_factory=dict)


class WorkFailed(Exception):
    """There will be no result.

    Args:
        code: One of the words above.
        template: What happened and what can be done, one or two sentences for people, with the names of the values in
            braces; never a path, a prompt or a secret.
        values: What stands in it.
    """

    def __init__(self, code: str, template: str, values: Mapping[str, str] | None = None) -> None:
        self.code = code
        self.template = template
        self.values = dict(values or {})
        self.hint = template.format(**self.values) if self.values else template
        super().__init__(self.hint)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is told to the bot: in English, and apart, so that it can be translated there."""
        return {"code": self.code, "hint": self.hint, "template": self.template, "values": self.values}
