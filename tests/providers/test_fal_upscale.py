"""Enlarging at fal, by what the contract asks of every job: prepared for nothing, paid once, found, brought home."""

from dataclasses import replace

import pytest
from PIL import Image

from providers.base import Enlargement, RemoteState
from providers.errors import Refused, SubmitUnsure
from providers.picture_orders import refuse_unfit
from tests.providers.contract import SINCE, Fault, wait_for
from tests.providers.fal_bench import FalImageMakerBench
from tests.providers.test_fal import playing


def enlarging(bench, tmp_path, factor=2.0):
    picture = tmp_path / "picture.png"
    Image.new("RGB", (1024, 1024), (200, 90, 40)).save(picture)
    return replace(bench.make_order("job-1"), count=1, enlarge=Enlargement(picture=picture, factor=factor))


async def test_upscale_goes_from_prepare_to_cleanup_each_call_repeatable(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, fal, maker):
        order = enlarging(bench, tmp_path)
        prepared = await maker.prepare(order)
        assert await maker.prepare(order) == prepared
        assert await maker.find("job-1", prepared, SINCE) is None
        remote_id = await maker.submit(order, prepared)
        assert await maker.find("job-1", prepared, SINCE) == remote_id
        end = await wait_for(maker, remote_id, prepared)
        assert (end.state, end.cost_usd) == (RemoteState.SUCCEEDED, round(12.5 * 0.00111, 4))
        for name in ("first", "second"):
            into = tmp_path / name
            into.mkdir()
            [made] = (await maker.collect(remote_id, prepared, into)).images
            assert (made.path.suffix, made.width, made.height, made.seed) == (".jpg", 2048, 2048, 5)
        await maker.cleanup(remote_id, prepared)
        await maker.cleanup(remote_id, prepared)
        assert fal.requests[remote_id].forgotten
        [sent] = fal.asked("order")
        assert sent.path == "/queue/fal-ai/esrgan"
        assert sent.request == {
            "image_url": "https://darkroom.example/files/t0k3n/job-1.png",
            "scale": 2.0,
            "model": "RealESRGAN_x4plus",
            "output_format": "jpeg",
        }


async def test_upscale_without_a_public_url_uploads_the_picture(tmp_path):
    async with playing(FalImageMakerBench, tmp_path, links=None) as (bench, fal, maker):
        order = enlarging(bench, tmp_path)
        await maker.submit(order, await maker.prepare(order))
        [stored] = fal.stored.values()
        assert (stored.content, stored.content_type) == (order.enlarge.picture.read_bytes(), "image/png")


async def test_upscale_whose_answer_is_lost_is_unsure_and_paid_once(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, fal, maker):
        order = enlarging(bench, tmp_path)
        prepared = await maker.prepare(order)
        await bench.inject(Fault.CUT_AFTER_ACCEPTING)
        with pytest.raises(SubmitUnsure):
            await maker.submit(order, prepared)
        assert fal.bill == ["fal-ai/esrgan"]
        assert await maker.find("job-1", prepared, SINCE) is not None


async def test_upscale_beyond_its_factors_is_refused(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, _fal, maker):
        with pytest.raises(Refused, match="1 to 8 times"):
            await maker.prepare(enlarging(bench, tmp_path, factor=9.0))


async def test_upscale_is_refused_by_who_declares_none(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, _fal, maker):
        can = replace(maker.capabilities, upscale=None)
        with pytest.raises(Refused, match="can't enlarge"):
            refuse_unfit(enlarging(bench, tmp_path), can, title="Other")


async def test_upscale_estimate_is_sane(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (_bench, _fal, maker):
        told = maker.estimate_upscale()
        assert 0 < told.low_usd < told.high_usd
        assert "fal.ai/models/fal-ai/esrgan, 2026-11-26" in str(told.basis)
