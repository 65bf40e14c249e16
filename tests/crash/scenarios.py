"""What a person does while the bot dies under them, and how one knows that it is over."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from playground.outcome import Outcome
from playground.person import Place, SeenMessage
from playground.server import Playground
from tests.fakes.till import QUEUED, RUNNING, USUAL, Till


class Scenario(StrEnum):
    """What the person does."""

    TRAINING = "training"
    GENERATION = "generation"
    CANCEL = "cancel"

    @property
    def trained(self) -> bool:
        """Tell whether it begins with a model."""
        return self is Scenario.GENERATION


@dataclass(kw_only=True)
class Story:
    """One scenario under way: the person, what they have in front of them, and what the rows say."""

    scenario: Scenario
    discord: Playground
    till: Till
    folder: Path
    person: Place
    #: The message whose button they press.
    message: SeenMessage | Outcome | None = None
    #: The jobs that were there before.
    old: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.old = {row["id"] for row in self.rows("SELECT id FROM jobs")}

    async def begin(self) -> None:
        """Come as far as the press, undisturbed."""
        self.till.script = (QUEUED, RUNNING) if self.scenario is Scenario.CANCEL else USUAL
        if self.scenario is Scenario.GENERATION:
            return
        quote = await self.person.slash("train")
        self.message = quote
        if self.scenario is Scenario.CANCEL:
            await self.person.press(quote, "Train it")
            self.message = await self.person.wait_for(lambda m: "step 1 of 3" in m.text)

    async def act(self) -> None:
        """Press the button, or give the command."""
        if self.scenario is Scenario.GENERATION:
            await self.person.slash("generate", model="Rusty", prompt="rustyfox in the snow", count=2)
        elif self.message is not None:
            await self.person.press(self.message, "Train it" if self.scenario is Scenario.TRAINING else "Cancel")

    def heard(self) -> bool:
        """Tell whether the bot has written down what the person wanted."""
        if self.scenario is Scenario.CANCEL:
            return any(row["cancel_requested"] for row in self.jobs())
        return bool(self.jobs())

    def over(self) -> bool:
        """Tell whether nothing more is going to happen."""
        stale = self.rows(
            "SELECT 1 FROM cards JOIN jobs ON jobs.id = cards.job_id"
            " WHERE cards.shown_revision < jobs.revision AND cards.given_up IS NULL"
        )
        return self.heard() and all(row["cleaned"] for row in self.jobs()) and not stale

    async def until_over(self) -> None:
        """Wait until nothing more is going to happen."""
        while not self.over():  # noqa: ASYNC110 - the rows of another process have no event to wait for
            await asyncio.sleep(0.02)

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs of this story."""
        return [row for row in self.rows("SELECT * FROM jobs") if row["id"] not in self.old]

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Read the bot's database from outside."""
        with closing(sqlite3.connect(f"file:{self.folder / 'darkroom.db'}?mode=ro", uri=True, timeout=10)) as reader:
            reader.row_factory = sqlite3.Row
            return [dict(row) for row in reader.execute(query)]
