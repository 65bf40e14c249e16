"""Owns the files through which the bot and a process on this machine speak about one box; never starts a process.

    box.json      written when the box is created; from here on it exists
    lock          held (flock) by the process for as long as it, or the worker that it forked, lives
    process.json  which process that is, by its number and by when it started
    began         there once it has a GPU; before that, a process that died is started again
    destroyed     there once the box is to go; nothing is started any more
    agent.log     what the agent printed
    work/         the photos and what the engine writes, removed by the agent at its end

Every file is written whole or not at all, so either side may be killed at any moment.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.disk import read_json, try_lock, write_bytes

#: In the environment of everything that runs for a box, with the box's folder: by it we know what is ours.
MARK = "OF_DARKROOM_BOX"
#: Of the bot's own environment, which holds its keys, nothing else is handed on.
_HANDED_ON = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|XDG_CACHE_HOME|HF_HOME|HF_HUB_.*|TORCH_HOME"
    r"|(CUDA|NVIDIA|ROCM|HIP|HSA|PYTORCH|NCCL)_.*"
)


def handed_on() -> dict[str, str]:
    """Return what an engine needs of our environment to find its files and the GPU."""
    return {name: value for name, value in os.environ.items() if _HANDED_ON.fullmatch(name)}


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """A process, and no other that may get its number later."""

    pid: int
    started: str

    @classmethod
    def own(cls) -> "ProcessId":
        """Return this process's own."""
        return cls(pid=os.getpid(), started=_started(os.getpid()) or "")

    @property
    def lives(self) -> bool:
        """Tell whether just this process is still there."""
        return bool(self.started) and _started(self.pid) == self.started


class BoxFolder:
    """One box's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def exists(self) -> bool:
        """Tell whether the box exists."""
        return (self.path / "box.json").exists()

    @property
    def log(self) -> Path:
        """Return where its process prints."""
        return self.path / "agent.log"

    @property
    def work(self) -> Path:
        """Return where its agent works."""
        return self.path / "work"

    @property
    def began(self) -> bool:
        """Tell whether its agent has begun."""
        return (self.path / "began").exists()

    @property
    def destroyed(self) -> bool:
        """Tell whether it is to go."""
        return (self.path / "destroyed").exists()

    def create(self, env: Mapping[str, str]) -> None:
        """Make the box exist; one that exists stays as it is."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.exists:
            self._write("box.json", {"env": dict(env), "created_at": datetime.now(UTC).isoformat()})

    def env(self) -> dict[str, str]:
        """Return what its agent finds in its environment."""
        return {str(name): str(value) for name, value in (self._read("box.json") or {}).get("env", {}).items()}

    def created_at(self) -> datetime:
        """Return when it was created."""
        told = (self._read("box.json") or {}).get("created_at")
        return datetime.fromisoformat(told) if isinstance(told, str) else datetime.now(UTC)

    def process(self) -> ProcessId | None:
        """Return which process it is, dead or alive."""
        told = self._read("process.json")
        return ProcessId(pid=int(told["pid"]), started=str(told["started"])) if told else None

    def note_process(self, process: ProcessId) -> None:
        """Note which process it is."""
        self._write("process.json", {"pid": process.pid, "started": process.started})

    def starts(self) -> int:
        """Return how often a process was started for it."""
        return int((self._read("starts.json") or {}).get("count", 0))

    def note_start(self) -> None:
        """Note that a process is about to be started."""
        self._write("starts.json", {"count": self.starts() + 1})

    def note_beginning(self) -> None:
        """Note that its agent begins."""
        (self.path / "began").touch()

    def note_end(self) -> None:
        """Note that it is to go."""
        with suppress(FileNotFoundError):
            (self.path / "destroyed").touch()

    def try_lock(self) -> int | None:
        """Return a descriptor that holds the lock until it and its copies in other processes are closed, or None."""
        return try_lock(self.path / "lock")

    def processes(self) -> list[int]:
        """Return everything that runs for this box, whoever started it; Linux alone can say."""
        mark = f"{MARK}={self.path}".encode()
        found = []
        for environ in Path("/proc").glob("[0-9]*/environ"):
            # Other people's processes can't be read, and any may end just now.
            with suppress(OSError):
                if mark in environ.read_bytes().split(b"\0"):
                    found.append(int(environ.parent.name))
        return found

    def remove(self) -> None:
        """Remove it with all its files."""
        aside = self.path.with_name(f".removed-{self.path.name}-{os.getpid()}")
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(FileNotFoundError):
            self.path.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def _read(self, name: str) -> dict[str, Any] | None:
        return read_json(self.path / name)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        write_bytes(self.path / name, json.dumps(content).encode())


def can_be_told() -> bool:
    """Tell whether this system can say which process is which."""
    return _started(os.getpid()) is not None


def _started(pid: int) -> str | None:
    """Return what tells a process from any other that had or will have its number; None when there is none such.

    Where there is no /proc nothing can be told for sure, so no process is ever taken for ours.
    """
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    # The second field, in parentheses, is a name that may hold anything; of the others the 22nd is the start.
    fields = told.rpartition(")")[2].split()
    state, start = fields[0], fields[19]
    return None if state == "Z" else f"{boot}/{start}"
