"""Plays every fault of machines and prints what came of it: python -m tests.providers.gpu"""

import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.providers.gpu.faults import FAULTS
from tests.providers.gpu.yard_rails import opened_yard


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command's own voice


async def play_all() -> int:
    """Play them one after the other and return how many machines, processes, rows and files were left over in all."""
    built = left = wrong = 0
    say("| fault | ends | machines built | left over | seconds |\n|---|---|---:|---:|---:|")
    for name, fault in FAULTS.items():
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            async with opened_yard(Path(folder), **fault.how) as yard:
                job = await fault.play(yard)
                over, machines = await yard.left_over(), len(yard.yard.built)
        say(f"| {name} | {job.state} | {machines} | {len(over)} | {time.monotonic() - began:.1f} |")
        built, left, wrong = built + machines, left + len(over), wrong + (job.state is not fault.ends)
    say(f"\nfaults: {len(FAULTS)}, ended otherwise than they should: {wrong}")
    say(f"machines built: {built}, left over: {left}")
    return left + wrong


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    sys.exit(min(asyncio.run(play_all()), 1))
