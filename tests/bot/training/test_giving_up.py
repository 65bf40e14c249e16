"""What is given up and what is not: silence, doubt about pictures that nobody sees, a press in a bad moment."""

import asyncio
from dataclasses import replace
from datetime import timedelta

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
        job = await rails.step(job.id)
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
