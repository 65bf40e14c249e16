"""`darkroom run` with the till as its only provider: `python -m tests.faults.till_process TILL_URL SECONDS`.

SECONDS is the patience of every part with what is under way at the end; a test need not wait as long as people do.
"""

import sys

from bot import cli, ground
from bot.training import submitter, tracker
from cogs import status
from tests.fakes.till_adapter import till_registry

if __name__ == "__main__":
    ground.build_registry = lambda *_settings, **_parts: till_registry(sys.argv[1])
    status.DRAIN_SECONDS = tracker.DRAIN_SECONDS = submitter.LAST_WORD_SECONDS = float(sys.argv[2])
    sys.exit(cli.main(["run"]))
