"""Owns how the stand-ins for trainers behave: at what pace, what they print, and how they fail when told to."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

#: Where the stand-in's folder says how it is to behave.
MOOD_FILE = "stand-in.json"


class Trouble(StrEnum):
    """How a training may go wrong."""

    NONE = "none"
    OUT_OF_MEMORY = "it says that the GPU's memory ran out, exit code 1"
    GATED = "the hub refuses the weights, exit code 1"
    NAN = "its loss is no number from half-way on"
    NO_FILE = "it says that it is done and leaves no file, exit code 0"
    CUT_FILE = "it leaves half a file, exit code 0"
    CRASH = "it ends with an error in the middle, exit code 1"
    KILLED = "the system kills it in the middle"
    FULL_DISK = "the disk is full when it saves, exit code 1"
    HANG = "it stands still in the middle"
    DEAF = "it stands still in the middle and ignores SIGTERM"
    NO_ROOM_TO_DRAW = "the GPU's memory runs out when it draws a picture, exit code 1"
    FAILS_AFTER_SAVING = "it saves its model and fails after that, exit code 1"


class TrainingStopped(Exception):
    """The stand-in ends with exit code 1 after a traceback with this text."""


@dataclass(frozen=True, kw_only=True)
class Mood:
    """How a stand-in behaves."""

    trouble: Trouble = Trouble.NONE
    seconds_a_step: float = 0.002
    #: Seconds before the first step.
    seconds_before: float = 0.0

    def save(self, folder: Path) -> None:
        """Tell the stand-in in this folder."""
        (folder / MOOD_FILE).write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return how the stand-in in this folder is to behave."""
        told = json.loads((folder / MOOD_FILE).read_text())
        return cls(**{**told, "trouble": Trouble(told["trouble"])})


_OUT_OF_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 72.00 MiB. GPU 0 has a total capacity of 23.64 GiB "
    "of which 11.81 MiB is free. Including non-PyTorch memory, this process has 23.61 GiB memory in use."
)
_GATED = (
    "huggingface_hub.errors.GatedRepoError: 401 Client Error. (Request ID: Root=1-0)\n\n"
    "Cannot access gated repo for url https://huggingface.co/black-forest-labs/FLUX.1-dev/resolve/main/config.json.\n"
    "Access to model black-forest-labs/FLUX.1-dev is restricted. You must have access to it and be authenticated to "
    "access it. Please log in."
)


class Stage:
    """What a stand-in prints and when it fails.

    Args:
        label: What stands before its bar.
    """

    def __init__(self, mood: Mood, label: str, total: int) -> None:
        self.mood = mood
        self._label, self._total = label, total
        self._began = time.monotonic()

    def begin(self) -> None:
        """Load the model, or fail to."""
        time.sleep(self.mood.seconds_before)
        if self.mood.trouble is Trouble.GATED:
            raise TrainingStopped(_GATED)
        self._began = time.monotonic()
        self._bar(0, None)

    def step(self, number: int, postfix: str) -> None:
        """Take a step; the bar is drawn twice for it, before and after it knows the new loss."""
        time.sleep(self.mood.seconds_a_step)
        if number == max(1, self._total // 2):
            self._misbehave()
        self._bar(number, None)
        self._bar(number, postfix)

    def draw(self) -> None:
        """Find room for a picture, or fail to."""
        if self.mood.trouble is Trouble.NO_ROOM_TO_DRAW:
            raise TrainingStopped(_OUT_OF_MEMORY)

    def loss(self, number: int) -> float:
        """Return a loss that falls, as long as it is to."""
        if self.mood.trouble is Trouble.NAN and number >= self._total // 2:
            return float("nan")
        return 0.1 + 0.3 / (1 + number / 10)

    def end(self) -> None:
        """End the bar's line."""
        sys.stderr.write("\n")
        sys.stderr.flush()

    def _misbehave(self) -> None:
        match self.mood.trouble:
            case Trouble.OUT_OF_MEMORY:
                raise TrainingStopped(_OUT_OF_MEMORY)
            case Trouble.CRASH:
                raise TrainingStopped("RuntimeError: expected scalar type Half but found Float in '/opt/engine/x.py'")
            case Trouble.KILLED:
                os.kill(os.getpid(), signal.SIGKILL)
            case Trouble.DEAF:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(3600)
            case Trouble.HANG:
                time.sleep(3600)
            case _:
                pass

    def _bar(self, number: int, postfix: str | None) -> None:
        """Draw as tqdm 4.67 does: a carriage return, ten cells in eighths, clocks, pace, and what else there is."""
        spent = time.monotonic() - self._began
        done = number / self._total if self._total else 1.0
        eighths = int(done * 80)
        cells = "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
        pace = "?it/s" if not number else _pace(spent / number)
        left = "?" if not number else _clock(spent / number * (self._total - number))
        more = f", {postfix}" if postfix else ""
        sys.stderr.write(
            f"\r{self._label}: {int(done * 100):3d}%|{cells:<10}| {number}/{self._total} "
            f"[{_clock(spent)}<{left}, {pace}{more}]"
        )
        sys.stderr.flush()


@contextmanager
def as_a_script() -> Iterator[None]:
    """End the process as a script does that failed."""
    try:
        yield
    except TrainingStopped as error:
        sys.stderr.write(f'\nTraceback (most recent call last):\n  File "train.py", line 1, in <module>\n{error}\n')
        sys.exit(1)


def say(text: str) -> None:
    """Print a line on standard output at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def save(mood: Mood, path: Path, content: bytes) -> None:
    """Write the model, unless that is what goes wrong."""
    match mood.trouble:
        case Trouble.NO_FILE:
            return
        case Trouble.FULL_DISK:
            raise TrainingStopped("OSError: [Errno 28] No space left on device")
        case Trouble.CUT_FILE:
            content = content[: len(content) // 2]
        case _:
            pass
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if mood.trouble is Trouble.FAILS_AFTER_SAVING:
        raise TrainingStopped("RuntimeError: cuDNN error: CUDNN_STATUS_INTERNAL_ERROR")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes:02d}:{rest:02d}"


def _pace(seconds: float) -> str:
    return f"{seconds:5.2f}s/it" if seconds > 1 else f"{1 / max(seconds, 1e-6):5.2f}it/s"
