"""What a person does while the bot dies under them, and how one knows that it is over."""

import asyncio
import hashlib
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


class Beginning(StrEnum):
    """What a story begins with."""

    #: A draft of two photos.
    DRAFT = "draft"
    #: The model that was trained from it.
    MODEL = "model"
    #: That model, two drafts that nobody touched since, and photos that wait for a draft.
    ATTIC = "attic"


class Scenario(StrEnum):
    """What the person does."""

    TRAINING = "training"
    GENERATION = "generation"
    CANCEL = "cancel"
    #: They have three strengths compared: three orders and the sheet of them.
    SHEET = "sheet"
    #: They only look at their models, while the bot removes what was kept long enough.
    RETENTION = "retention"

    @property
    def beginning(self) -> Beginning:
        """Return what it begins with."""
        return BEGINNINGS.get(self, Beginning.DRAFT)


BEGINNINGS = {
    Scenario.GENERATION: Beginning.MODEL,
    Scenario.SHEET: Beginning.MODEL,
    Scenario.RETENTION: Beginning.ATTIC,
}
#: What they press.
BUTTONS = {Scenario.TRAINING: "Train it", Scenario.CANCEL: "Cancel", Scenario.SHEET: "Make them"}
#: What is kept how long when everything is due at once.
NO_TIME_DAYS = 1e-6


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
    #: They have seen the answer to what they only looked at.
    answered: bool = False
    #: The jobs that were there before.
    old: set[str] = field(init=False)
    #: The models and pictures that were there before, by key, with the hash of each.
    treasures: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.old = {row["id"] for row in self.rows("SELECT id FROM jobs")}
        keys = self.named_blobs("loras", "pictures")
        self.treasures = {key: hash_of(self.folder / "blobs" / key) for key in keys}

    @property
    def from_the_start(self) -> bool:
        """Tell whether it begins with the bot's first life, rather than with a press in it."""
        return self.scenario is Scenario.RETENTION

    async def begin(self) -> None:
        """Come as far as the press, undisturbed."""
        self.till.script = (QUEUED, RUNNING) if self.scenario is Scenario.CANCEL else USUAL
        if self.scenario is Scenario.GENERATION:
            return
        if self.scenario is Scenario.SHEET:
            card = await self.person.slash("models show", model="Rusty")
            self.message = await self.person.press(card, "Compare strengths")
            return
        quote = await self.person.slash("train")
        self.message = quote
        if self.scenario is Scenario.CANCEL:
            await self.person.press(quote, "Train it")
            self.message = await self.person.wait_for(lambda m: "step 1 of 3" in m.text)

    async def act(self) -> None:
        """Press the button, or give the command."""
        if self.scenario is Scenario.RETENTION:
            self.answered |= "Rusty" in (await self.person.slash("models list")).text
        elif self.scenario is Scenario.GENERATION:
            await self.person.slash("generate", model="Rusty", prompt="rustyfox in the snow", count=2)
        elif self.message is not None:
            await self.person.press(self.message, BUTTONS[self.scenario])

    def heard(self) -> bool:
        """Tell whether the bot has written down what the person wanted."""
        if self.scenario is Scenario.CANCEL:
            return any(row["cancel_requested"] for row in self.jobs())
        return self.answered or bool(self.jobs())

    def over(self) -> bool:
        """Tell whether nothing more is going to happen."""
        stale = self.rows(
            "SELECT 1 FROM cards JOIN jobs ON jobs.id = cards.job_id"
            " WHERE cards.shown_revision < jobs.revision AND cards.given_up IS NULL"
        )
        due = self.scenario is Scenario.RETENTION and (
            self.rows("SELECT 1 FROM photos")
            or self.rows("SELECT 1 FROM drafts WHERE state = 'open'")
            or self.lying_blobs() - self.named_blobs("loras", "pictures")
        )
        return self.heard() and all(row["cleaned"] for row in self.jobs()) and not stale and not due

    async def until_over(self) -> None:
        """Wait until nothing more is going to happen."""
        while not self.over():  # noqa: ASYNC110 - the rows of another process have no event to wait for
            await asyncio.sleep(0.02)

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs of this story."""
        return [row for row in self.rows("SELECT * FROM jobs") if row["id"] not in self.old]

    def named_blobs(self, *tables: str) -> set[str]:
        """Return the keys of the blobs that rows of these tables name."""
        return {row["blob_key"] for table in tables for row in self.rows(f"SELECT blob_key FROM {table}")}

    def lying_blobs(self) -> set[str]:
        """Return the keys of the blobs that are there."""
        blobs = self.folder / "blobs"
        return {str(path.relative_to(blobs)) for path in blobs.rglob("*") if path.is_file()}

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Read the bot's database from outside."""
        with closing(sqlite3.connect(f"file:{self.folder / 'darkroom.db'}?mode=ro", uri=True, timeout=10)) as reader:
            reader.row_factory = sqlite3.Row
            return [dict(row) for row in reader.execute(query)]


def hash_of(path: Path) -> str:
    """Return a file's SHA-256; empty when there is no such file."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
