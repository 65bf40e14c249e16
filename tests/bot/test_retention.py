"""What is kept for how long; the clock is turned, files and rows are real."""

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import opened_services
from bot.blobs import Blobs
from bot.consent import Depicted
from bot.downloads import Upload
from bot.draft import DraftState
from bot.errors import Missing, NotYours
from bot.guild import GuildSettings
from bot.retention import Retention, RetentionTimes
from bot.services import Services
from bot.settings import Settings
from bot.store import drafts as rows
from bot.store import guilds
from bot.store import letters as letter_rows
from playground.limits import SentFile
from playground.sample_photos import sample_photos
from playground.server import Playground
from providers.recipe import SubjectKind
from tests.fresh_database import lay_database

ALICE = 7
TIMES = RetentionTimes(trained_photos=timedelta(days=30), open_drafts=timedelta(days=7), checkpoints=timedelta(days=30))


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

    async def letters(self):
        async with self.services.database.begin() as connection:
            due = await letter_rows.waiting(connection, patience_until=self.clock.moment, limit=100)
        return [one.letter for one in due]

    def files(self):
        return [path for path in self.photos.rglob("*") if path.is_file()]


@asynccontextmanager
async def open_attic(tmp_path):
    clock = TurnedClock()
    settings = Settings(_env_file=None, darkroom_data_dir=tmp_path / "data")
    await lay_database(tmp_path / "data")
    async with Playground() as discord, opened_services(settings, clock=clock) as services:
        folder = tmp_path / "data" / "blobs"
        retention = Retention(database=services.database, blobs=Blobs(folder), clock=clock, times=TIMES)
        yield Attic(services=services, clock=clock, retention=retention, photos=folder / "photos", discord=discord)


async def test_retention_discards_a_draft_that_nobody_touched_for_a_week(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=6, hours=1)
        assert await attic.retention.make_round() == 0
        attic.clock.moment += timedelta(days=1)
        assert await attic.retention.make_round() == 1
        assert not attic.files()
        assert not await attic.services.drafts.open_drafts(ALICE)


async def test_retention_discards_an_empty_draft_without_a_word(tmp_path):
    async with open_attic(tmp_path) as attic:
        await attic.draft()
        attic.clock.moment += timedelta(days=7, seconds=1)
        await attic.retention.make_round()
        assert not await attic.services.drafts.open_drafts(ALICE)
        assert await attic.letters() == []


async def test_retention_warns_a_day_before_and_once(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=5, hours=23)
        await attic.retention.make_round()
        assert await attic.letters() == []
        attic.clock.moment += timedelta(hours=1)
        for _ in range(2):
            await attic.retention.make_round()
        [letter] = await attic.letters()
        assert letter.person_id == ALICE
        assert letter.body["photos"] == 1
        assert letter.body["end"] == (attic.clock.moment + timedelta(days=1)).timestamp()


async def test_retention_that_could_not_warn_in_time_keeps_photos_a_day_longer(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=20)
        assert await attic.retention.make_round() == 0
        attic.clock.moment += timedelta(hours=23)
        assert await attic.retention.make_round() == 0
        attic.clock.moment += timedelta(hours=1)
        assert await attic.retention.make_round() == 1


async def test_retention_does_not_wait_for_those_who_want_no_warning(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        await attic.services.privacy.change(ALICE, tell_deletion=False)
        attic.clock.moment += timedelta(days=7, seconds=1)
        assert await attic.retention.make_round() == 1
        assert await attic.letters() == []


async def test_retention_begins_anew_for_a_draft_that_is_to_be_kept(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        attic.clock.moment += timedelta(days=6, hours=1)
        await attic.retention.make_round()
        assert await attic.retention.keep(ALICE, draft.id) == attic.clock.moment + timedelta(days=7)
        attic.clock.moment += timedelta(days=2)
        assert await attic.retention.make_round() == 0
        attic.clock.moment += timedelta(days=4, hours=1)
        await attic.retention.make_round()
        assert len(await attic.letters()) == 2


async def test_retention_lets_nobody_keep_what_is_not_theirs(tmp_path):
    async with open_attic(tmp_path) as attic:
        draft = await attic.draft()
        await attic.send(draft.id)
        with pytest.raises(NotYours):
            await attic.retention.keep(ALICE + 1, draft.id)
        with pytest.raises(Missing):
            await attic.retention.keep(ALICE, "nothing")


async def test_retention_forgets_a_server_a_week_after_it_was_left(tmp_path):
    async with open_attic(tmp_path) as attic:
        async with attic.services.database.begin() as connection:
            await guilds.put(connection, 5, GuildSettings(blocked_words=("x",)), at=attic.clock.moment)
        await attic.services.departures.left(5)
        attic.clock.moment += timedelta(days=6)
        await attic.retention.make_round()
        assert (await attic.services.guilds.settings(5)).blocked_words == ("x",)
        attic.clock.moment += timedelta(days=2)
        await attic.retention.make_round()
        assert (await attic.services.guilds.settings(5)).blocked_words == ()


async def test_retention_keeps_a_server_that_was_joined_again(tmp_path):
    async with open_attic(tmp_path) as attic:
        async with attic.services.database.begin() as connection:
            await guilds.put(connection, 5, GuildSettings(blocked_words=("x",)), at=attic.clock.moment)
        await attic.services.departures.compare([])
        attic.clock.moment += timedelta(days=6)
        await attic.services.departures.compare([5])
        attic.clock.moment += timedelta(days=2)
        await attic.retention.make_round()
        assert (await attic.services.guilds.settings(5)).blocked_words == ("x",)


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
        attic.clock.moment += timedelta(days=1)
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
