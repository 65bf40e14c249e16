"""The database: what a migration makes, who gets a row, and what a cancelled caller leaves behind."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot.errors import StartupError
from bot.store import jobs as rows
from bot.store import notes
from bot.store.database import Database, DatabaseClosedError
from bot.store.personal import IMPERSONAL, TRACES
from bot.store.tables import jobs, metadata
from bot.training.job import Failure, JobState
from providers.wording import Sentence
from tests.bot.training.rails import LEASE, OWNER, PLACE, laid_rails


def opened(folder):
    return Database.opened(f"sqlite+aiosqlite:///{folder / 'darkroom.db'}")


async def test_migrations_make_exactly_the_tables(tmp_path):
    async with opened(tmp_path) as database, database.begin() as connection:
        differences = await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))

    assert differences == []


async def test_database_is_opened_again_as_it_was(tmp_path):
    async with opened(tmp_path) as database, database.begin() as connection:
        await notes.put(connection, "key", "value")
    async with opened(tmp_path) as database, database.begin() as connection:
        assert await notes.get(connection, "key") == "value"


async def test_database_that_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "darkroom.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(StartupError, match="cannot be opened"):
        async with opened(tmp_path):
            pass


async def test_commits_survive_a_power_cut(tmp_path):
    async with opened(tmp_path) as database, database.begin() as connection:
        journal = await connection.scalar(sa.text("PRAGMA journal_mode"))
        synchronous = await connection.scalar(sa.text("PRAGMA synchronous"))

    assert (journal, synchronous) == ("wal", 2)


async def test_transaction_after_the_end_is_refused(tmp_path):
    async with opened(tmp_path) as database:
        pass
    with pytest.raises(DatabaseClosedError):
        async with database.begin():
            pass


async def test_transaction_under_way_at_the_end_is_waited_for(tmp_path):
    async def take_time():
        async with database.begin() as connection:
            begun.set()
            await asyncio.sleep(0.05)
            await notes.put(connection, "key", "value")

    begun = asyncio.Event()
    async with opened(tmp_path) as database:
        task = asyncio.create_task(take_time())
        await begun.wait()
    await task
    async with opened(tmp_path) as database, database.begin() as connection:
        assert await notes.get(connection, "key") == "value"


async def test_failed_transaction_leaves_nothing(tmp_path):
    async with opened(tmp_path) as database:

        async def fail():
            async with database.begin() as connection:
                await notes.put(connection, "key", "value")
                raise KeyError

        with pytest.raises(KeyError):
            await fail()
        async with database.begin() as connection:
            assert await notes.get(connection, "key") is None


async def test_cancelled_callers_do_not_keep_others_out(tmp_path):
    async with opened(tmp_path) as database:

        async def write(number):
            async with database.begin() as connection:
                await notes.put(connection, f"key {number}", "value")

        for number in range(120):
            task = asyncio.create_task(write(number))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            async with asyncio.timeout(10), database.begin() as connection:
                await notes.get(connection, "key")


async def test_claim_takes_the_longest_due_first(tmp_path):
    async with laid_rails(tmp_path) as rails:
        ids = []
        for _ in range(3):
            ids.append((await rails.begin()).id)
            rails.clock.move(1)
        async with rails.database.begin() as connection:
            now = rails.clock.now()
            taken = await rows.claim_due(connection, owner="a", at=now, lease=LEASE, limit=2)

    assert {job.id for job in taken} == set(ids[:2])


async def test_claimed_row_is_left_alone_until_its_lease_runs_out(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        [mine] = await rails.claim("a")
        others = await rails.claim("b")
        rails.clock.time += LEASE + timedelta(seconds=1)
        [theirs] = await rails.claim("b")

    assert mine.id == job.id
    assert others == []
    assert theirs.fence == mine.fence + 1


async def test_late_writer_trips_over_the_fence(tmp_path):
    async with laid_rails(tmp_path) as rails:
        await rails.begin()
        [mine] = await rails.claim("a")
        rails.clock.time += LEASE + timedelta(seconds=1)
        [theirs] = await rails.claim("b")
        with pytest.raises(rows.LeaseLostError):
            await rails.stepper.take(mine)
        await rails.stepper.take(theirs)
        job = await rails.job(mine.id)

    assert job.state is JobState.SUBMITTING


async def test_renewal_keeps_only_the_rows_that_are_worked_on(tmp_path):
    async with laid_rails(tmp_path) as rails:
        kept, dropped = await rails.begin(), await rails.begin()
        await rails.claim("a")
        async with rails.database.begin() as connection:
            until = rails.clock.now() + 2 * LEASE
            await rows.renew_leases(connection, owner="a", job_ids=[kept.id], until=until)
        rails.clock.time += LEASE + timedelta(seconds=1)
        taken = await rails.claim("b")

    assert [job.id for job in taken] == [dropped.id]


async def test_two_presses_at_once_give_one_training(tmp_path):
    async with laid_rails(tmp_path) as rails:
        quote = await rails.quote(await rails.draft())
        presses = (rails.training.start(OWNER, quote, PLACE) for _ in range(2))
        first, second = await asyncio.gather(*presses, return_exceptions=True)
        jobs = await rails.training.jobs(OWNER)

    assert sorted([type(first).__name__, type(second).__name__]) == ["Job", "WrongMoment"]
    assert len(jobs) == 1


async def test_database_itself_allows_one_training_of_a_draft(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        twin = replace(job, id="another")
        with pytest.raises(sa.exc.IntegrityError):
            async with rails.database.begin() as connection:
                await rows.insert(connection, twin)
        await rails.training.cancel(OWNER, job.id)
        await rails.run_out(job.id)
        async with rails.database.begin() as connection:
            await rows.insert(connection, twin)


async def test_failure_is_kept_with_the_values_of_its_sentences(tmp_path):
    why = Sentence(
        "{box} ended: {said}.", values={"box": "Till", "said": Sentence("out of {what}", values={"what": 3})}
    )
    failed = Failure.of(why, advice=Sentence("Wait for {hours} hours.", values={"hours": 2.5}))
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        async with rails.database.begin() as connection:
            await rows.insert(connection, replace(job, id="other", draft_id=None, failure=failed))
            read = await rows.get(connection, "other")

    assert read.failure == failed
    assert read.failure.sentence == "Till ended: out of 3. Wait for 2.5 hours."


async def test_failure_of_an_earlier_version_is_still_told(tmp_path):
    earlier = {"reason": "It said {nothing}.", "advice": "Wait."}
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        async with rails.database.begin() as connection:
            await connection.execute(sa.update(jobs).values(failure=earlier))
            read = await rows.get(connection, job.id)

    assert read.failure.sentence == "It said {nothing}. Wait."


@pytest.mark.parametrize("basis", ["a guess", Sentence("{usd} an hour", values={"usd": "2"})])
async def test_quote_keeps_what_its_estimate_is_based_on(tmp_path, basis):
    async with laid_rails(tmp_path) as rails:
        quote_id = await rails.quote(await rails.draft())
        async with rails.database.begin() as connection:
            quote = await rows.get_quote(connection, quote_id)
            other = replace(quote, id="other", estimate=replace(quote.estimate, basis=basis))
            await rows.insert_quote(connection, other)
            assert await rows.get_quote(connection, "other") == other


def test_every_table_is_known_to_privacy():
    traced = {trace.table.name for trace in TRACES}
    assert traced | set(IMPERSONAL) == set(metadata.tables)
    assert traced & set(IMPERSONAL) == set()


def test_every_column_with_a_person_is_known_to_privacy():
    named = {(trace.table.name, column) for trace in TRACES for column in people_in(trace)}
    holding = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.c
        if isinstance(column.type, sa.BigInteger) and re.fullmatch(r"(\w+_)?(by|id)", column.name)
        if not re.search(r"guild|channel|message|role|target", column.name)
    }
    rows_of_their_own = {("guilds", "id"), ("ledger", "id"), ("audit", "id")}
    assert holding - named - rows_of_their_own - NOT_WORTH_A_TRACE == set()


#: Who did something to somebody else's thing: it goes with that thing, or is kept with it for its time.
NOT_WORTH_A_TRACE = {("blocks", "by_id"), ("reports", "settled_by")}


def people_in(trace):
    text = str(trace.about(1))
    return {column.name for column in trace.table.c if re.search(rf"\b{trace.table.name}\.{column.name}\b", text)}
