"""What is kept for how long; the clock is turned, files and rows are real."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import Services, opened_services
from bot.blobs import Blobs
from bot.consent import Depicted
from bot.downloads import Upload
from bot.draft import DraftState
from bot.retention import Retention, RetentionTimes
from bot.settings import Settings
from bot.store import drafts as rows
from playground.limits import SentFile
from playground.sample_photos import sample_photos
from playground.server import Playground
from providers.recipe import SubjectKind

ALICE = 7
TIMES = RetentionTimes(trained_photos=timedelta(days=30), open_drafts=timedelta(days=7))


class TurnedClock:
    def __init__(self):
        self.moment = datetime(2026, 3, 1, tzinfo=UTC)

    def now(self):
        return self.moment


@dataclass(frozen=True, kw_only=True)
class Attic:
    services: Services
    clock: TurnedClock
    retention: Retention
    photos: Path
    discord: Playground

    async def draft(self, name="Rusty"):
        drafts = self.services.drafts
        return await drafts.open(
            ALICE, name=name, trigger_word="fox", kind=SubjectKind.ANIMAL, base_model=None, depicted=Depicted.NOBODY
        )

    async def send(self, draft_id=None):
        posting, [photo] = self.discord.posting, sample_photos(1, size=512)
        stored = posting.store(self.discord.channel, SentFile(filename=photo.name, data=photo.data))
        upload = Upload(file_name=photo.name, size=len(photo.data), url=f"{posting.cdn_base}{stored.path}")
        return await self.services.intake.receive(ALICE, [upload], draft_id=draft_id)

    async def set_state(self, draft_id, state):
        async with self.services.database.begin() as connection:
            await rows.set_state(connection, draft_id, state, at=self.clock.now())

    def files(self):
        return [path for path in self.photos.rglob("*") if path.is_file()]


@asynccontextmanager
async def open_attic(tmp_path):
    clock = TurnedClock()
    settings = Settings(_env_file=None, darkroom_data_dir=tmp_path / "data")
    async with Playground() as discord, opened_services(settings, clock=clock) as services:
        folder = tmp_path / "data" / "blobs"
        retention = Retention(database=services.database, blobs=Blobs(folder), clock=clock, times=TIMES)
        yield Attic(services=services, clock=clock, retention=retention, photos=folder / "photos", discord=discord)


async def test_retention_discards_a_draft_that_nobody_touched_for_a_week(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=7, seconds=1)
        assert await attic.retention.make_round() == 1
        assert not attic.files()
        assert not await attic.services.drafts.open_drafts(ALICE)


async def test_retention_keeps_a_draft_that_was_touched_this_week(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        attic.clock.moment += timedelta(days=5)
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=5)
        assert await attic.retention.make_round() == 0
        assert len(attic.files()) == 1
        assert await attic.services.drafts.open_drafts(ALICE)


async def test_retention_removes_the_photos_of_a_training_after_a_month(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        await attic.set_state(draft.id, DraftState.TRAINED)
        attic.clock.moment += timedelta(days=29)
        assert await attic.retention.make_round() == 0
        attic.clock.moment += timedelta(days=2)
        assert await attic.retention.make_round() == 1
        assert not attic.files()
        assert await attic.retention.make_round() == 0


async def test_retention_leaves_a_draft_in_training_alone(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        await attic.set_state(draft.id, DraftState.TRAINING)
        attic.clock.moment += timedelta(days=400)
        assert await attic.retention.make_round() == 0
        assert len(attic.files()) == 1


async def test_retention_drops_photos_that_never_got_a_draft(tmp_path):
    async with open_attic(tmp_path) as attic:
        for name in ("Rusty", "Ruby"):
            await attic.draft(name)
        assert (await attic.send()).batch_id is not None
        attic.clock.moment += timedelta(days=8)
        assert await attic.retention.make_round() == 1
        assert not attic.files()
