"""Owns the files through which the bot and a worker process speak about one order; never starts or stops a process.

    inputs/        what the order needs, copied by `prepare`
    request.json   written by `submit`; from here on the order exists
    lock           held (flock) by the worker for as long as it lives
    starts.json    how often a worker was started since the last progress
    progress.json  written by the worker
    cancel         there when the order is to be stopped
    worker.log     what a worker printed, a traceback if it crashed
    results/       what the order made

Every file is written whole or not at all, so either side may be killed at any moment.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from providers.disk import read_json, try_lock, write_bytes
from providers.wording import Sentence, Value


class FolderGone(Exception):
    """The order's folder was removed; nobody waits for the result any more."""


@dataclass(frozen=True, kw_only=True)
class WorkerProgress:
    """What a worker tells of its work."""

    #: A value of `providers.base.RemoteState`.
    state: str = "queued"
    phase: str = "waiting for a free place"
    step: int = 0
    total: int | None = None
    loss: float | None = None
    eta_seconds: float | None = None
    #: Why it failed, or why the last worker crashed: a sentence for the person.
    failure: str | None = None
    #: What stands in that sentence.
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def why(self) -> Sentence | None:
        """Return why it failed, with its values."""
        return Sentence(self.failure, values=self.values) if self.failure else None

    @property
    def ended(self) -> bool:
        """Tell whether no worker will touch this order again."""
        return self.state in {"succeeded", "failed", "canceled"}


@dataclass(frozen=True, kw_only=True)
class Starts:
    """How often a worker was started since the order last got on."""

    count: int = 0
    step: int = 0


class OrderFolder:
    """One order's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def inputs(self) -> Path:
        """Return where `prepare` puts copies."""
        return self.path / "inputs"

    @property
    def results(self) -> Path:
        """Return where the worker leaves what it made."""
        return self.path / "results"

    @property
    def log(self) -> Path:
        """Return where the worker prints."""
        return self.path / "worker.log"

    @property
    def cancel_asked(self) -> bool:
        """Tell whether the order is to be stopped."""
        return (self.path / "cancel").exists()

    @property
    def submitted(self) -> bool:
        """Tell whether the order exists."""
        return (self.path / "request.json").exists()

    def ask_cancel(self) -> None:
        """Leave the word that the order is to be stopped."""
        (self.path / "cancel").touch()

    def request(self) -> Mapping[str, Any]:
        """Return what was ordered.

        Raises:
            FolderGone: there is no such order (any more).
        """
        request = self._read("request.json")
        if request is None:
            raise FolderGone
        return request

    def write_request(self, request: Mapping[str, Any]) -> None:
        """Make the order exist; an order that exists keeps its first request."""
        if not self.submitted:
            self._write("request.json", request)

    def progress(self) -> WorkerProgress:
        """Return the worker's last word."""
        return WorkerProgress(**(self._read("progress.json") or {}))

    def write_progress(self, progress: WorkerProgress) -> None:
        """Tell how far the work is.

        Raises:
            FolderGone: the folder was removed.
        """
        self._write("progress.json", asdict(progress))

    def starts(self) -> Starts:
        """Return how often a worker was started."""
        return Starts(**(self._read("starts.json") or {}))

    def write_starts(self, starts: Starts) -> None:
        """Note that a worker is about to be started."""
        self._write("starts.json", asdict(starts))

    def journal(self) -> list[float]:
        """Return the losses that an earlier worker measured."""
        return [float(loss) for loss in (self._read("journal.json") or {}).get("losses", [])]

    def curve(self) -> list[float]:
        """Return the loss of the model after each step, the start included."""
        return [float(loss) for loss in (self._read("journal.json") or {}).get("curve", [])]

    def write_journal(self, losses: list[float], curve: list[float]) -> None:
        """Keep what a worker measured, for the one that may come after it, and the model's loss after each step."""
        self._write("journal.json", {"losses": losses, "curve": curve})

    def try_lock(self) -> int | None:
        """Return a descriptor that holds the lock until it and its copies in other processes are closed, or None."""
        return try_lock(self.path / "lock")

    def _read(self, name: str) -> dict[str, Any] | None:
        return read_json(self.path / name)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        try:
            write_bytes(self.path / name, json.dumps(content).encode())
        except FileNotFoundError as error:
            raise FolderGone from error
