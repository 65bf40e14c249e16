"""Owns the process of a box on this machine: waits for a free GPU, then is the agent; never talks to the bot.

`python -m providers.gpu.local_process FOLDER LOCK SLOTS GPU…`: LOCK is the number of the inherited descriptor that
holds the folder's lock. It is released by the end of the process and of what it forked, whatever ends them.
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from providers.disk import try_lock
from providers.gpu.agent.__main__ import main as be_the_agent
from providers.gpu.local_folder import MARK, BoxFolder, ProcessId

#: Seconds between two looks for a free GPU.
_LOOK_SECONDS = 0.2
#: What a process returns that nobody wants any more.
_UNWANTED = 3


def main() -> int:
    """Detach from the process that started us, wait for a GPU, and be the agent."""
    folder, slots, gpus = BoxFolder(Path(sys.argv[1])), Path(sys.argv[3]), sys.argv[4:]
    if os.fork():
        # Without the interpreter's farewells, so that nothing of the parent's is done twice.
        os._exit(0)
    folder.note_process(ProcessId.own())
    os.nice(5)
    gpu = _wait_for_gpu(folder, slots, gpus)
    if gpu is None:
        return _UNWANTED
    os.environ.update(folder.env())
    os.environ |= {"DARKROOM_WORK": str(folder.work), MARK: str(folder.path), "CUDA_VISIBLE_DEVICES": gpu}
    # Our own modules are no business of the engine's.
    os.environ.pop("PYTHONPATH", None)
    folder.note_beginning()
    return be_the_agent()


def _wait_for_gpu(folder: BoxFolder, slots: Path, gpus: Sequence[str]) -> str | None:
    """Return the GPU that is ours from now on; None when the box is gone meanwhile."""
    while folder.exists and not folder.destroyed:
        for gpu in gpus:
            # Held until this process ends: nobody needs the number of the descriptor.
            if try_lock(slots / f"{gpu}.lock") is not None:
                return gpu
        time.sleep(_LOOK_SECONDS)
    return None


if __name__ == "__main__":
    sys.exit(main())
