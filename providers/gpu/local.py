"""Owns the box that is this machine: a process for each training, which outlives the bot and is found again by it.

A training that began goes on whatever becomes of the bot; one that waits for its GPU is started again if its process
died. Everything that is ended or adopted is known as ours, by the lock that only it can hold, by its number together
with its start, or by a mark in its environment: never by a number alone.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from providers.base import Health
from providers.disk import is_marker
from providers.errors import Refused, Unavailable
from providers.gpu.box import BoxOrder, BoxPrice, BoxState, BoxStatus, BoxTerms, Ending, OwnedBox
from providers.gpu.local_engine import LocalEngine
from providers.gpu.local_folder import MARK, BoxFolder, handed_on

#: Seconds that an agent gets to end its engine and itself; it gives its engine ten of them.
GRACE_SECONDS = 15.0
_LOOK_SECONDS = 0.1
#: Processes in a row that may die while they wait for a GPU.
_MOST_STARTS = 3
#: A place in the queue may take long, and here it costs nothing.
_QUEUE_SECONDS = 30 * 86_400.0

P = ParamSpec("P")
R = TypeVar("R")


class LocalBox:
    """This machine and its GPUs, one training on each at a time; others wait.

    Args:
        folder: Where its boxes' folders are; made when needed.
        slots: The folder with a lock for each GPU, which others who work on it take too.
        engine: What is installed here, for `check`.
        gpus: The numbers of the GPUs, as CUDA_VISIBLE_DEVICES takes them.
        secrets: What only the engine's process finds in its environment, such as HF_TOKEN.
    """

    def __init__(
        self,
        folder: Path,
        engine: LocalEngine,
        *,
        slots: Path,
        gpus: Sequence[str] = ("0",),
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder.absolute()
        self._engine = engine
        self._slots = slots.absolute()
        self._gpus = list(gpus)
        self._secrets = dict(secrets or {})

    @property
    def name(self) -> str:
        """Return the short name."""
        return "local"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "Own GPU"

    @property
    def terms(self) -> BoxTerms:
        """Return what it declares."""
        return BoxTerms(
            settle_seconds=0,
            start_seconds=_QUEUE_SECONDS,
            poll_seconds=2,
            ending=Ending.EXIT,
            vram_gb=self._engine.vram_gb,
        )

    async def check(self) -> Health:
        """Tell whether everything is where it should be; never raises."""
        try:
            await _off_loop(self._open)
        except Unavailable as error:
            return Health(ok=False, wording=error.sentence)
        return await self._engine.check()

    def price(self) -> BoxPrice:
        """Return that it is free."""
        return BoxPrice(low_usd=0, high_usd=0, basis="runs on this machine: free")

    async def create(self, order: BoxOrder) -> str:
        """Write the box down, then start its process."""
        if not is_marker(order.name):
            raise Refused("The job's name can't name a folder.")
        await _off_loop(self._create, order)
        return order.name

    async def find(self, name: str) -> str | None:
        """Return the name itself if there is such a box."""
        box = self._box(name)
        return name if box is not None and await _off_loop(_exists, box) else None

    async def status(self, box_id: str) -> BoxStatus:
        """Look at the box, and start its process again if that died before it began."""
        box = self._box(box_id)
        state = BoxState.GONE if box is None else await _off_loop(self._look, box)
        return BoxStatus(state=state, raw_state=state.value, usd=0.0, usd_an_hour=0.0)

    async def destroy(self, box_id: str) -> None:
        """End everything that runs for the box and remove its files."""
        box = self._box(box_id)
        if box is None or not await _off_loop(box.path.exists):
            return
        await _off_loop(box.note_end)
        # The agent is asked first, for it ends its engine in good order; what is left is ended without asking.
        await _off_loop(_ask_to_end, box)
        await _until(lambda: not _is_held(box), GRACE_SECONDS)
        await _until(lambda: not _end_all(box), GRACE_SECONDS)
        await _off_loop(box.remove)

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return all boxes, ended ones too."""
        return await _off_loop(self._list)

    def folder_of(self, name: str) -> BoxFolder:
        """Return a box's folder."""
        return BoxFolder(self._folder / "boxes" / name)

    def _box(self, box_id: str) -> BoxFolder | None:
        return self.folder_of(box_id) if is_marker(box_id) else None

    def _open(self) -> None:
        self._slots.mkdir(parents=True, exist_ok=True)
        (self._folder / "boxes").mkdir(parents=True, exist_ok=True, mode=0o700)

    def _create(self, order: BoxOrder) -> None:
        self._open()
        box = self.folder_of(order.name)
        box.create({**order.env, **self._secrets, "DARKROOM_BOX_ID": order.name})
        self._look(box)

    def _list(self) -> list[OwnedBox]:
        boxes = self._folder / "boxes"
        folders = [BoxFolder(path) for path in sorted(boxes.iterdir())] if boxes.exists() else []
        return [
            OwnedBox(id=box.path.name, name=box.path.name, created_at=box.created_at()) for box in folders if box.exists
        ]

    def _look(self, box: BoxFolder) -> BoxState:
        if not box.exists:
            return BoxState.GONE
        lock = box.try_lock()
        if lock is None:
            return BoxState.RUNNING if box.began else BoxState.STARTING
        try:
            if box.began or box.destroyed or box.starts() >= _MOST_STARTS:
                return BoxState.ENDED
            box.note_start()
            self._start(box, lock)
        finally:
            os.close(lock)
        return BoxState.STARTING

    def _start(self, box: BoxFolder, lock: int) -> None:
        """Start a process that holds the lock.

        What is started here only forks and ends, which is waited for: the process is nobody's child, so it is not ended
        with the bot and never a zombie.
        """
        root = Path(__file__).parents[2]
        command = [sys.executable, "-P", "-u", "-m", "providers.gpu.local_process"]
        with box.log.open("ab") as log:
            subprocess.run(  # noqa: S603 - our own interpreter and module, and folders that we named
                [*command, str(box.path), str(lock), str(self._slots), *self._gpus],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[lock],
                start_new_session=True,
                cwd="/",
                env={**handed_on(), "PYTHONPATH": str(root), MARK: str(box.path)},
                check=True,
                timeout=60,
            )


def _exists(box: BoxFolder) -> bool:
    return box.exists


def _ask_to_end(box: BoxFolder) -> None:
    process = box.process()
    if process is not None and process.lives:
        _signal(process.pid, signal.SIGTERM)


def _end_all(box: BoxFolder) -> bool:
    """Kill everything that runs for a box; True while something does."""
    left = box.processes()
    for pid in left:
        _signal(pid, signal.SIGKILL)
    return bool(left) or _is_held(box)


def _is_held(box: BoxFolder) -> bool:
    lock = box.try_lock()
    if lock is not None:
        os.close(lock)
    return lock is None


async def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for other processes, which send no word."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not await _off_loop(condition):  # noqa: ASYNC110 - see above
                await asyncio.sleep(_LOOK_SECONDS)


async def _off_loop(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Run blocking work in a thread; a file system's trouble becomes a provider's."""
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except (OSError, subprocess.SubprocessError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        advice = "The operator of this bot has to look at its data folder."
        raise Unavailable(
            "The folder of local trainings can't be used ({reason}).", values={"reason": reason}, advice=advice
        ) from error


def _signal(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, how)
