"""Owns what the engines have in common: prepare once, hear the progress, judge what came of it; starts no process."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from providers.gpu.agent.engine import Command, Work
from providers.gpu.agent.engines.bars import Bar, read_bar
from providers.gpu.agent.engines.lora_file import NoLora, make_public
from providers.gpu.agent.engines.plan import Plan, plan_of
from providers.gpu.agent.engines.symptoms import HINTS, failed, symptom, why
from providers.gpu.agent.job import BAD_RESULT, NAN_LOSS, NO_ENGINE, NO_RESULT, Made, Progress, Spec, WorkFailed

#: Steps with a loss that is no number after which a training is given up. A first one can be a hiccup of 16-bit
#: numbers, which the engines skip; after several, the weights are spoilt and every further minute is wasted.
MOST_NANS = 10
#: Codes that stand for themselves whatever else was printed, in this order.
_TELLING = tuple(HINTS)


class EngineTraining(ABC):
    """One training with an engine that prints a bar of tqdm's and leaves a safetensors file."""

    #: The program's name for people, and its file that is started.
    title: ClassVar[str]
    #: The label of the training's own bar.
    bar_label: ClassVar[str]
    #: What the engine is at, by a part of the line that says so.
    phases: ClassVar[Mapping[str, str]]
    #: What the engine prints for each step whose loss is no number, beside the bar.
    nan_line: ClassVar[str | None] = None

    def __init__(self, spec: Spec, work: Work) -> None:
        self._spec, self._work = spec, work
        self._plan: Plan | None = None
        self._said = Progress()
        self._first_loss: float | None = None
        self._loss: float | None = None
        self._nans = 0
        self._symptoms: set[str] = set()

    @property
    def plan(self) -> Plan:
        """Return what is to be trained."""
        if self._plan is None:
            self._plan = plan_of(self._spec, self._work)
        return self._plan

    def prepare(self) -> Command:
        """Write the engine's files and return how it is started."""
        plan = self.plan
        command, files = self.command(plan), self.files(plan)
        program = self.program(plan)
        if not (plan.engine_dir / program).is_file():
            raise WorkFailed(
                NO_ENGINE,
                "{engine} is not where it should be on this machine: no {program} there.",
                {"engine": self.title, "program": program},
            )
        for name, text in files.items():
            (self._work.config / name).write_text(text, encoding="utf-8")
        return command

    def hear(self, line: str) -> Progress | None:
        """Take one line of its output and return what is new by it."""
        if code := symptom(line):
            self._symptoms.add(code)
        if self.nan_line is not None and self.nan_line in line:
            # It may stand right behind a bar, which ends with no newline.
            self._count_nan()
        bar = read_bar(line)
        if bar is not None:
            return self._tell(self._training(bar)) if self._is_ours(bar) else None
        phase = next((phase for part, phase in self.phases.items() if part in line), None)
        return self._tell(self._standing(phase)) if phase else None

    def judge(self, exit_code: int, tail: Sequence[str]) -> Made:
        """Return what it left. A whole model counts even if the engine failed after it was written."""
        path = self.result(self.plan)
        if not path.is_file():
            raise self._failure(exit_code, tail)
        if self._loss is not None and not math.isfinite(self._loss):
            raise failed(NAN_LOSS)
        try:
            metadata = make_public(path)
        except (NoLora, OSError) as error:
            reason = str(error) if isinstance(error, NoLora) else type(error).__name__
            raise WorkFailed(
                BAD_RESULT,
                "The model that {engine} wrote can't be used: {reason}.",
                {"engine": self.title, "reason": reason},
            ) from error
        return Made(lora=str(path), samples=tuple(map(str, self.samples(self.plan))), facts=self._facts(metadata))

    @abstractmethod
    def program(self, plan: Plan) -> str:
        """Return the file in the engine's folder that is started."""

    @abstractmethod
    def files(self, plan: Plan) -> dict[str, str]:
        """Return the texts that the engine reads, by their names in the folder for configuration."""

    @abstractmethod
    def command(self, plan: Plan) -> Command:
        """Return how it is started."""

    @abstractmethod
    def result(self, plan: Plan) -> Path:
        """Return where the model lies after a training that went well."""

    @abstractmethod
    def samples(self, plan: Plan) -> list[Path]:
        """Return the pictures that were drawn so far, the oldest first."""

    def _is_ours(self, bar: Bar) -> bool:
        return bar.label == self.bar_label and bar.total == self.plan.steps and bar.step <= bar.total

    def _training(self, bar: Bar) -> Progress:
        if bar.has_nan and bar.step != self._said.step:
            self._count_nan()
        if bar.loss is not None:
            self._loss = bar.loss
            self._first_loss = bar.loss if self._first_loss is None else self._first_loss
        loss = self._loss if self._loss is not None and math.isfinite(self._loss) else None
        return Progress(phase="training", step=bar.step, total=bar.total, loss=loss, eta_seconds=bar.eta_seconds)

    def _standing(self, phase: str) -> Progress:
        """Return a phase beside the training; what was reached stays."""
        return Progress(phase=phase, step=self._said.step, total=self._said.total, loss=self._said.loss)

    def _tell(self, progress: Progress) -> Progress | None:
        news = progress != self._said
        self._said = progress
        return progress if news else None

    def _count_nan(self) -> None:
        self._nans += 1
        if self._nans >= MOST_NANS:
            raise failed(NAN_LOSS)

    def _failure(self, exit_code: int, tail: Sequence[str]) -> WorkFailed:
        told = self._symptoms | {code for line in tail if (code := symptom(line))}
        for code in _TELLING:
            if code in told:
                return failed(code)
        if exit_code == 0:
            return WorkFailed(NO_RESULT, "{engine} said that all went well, and left no model.", {"engine": self.title})
        return why(exit_code, tail)

    def _facts(self, metadata: Mapping[str, str]) -> dict[str, Any]:
        numbers = {"first_loss": self._first_loss, "loss": self._loss}
        plan = self.plan
        facts = {"engine": self.title, "photos": plan.photo_count, "steps": plan.steps, "rank": plan.rank}
        return {
            **facts,
            **{name: value for name, value in numbers.items() if value is not None},
            "file": dict(metadata),
        }
