"""Owns the shape of an engine: what writes its files, starts it, reads its output and judges its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from providers.gpu.agent.job import Made, Progress, Spec


@dataclass(frozen=True)
class Work:
    """The folders of one training; all exist and belong to it alone."""

    #: The images and their captions (same name, .txt), as the archive held them.
    dataset: Path
    #: For what the engine is told: configuration files.
    config: Path
    #: For what the engine writes.
    output: Path


@dataclass(frozen=True)
class Command:
    """A process to start."""

    argv: Sequence[str]
    cwd: Path
    #: Added to the agent's own environment, from which its secrets are taken out.
    env: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """One training with one engine; made for it by `engines.engine_for` and used once."""

    def prepare(self) -> Command:
        """Write the configuration and return the process to start.

        Raises:
            WorkFailed: it can't be started here (NO_ENGINE, NO_IMAGES).
        """
        ...

    def hear(self, line: str) -> Progress | None:
        """Take one line of its output, ended by a newline or by a carriage return; return what is new by it.

        Raises:
            WorkFailed: going on is of no use; the process is to be ended.
        """
        ...

    def judge(self, exit_code: int, tail: Sequence[str]) -> Made:
        """Return what it left, once it has exited by itself; an exit code of 0 alone is no success.

        Args:
            exit_code: Negative for a signal, as subprocess has it.
            tail: The last lines that it printed.

        Raises:
            WorkFailed: there is no good result; says why as well as it can be told from all that was heard.
        """
        ...


class MakesEngine(Protocol):
    """What `engines.ENGINES` holds by name."""

    def __call__(self, spec: Spec, work: Work) -> Engine:
        """Return an engine for one training."""
        ...
