"""A job from the press to its end: each state is met, each ending is what the row says."""

from datetime import timedelta

import pytest
from safetensors.numpy import load_file

from bot.draft import DraftState
from bot.store import drafts as draft_rows
from bot.store import loras as lora_rows
from bot.training.job import JobState
from tests.bot.training.rails import OWNER, PLACE, laid_rails
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look


async def draft_of(rails, job):
    async with rails.database.begin() as connection:
        return await draft_rows.get(connection, job.draft_id)


async def test_training_passes_every_state_in_order(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        states = [job.state]
        while not job.state.terminal:
            job = await rails.step(job.id)
            states.append(job.state)

    assert list(dict.fromkeys(states)) == [
        JobState.PREPARING,
        JobState.SUBMITTING,
        JobState.QUEUED,
        JobState.RUNNING,
        JobState.COLLECTING,
        JobState.SUCCEEDED,
    ]


async def test_training_shows_what_the_provider_tells(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        job = await rails.run_to(job.id, JobState.RUNNING)

    assert (job.progress.step, job.progress.total, job.progress.loss) == (1, 3, 0.9)
    assert job.cost_usd == 0.25
    assert job.started_at is not None


async def test_training_reckons_its_end_from_its_own_pace(tmp_path):
    async with laid_rails(tmp_path, poll_seconds=10) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        job = await rails.step(job.id)
        ran = (rails.clock.now() - job.started_at).total_seconds()

    assert job.progress.step == 2
    assert (job.eta_at - rails.clock.now()).total_seconds() == pytest.approx(ran / 2, abs=0.1)


async def test_training_leaves_a_model_that_opens(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_out((await rails.begin()).id)
        async with rails.database.begin() as connection:
            lora = await lora_rows.made_by(connection, job.id)
        draft = await draft_of(rails, job)
        weights = load_file(await rails.blobs.as_file(lora.blob_key, tmp_path / "opened"))

    assert set(weights) == {"unet.lora_down", "unet.lora_up"}
    assert lora.size == (tmp_path / "blobs" / lora.blob_key).stat().st_size
    assert draft.state is DraftState.TRAINED


async def test_training_leaves_nothing_behind(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
        await rails.run_out(samples.id)
        uploads = set(rails.till.uploads)

    assert uploads == set()
    assert list((tmp_path / "work").iterdir()) == []


async def test_training_has_its_samples_made(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
        await rails.run_out(samples.id)
        gallery = await rails.generating.gallery(samples.id, with_files=True)

    assert len(gallery.files) == 4
    assert rails.till.bill == [job.marker, samples.marker]


async def test_pictures_are_made_and_kept(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_out((await rails.begin_pictures(count=2)).id)
        gallery = await rails.generating.gallery(job.id, with_files=True)

    assert job.state is JobState.SUCCEEDED
    assert [picture.seed for picture in gallery.pictures] == [job.pictures.seed, job.pictures.seed + 1]
    assert all(file.startswith(b"\x89PNG") for file in gallery.files)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("failed", JobState.FAILED),
        ("canceled", JobState.CANCELED),
        ("expired", JobState.EXPIRED),
        ("lost", JobState.LOST),
    ],
)
async def test_ending_at_the_provider_is_the_rows(tmp_path, status, state):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (QUEUED, RUNNING, Look(status=status, error="The GPU caught fire."))
        job = await rails.run_out((await rails.begin()).id)
        draft = await draft_of(rails, job)

    assert job.state is state
    assert job.failure.reason == "The GPU caught fire."
    assert job.ended_at is not None
    assert draft.state is DraftState.OPEN


async def test_failed_training_can_be_begun_again(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = (Look(status="failed"),)
        first = await rails.run_out((await rails.begin()).id)
        rails.till.script = (SUCCEEDED,)
        draft = await draft_of(rails, first)
        second = await rails.training.start(OWNER, await rails.quote(draft), PLACE)
        second = await rails.run_out(second.id)

    assert second.state is JobState.SUCCEEDED
    assert rails.till.bill.count(first.marker) == rails.till.bill.count(second.marker) == 1


async def test_training_that_runs_too_long_is_stopped(tmp_path):
    async with laid_rails(tmp_path, max_run_seconds=7200) as rails:
        rails.till.script = (QUEUED, RUNNING)
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.clock.time += timedelta(seconds=7201)
        job = await rails.run_out(job.id)
        canceled = rails.till.job(job.marker).canceled

    assert job.state is JobState.EXPIRED
    assert job.failure.told == "It ran for more than 2 hours and was stopped."
    assert canceled


async def test_training_that_is_done_in_time_does_not_expire(tmp_path):
    async with laid_rails(tmp_path, max_run_seconds=7200) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.RUNNING)
        rails.till.job(job.marker).looks[:] = [SUCCEEDED]
        rails.clock.time += timedelta(seconds=7201)
        job = await rails.run_out(job.id)

    assert job.state is JobState.SUCCEEDED


async def test_models_of_one_draft_are_counted(tmp_path):
    async with laid_rails(tmp_path) as rails:
        first = await rails.run_out((await rails.begin()).id)
        other = await rails.run_out((await rails.begin()).id)
        async with rails.database.begin() as connection:
            lora, another = [await lora_rows.made_by(connection, job.id) for job in (first, other)]
            following = await lora_rows.next_version(connection, first.draft_id)

    assert (lora.family_id, lora.version, following) == (first.draft_id, 1, 2)
    assert (another.family_id, another.version) == (other.draft_id, 1)
