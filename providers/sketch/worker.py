"""Owns the process that computes one order: `python -m providers.sketch.worker FOLDER LOCK`; never talks to the bot.

LOCK is the number of the inherited descriptor that holds the folder's lock; it is released by the end of the process,
whatever ends it. All that a successor needs is in the folder. A worker ends by itself when its folder disappears.
"""

import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from providers.disk import try_lock
from providers.sketch.desk import Canceled, Desk
from providers.sketch.errors import SketchError
from providers.sketch.order_folder import FolderGone, OrderFolder
from providers.wording import Sentence


def main() -> None:
    """Detach from the process that started us, and work."""
    order = OrderFolder(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)
    os.nice(5)
    sys.exit(0 if _work(order) else 1)


def _work(order: OrderFolder) -> bool:
    """Work on the order; return False after a crash."""
    desk = Desk(order)
    try:
        _serve(order, desk)
    except FolderGone:
        return True
    except Exception as error:  # noqa: BLE001 - the process ends here; its reason must reach the folder
        if not order.submitted:
            return True
        traceback.print_exc()
        reason = error.strerror if isinstance(error, OSError) else type(error).__name__
        desk.crash(
            Sentence("The work stopped with an error of this machine ({reason}).", values={"reason": str(reason)})
        )
        return False
    return True


def _serve(order: OrderFolder, desk: Desk) -> None:
    try:
        with _slot(order, desk):
            # Numpy and Pillow are loaded when there is a slot, so that waiting costs little memory.
            from providers.sketch import jobs  # noqa: PLC0415

            jobs.WORK[order.request()["kind"]](order, desk)
        desk.end("succeeded")
    except Canceled:
        desk.end("canceled")
    except SketchError as error:
        desk.end("failed", error.sentence)


@contextmanager
def _slot(order: OrderFolder, desk: Desk) -> Iterator[None]:
    """Wait until fewer workers compute than may at once."""
    slots = order.path.parent.parent / "slots"
    places = [slots / f"{number}.lock" for number in range(int(order.request()["slots"]))]
    while True:
        desk.listen()
        for place in places:
            held = try_lock(place)
            if held is not None:
                try:
                    yield
                finally:
                    os.close(held)
                return
        time.sleep(0.1)


if __name__ == "__main__":
    main()
