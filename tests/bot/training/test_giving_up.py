"""What is given up and what is not: silence, doubt about pictures that nobody sees, a press in a bad moment."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from bot.store.tables import notes
from bot.training.job import JobState
from bot.training.stepper import SILENCE_FACTOR
from providers.registry import Registry
from tests.bot.training.rails import OWNER, laid_rails
from tests.fakes.till import QUEUED, RUNNING
from tests.fakes.till_adapter import TillImageMaker, TillTrainer

HOUR = 3600


async def test_job_is_waited_for_while_its_provider_is_silent(tmp_path):
    async with laid_rails(tmp_path, max_run_seconds=HOUR) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.plan("poll", status=503, times=99)
        rails.clock.time += timedelta(seconds=SILENCE_FACTOR * HOUR - 60)
        job = await rails.step(job.id)
    assert job.state is JobState.RUNNING
    assert job.tries == 1


async def test_job_expires_when_its_provider_is_silent_for_too_long(tmp_path):
    async with laid_rails(tmp_path, max_run_seconds=HOUR) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.plan("poll", status=503, times=99)
        rails.clock.time += timedelta(seconds=SILENCE_FACTOR * HOUR + 60)
        # One failure after a long sleep of ours says nothing; many in a row do.
        job = await rails.step(job.id)
        assert job.state is JobState.RUNNING
        job = await rails.run(job.id, lambda job: job.state.terminal)
    assert job.state is JobState.EXPIRED
    assert "nothing can be expected any more" in job.failure.reason


async def test_sample_pictures_in_doubt_end_so_that_their_training_has_its_last_word(tmp_path):
    def blind(registry: Registry) -> Registry:
        maker = TillImageMaker(registry.image_makers["till"]._url.removesuffix("/pictures"), findable=False)
        return replace(registry, image_makers={"till": maker})

    async with laid_rails(tmp_path, dress=blind) as rails:
        training = await rails.run_to((await rails.begin()).id, JobState.SUCCEEDED)
        _lora, samples = await rails.services.training.outcome(training)
        await rails.run_to(samples.id, JobState.SUBMITTING)
        rails.till.plan("submit", after=True)
        samples = await rails.run_out(samples.id)
    assert samples.state is JobState.FAILED
    assert "Nobody can tell" in samples.failure.reason


async def test_cancel_pressed_while_a_poll_fails_is_looked_at_at_once(tmp_path):
    def impatient(registry: Registry) -> Registry:
        url = registry.trainers["till"]._url.removesuffix("/trainings")
        return replace(registry, trainers={"till": TillTrainer(url, patience=0.2)})

    async with laid_rails(tmp_path, dress=impatient) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        trouble = rails.till.plan("poll", hang=True)
        step = asyncio.create_task(rails.step(job.id))
        await trouble.met.wait()
        await rails.services.training.cancel(OWNER, job.id)
        job = await step
    assert job.tries == 1
    assert job.cancel_requested
    assert job.next_at <= rails.clock.now()


async def test_job_that_nobody_can_be_paid_for_goes_to_each_provider_once_and_ends(tmp_path):
    def two(registry: Registry) -> Registry:
        url = registry.trainers["till"]._url.removesuffix("/trainings")
        return replace(registry, trainers={"till": TillTrainer(url), "other": OtherTrainer(url)})

    async with laid_rails(tmp_path, dress=two) as rails:
        rails.till.plan("submit", status=402, times=99)
        job = await rails.run_out((await rails.begin()).id)
        uploads_left = set(rails.till.uploads)
    assert job.state is JobState.FAILED
    assert job.tried == ("till",)
    assert rails.till.asked["submit"] == 2
    assert not uploads_left


async def test_cancel_pressed_while_the_order_is_made_costs_nothing(tmp_path, monkeypatch):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.SUBMITTING)
        craft = rails.stepper._crafts[job.kind]
        make = craft.order

        async def make_and_cancel(job):
            order = await make(job)
            await rails.services.training.cancel(OWNER, job.id)
            return order

        monkeypatch.setattr(craft, "order", make_and_cancel)
        job = await rails.step(job.id)
    assert job.state is JobState.CANCELED
    assert not rails.till.bill


async def test_cancel_of_a_job_whose_provider_was_removed_ends_it(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.registry.trainers.clear()
        job = await rails.step(job.id)
        assert job.state is JobState.RUNNING
        await rails.services.training.cancel(OWNER, job.id)
        job = await rails.step(job.id)
    assert job.state is JobState.CANCELED
    assert "could not be stopped there" in job.failure.reason


async def test_no_prompt_is_in_what_the_database_complains_of(tmp_path):
    async with laid_rails(tmp_path) as rails:
        statement = sa.insert(notes).values(key="k", value="a secret prompt")
        async with rails.database.begin() as connection:
            await connection.execute(statement)
            with pytest.raises(IntegrityError) as caught:
                await connection.execute(statement)
    assert "a secret prompt" not in str(caught.value)


class OtherTrainer(TillTrainer):
    """The same in another shop."""

    title = "The other till"
    name = "other"
