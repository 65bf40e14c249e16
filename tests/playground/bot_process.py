"""The tests' small bot as a process of its own: `python -m tests.playground.bot_process API GATEWAY TOKEN`."""

import asyncio
import sys
from dataclasses import dataclass

from tests.playground.bots import PlainBot
from tests.playing import dial


@dataclass(frozen=True)
class Address:
    api_base: str
    gateway_url: str


if __name__ == "__main__":
    dial(Address(*sys.argv[1:3]))
    asyncio.run(PlainBot().start(sys.argv[3]))
