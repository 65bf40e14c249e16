"""Trainings in line: who goes next, what they are told of their place and their end, and that it comes true."""

import pytest

from bot.store import cards as card_rows
from bot.store import jobs as job_rows
from bot.training.job import JobState
from tests.bot.training.rails import OWNER, PLACE, laid_rails
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED

ONE = {"darkroom_provider_trainings": 1}


async def begun(rails, count):
    """Begin some trainings, a second apart."""
    jobs = []
    for _ in range(count):
        jobs.append(await rails.begin())
        rails.clock.move(1)
    return jobs


async def step_all(rails, times=1):
    """Take every row that is due on, some times."""
    for _ in range(times):
        for claimed in await rails.claim():
            await rails.stepper.take(claimed)


async def test_training_waits_while_another_has_the_only_place(tmp_path):
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.till.script = (QUEUED, RUNNING)
        first, second, third = await begun(rails, 3)
        await step_all(rails, 3)
        jobs = [await rails.job(job.id) for job in (first, second, third)]
        assert [job.turn_at is not None for job in jobs] == [True, False, False]
        assert [job.state for job in jobs[1:]] == [JobState.PREPARING] * 2
        assert [job.progress.ahead for job in jobs] == [None, 0, 1]
        assert len(rails.till.bill) <= 1


async def test_next_in_line_goes_on_when_the_place_is_free(tmp_path):
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.till.script = (QUEUED, RUNNING)
        first, second, third = await begun(rails, 3)
        await step_all(rails, 3)
        rails.till.job(first.marker).looks[:] = [SUCCEEDED]
        await rails.run(first.id, lambda job: job.state.terminal)
        # They are called with the end, and need not look for it.
        await step_all(rails)
        assert (await rails.job(second.id)).turn_at is not None
        waiting = await rails.job(third.id)
        assert (waiting.turn_at, waiting.progress.ahead) == (None, 0)


async def test_place_of_who_is_stopped_in_line_falls_to_the_next(tmp_path):
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.till.script = (QUEUED, RUNNING)
        first, second, third = await begun(rails, 3)
        await step_all(rails, 3)
        await rails.training.cancel(OWNER, second.id)
        await step_all(rails, 2)
        assert (await rails.job(second.id)).state is JobState.CANCELED
        assert (await rails.job(third.id)).progress.ahead == 0
        assert rails.till.bill in ([], [first.marker])


async def test_person_has_no_more_at_work_than_they_may(tmp_path):
    async with laid_rails(tmp_path, settings={"darkroom_person_trainings": 2}) as rails:
        rails.till.script = (QUEUED, RUNNING)
        jobs = await begun(rails, 3)
        await step_all(rails, 3)
        standing = [(await rails.job(job.id)) for job in jobs]
        assert [job.turn_at is not None for job in standing] == [True, True, False]
        assert standing[2].progress.ahead == 0


async def test_waiting_rows_are_not_written_while_nothing_changes(tmp_path):
    async with laid_rails(tmp_path, settings=ONE, poll_seconds=1000) as rails:
        rails.till.script = (QUEUED, RUNNING)
        _first, second = await begun(rails, 2)
        await step_all(rails, 3)
        before = (await rails.job(second.id)).revision
        for _ in range(3):
            await rails.step(second.id)
        assert (await rails.job(second.id)).revision <= before + 1


async def test_expected_end_of_who_waits_is_when_it_really_ends(tmp_path):
    """The till takes as long as it says: what is reckoned at the start comes true to a few seconds."""
    async with laid_rails(tmp_path, settings=ONE, poll_seconds=1) as rails:
        minutes = rails.registry.trainers["till"].estimate(None, 2).minutes
        rails.till.script = (QUEUED, RUNNING)
        first, second = await begun(rails, 2)
        await step_all(rails, 2)
        told = (await rails.job(second.id)).eta_at
        for job in (first, second):
            began = await rails.run(job.id, lambda row: row.turn_at is not None)
            await rails.run_to(job.id, JobState.RUNNING)
            rails.clock.time = began.turn_at
            rails.clock.move(minutes * 60)
            rails.till.job(job.marker).looks[:] = [SUCCEEDED]
            ended = await rails.run(job.id, lambda row: row.state.terminal)
        assert (ended.ended_at - told).total_seconds() == pytest.approx(0, abs=15)


async def test_turn_after_a_long_wait_deserves_a_word(tmp_path):
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.till.script = (QUEUED, RUNNING)
        first, second = await begun(rails, 2)
        await step_all(rails, 2)
        rails.clock.move(3600)
        rails.till.job(first.marker).looks[:] = [SUCCEEDED]
        await rails.run(first.id, lambda job: job.state.terminal)
        await rails.run_to(second.id, JobState.RUNNING)
        due = []
        for job in (first, second):
            async with rails.database.begin() as connection:
                card = await card_rows.get(connection, job.id)
            due.append((await rails.services.cards.view(card)).turn_word_due)
        assert due == [False, True]


async def test_line_is_where_it_was_after_a_restart(tmp_path):
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.till.script = (QUEUED, RUNNING)
        first, second = await begun(rails, 2)
        await step_all(rails, 3)
    async with laid_rails(tmp_path, settings=ONE) as rails:
        rails.clock.move(60)
        async with rails.database.begin() as connection:
            rows = await job_rows.trainings_at(connection, provider="till")
        assert [(job.id, job.turn_at is None) for job in rows] == [(first.id, False), (second.id, True)]
        assert PLACE.guild_id == rows[0].guild_id
