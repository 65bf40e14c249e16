"""Owns the few threads that decode, draw and pack; never knows what a photo is.

Image libraries release the interpreter lock, so two threads keep two cores busy while the event loop answers Discord.
"""

import asyncio
import contextvars
import functools
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import pillow_heif
from PIL import Image

#: Pixels above which no decoder starts at all; Pillow itself refuses, whoever opens the file.
MAX_PIXELS = 120_000_000

P = ParamSpec("P")
T = TypeVar("T")


class WorkOverran(Exception):
    """A piece of work did not end in the time it was given; its thread is left to end on its own."""


class PhotoWorkers:
    """A bounded pool of threads for work on images and archives.

    Owned by whoever opens it: close it, or use it as an async context manager. Opening one prepares Pillow for the
    whole process: HEIF is registered, a decompression bomb is an error, and no decoder prints warnings.

    Args:
        threads: How many pieces of work run at once. A 12 MP JPEG takes 40 MB, the worst file that is let in 650 MB.
        seconds: Time for one piece of work, from its start. A thread cannot be killed, so work that overruns is given
            up and gets no successor on its thread: the pool is replaced, and the old thread ends with its decoder.
    """

    def __init__(self, *, threads: int = 2, seconds: float = 30.0) -> None:
        _prepare_pillow()
        self._threads = threads
        self._seconds = seconds
        self._slots = asyncio.Semaphore(threads)
        self._pool = self._new_pool()

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `work` returns in one of the threads; waits for a free one.

        Raises:
            WorkOverran: It did not end in time.
        """
        async with self._slots:
            pool = self._pool
            future = asyncio.get_running_loop().run_in_executor(
                # In the caller's context, which says what language is spoken.
                pool,
                functools.partial(contextvars.copy_context().run, work, *args, **kwargs),
            )
            try:
                done, _ = await asyncio.wait({future}, timeout=self._seconds)
                if done:
                    return future.result()
            finally:
                future.cancel()  # nobody listens any more: an error that comes later is dropped, not reported
            self._give_up(pool)
            raise WorkOverran(f"not done in {self._seconds:g} s")

    async def aclose(self) -> None:
        """Drop the work that waits and return when the running work has ended."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def _give_up(self, pool: ThreadPoolExecutor) -> None:
        if pool is self._pool:
            self._pool = self._new_pool()
        pool.shutdown(wait=False)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="photo")


def _prepare_pillow() -> None:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    # One decoding thread each: the pool is what bounds the cores.
    pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
    # Filters belong to the process, so they are set once here and not around each photo, where threads would race.
    warnings.filterwarnings("ignore", module=r"(PIL|pillow_heif)(\.|$)")
    warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
