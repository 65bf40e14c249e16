"""Owns the orders of kohya's script on disk and its process; never knows what is drawn.

    loras/        copies of the LoRAs
    request.json  the command; from here on the order exists
    lines         what the script reads
    lock          held (flock) by the script for as long as it lives
    group         the id of its process group
    starts        how often it was started
    cancel        there when the order is to be stopped
    engine.log    what it printed
    results/      the pictures

The script is nobody's child and inherits the descriptors that lock its order and the GPU: it goes on when the bot is
stopped, is known again by the next one, and nobody else can begin while it lives. It ends without telling anybody how,
so that what counts is what it left: all pictures, whole. One that was cut off, say by a power cut, is started again,
once.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from providers.disk import is_marker, try_lock, write_bytes
from providers.errors import ArtifactBroken
from providers.image_files import inspect_image
from providers.wording import Sentence

#: Starts of the script for one order; a second one, because a first may have been cut off from outside.
_MOST_STARTS = 2
_TAIL_BYTES = 64 * 1024
#: Seconds that a killed script may take to be gone.
_GONE_SECONDS = 10.0
#: What the script needs of our environment; it gets none of our keys.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "XDG_CACHE_HOME",
)
#: Leave the group's id behind and the script in the background; the shell that does it is waited for.
_DETACH = 'echo $$ >group; "$@" <lines >>engine.log 2>&1 &'

_ENDED_TWICE = Sentence("The script was ended twice, perhaps because this machine has too little memory.")


class OrderGone(Exception):
    """There is no such order (any more)."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """How far an order is."""

    #: A value of `providers.base.RemoteState`.
    state: str
    phase: str = ""
    step: int = 0
    total: int | None = None
    #: Why it failed, a sentence for the person.
    failure: Sentence | None = None
    #: The last thing that it printed, for the operator; only with a failure.
    last_words: str = ""


class Studio:
    """The folder with all orders; its methods block, so call them off the event loop.

    Args:
        folder: Made when needed.
        gpu: The lock of the GPU; one in the folder by default.
    """

    def __init__(self, folder: Path, *, gpu: Path | None = None) -> None:
        self._folder = folder.absolute()
        self._gpu = (gpu or folder / "gpu.lock").absolute()

    def open(self) -> None:
        """Make the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)

    def has(self, marker: str) -> bool:
        """Tell whether this order exists."""
        return is_marker(marker) and (self._folder / marker / "request.json").is_file()

    def prepare(self, marker: str, loras: Sequence[Path]) -> Sequence[Path]:
        """Copy the LoRAs of an order, and return the copies."""
        order = self._folder / marker
        (order / "loras").mkdir(parents=True, exist_ok=True)
        copies = [order / "loras" / f"{number}.safetensors" for number in range(len(loras))]
        for source, copy in zip(loras, copies, strict=True):
            part = copy.with_suffix(".part")
            shutil.copyfile(source, part)
            part.replace(copy)
        return copies

    def results(self, marker: str) -> Path:
        """Return where the script shall leave its pictures."""
        return self._folder / marker / "results"

    def submit(self, marker: str, command: Sequence[str], lines: str, count: int) -> None:
        """Make the order exist, then begin it where the GPU is free.

        Raises:
            OrderGone: it was not prepared.
        """
        order = self._folder / marker
        if not (order / "loras").is_dir():
            raise OrderGone
        write_bytes(order / "lines", lines.encode())
        write_bytes(order / "request.json", json.dumps({"command": list(command), "count": count}).encode())
        self.look(marker)

    def look(self, marker: str) -> Sight:
        """Return how far an order is; begins it when it has not begun and the GPU is free.

        Raises:
            OrderGone: there is no such order.
        """
        order, request = self._order(marker)
        lock = try_lock(order / "lock")
        if lock is None:
            return _at_work(order, int(request["count"]))
        try:
            return self._without_process(order, request, lock)
        finally:
            os.close(lock)

    def cancel(self, marker: str) -> None:
        """Stop an order.

        Raises:
            OrderGone: there is no such order.
        """
        order, _ = self._order(marker)
        (order / "cancel").touch()
        _end(order)

    def pictures(self, marker: str) -> Sequence[Path]:
        """Return the pictures of an order in the order of its lines, whole or not."""
        return _drawn(self._folder / marker)

    def remove(self, marker: str) -> None:
        """Remove an order with all its files, and end its script."""
        order = self._folder / marker
        if is_marker(marker) and order.is_dir():
            _end(order)
            shutil.rmtree(order, ignore_errors=True)

    def _order(self, marker: str) -> tuple[Path, Mapping[str, Any]]:
        if not self.has(marker):
            raise OrderGone
        order = self._folder / marker
        return order, json.loads((order / "request.json").read_bytes())

    def _without_process(self, order: Path, request: Mapping[str, Any], lock: int) -> Sight:
        """Decide what becomes of an order on which no script works."""
        count, starts = int(request["count"]), _starts(order)
        if starts and _all_whole(order, count):
            return Sight(state="succeeded", step=count, total=count)
        if (order / "cancel").exists():
            return Sight(state="canceled")
        reason = _why(order) if starts else None
        if reason is not None or starts >= _MOST_STARTS:
            last_words = _tail(order).decode("utf-8", "replace").strip().rpartition("\n")[2]
            failure = reason or _ENDED_TWICE
            return Sight(state="failed", failure=failure, last_words=last_words)
        self._gpu.parent.mkdir(parents=True, exist_ok=True)
        gpu = try_lock(self._gpu)
        if gpu is None:
            return Sight(state="queued", phase="waiting for the GPU", total=count)
        try:
            _begin(order, request["command"], (lock, gpu), starts)
        finally:
            os.close(gpu)
        return _at_work(order, count)


def _begin(order: Path, command: Sequence[str], locks: Sequence[int], starts: int) -> None:
    shutil.rmtree(order / "results", ignore_errors=True)
    (order / "results").mkdir()
    write_bytes(order / "starts", str(starts + 1).encode())
    subprocess.run(  # noqa: S603 - the operator's own script, with arguments that we made
        ["/bin/sh", "-c", _DETACH, "sh", *command],
        cwd=order,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {"PYTHONUNBUFFERED": "1"},
        pass_fds=locks,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )


def _end(order: Path) -> None:
    """Kill the script of an order, if one is alive, and wait until it is gone; it saves nothing when it is asked."""
    deadline = time.monotonic() + _GONE_SECONDS
    while (lock := try_lock(order / "lock")) is None:
        with suppress(ValueError, OSError):
            # While the lock is held, its holder is alive, so that the number is still its own.
            os.killpg(int((order / "group").read_bytes()), signal.SIGKILL)
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)
    os.close(lock)


def _at_work(order: Path, count: int) -> Sight:
    done = min(len(_drawn(order)), count)
    loading = b"Generating image" not in _tail(order)
    phase = "loading the model" if loading and not done else f"drawing picture {min(done + 1, count)} of {count}"
    return Sight(state="running", phase=phase, step=done, total=count)


def _drawn(order: Path) -> Sequence[Path]:
    # Their names are the times when they were done.
    return sorted((order / "results").glob("*.png"))


def _all_whole(order: Path, count: int) -> bool:
    drawn = _drawn(order)
    if len(drawn) != count:
        return False
    try:
        for picture in drawn:
            inspect_image(picture)
    except ArtifactBroken:
        return False
    return True


def _starts(order: Path) -> int:
    try:
        return int((order / "starts").read_bytes())
    except (OSError, ValueError):
        return 0


def _tail(order: Path) -> bytes:
    try:
        with (order / "engine.log").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read()
    except OSError:
        return b""


def _why(order: Path) -> Sentence | None:
    """Return why the script ended by itself; None when it was cut off."""
    tail = _tail(order)
    if b"OutOfMemoryError" in tail or b"out of memory" in tail:
        return Sentence("The GPU ran out of memory.")
    if b"FileNotFoundError" in tail or b"No such file" in tail:
        return Sentence("The script misses a file; `darkroom doctor` says which.")
    if b"Traceback" in tail or b"error: " in tail:
        return Sentence("The script ended with an error, whose last line stands in the log of this bot.")
    return None
