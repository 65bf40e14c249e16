"""Owns the lock that says which process the data folder belongs to; never what is in it."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import StartupError

#: Seconds that a start waits for the process before it to end.
LOCK_SECONDS = 5.0


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system lets go when the process dies, however it dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise StartupError(
                        f"Another Darkroom runs on the folder {folder}.",
                        advice="Stop it first, or set DARKROOM_DATA_DIR to another folder.",
                    ) from error
                time.sleep(0.1)
        yield
