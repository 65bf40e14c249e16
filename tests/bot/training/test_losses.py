"""Losses as they are heard: kept with the row, thinned, and there after a restart."""

import math

from bot.store import losses
from bot.training.job import JobState
from providers.base import LossPoint
from tests.bot.training.rails import laid_rails


async def heard(rails, job):
    async with rails.database.begin() as connection:
        return [(point.step, point.loss) for point in await losses.of_job(connection, job.id)]


async def test_losses_are_kept_as_the_provider_tells_them(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_out((await rails.begin()).id)
        assert await heard(rails, job) == [(1, 0.9), (2, 0.4), (3, 0.1)]


async def test_losses_of_a_long_training_are_thinned(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.PREPARING)
        told = [LossPoint(step=step, loss=1 / (step + 1)) for step in range(5001)]
        async with rails.database.begin() as connection:
            await losses.note(connection, job.id, told[:3000], total=5000)
            await losses.note(connection, job.id, told, total=5000)
        kept = await heard(rails, job)
        assert 300 <= len(kept) <= 301
        assert kept[0] == (0, 1.0)
        assert kept[-1][0] == 5000


async def test_losses_that_are_no_numbers_are_left_out(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        told = [LossPoint(step=1, loss=math.nan), LossPoint(step=2, loss=math.inf), LossPoint(step=3, loss=0.5)]
        async with rails.database.begin() as connection:
            await losses.note(connection, job.id, told, total=10)
        assert await heard(rails, job) == [(3, 0.5)]


async def test_details_have_a_curve_once_there_are_losses(tmp_path):
    async with laid_rails(tmp_path) as rails:
        job = await rails.begin()
        assert (await rails.services.details.of_training(job.id)).curve is None
        job = await rails.run_out(job.id)
        details = await rails.services.details.of_training(job.id)
        assert details.curve.startswith(b"\x89PNG")
        assert details.reserved_usd == 0.25
