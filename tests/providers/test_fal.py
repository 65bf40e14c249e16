"""What is special about fal: two trainers with their own inputs, uploads, failures that look like ends, webhooks."""

import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.base import ExtraLora, LoraFile, RemoteState
from providers.errors import NotFound, Refused, Unavailable, UnexpectedAnswer, WebhookRejected
from providers.fal import api, storage
from providers.fal.endpoints import FLUX_2_TRAINER
from providers.fal.trainer import FalTrainer
from providers.fal.webhooks import FalWebhooks
from providers.recipe import BaseModelName, SubjectKind
from tests.fakes.fal import KEY, OFFENSIVE
from tests.providers.contract import PROMPT, SINCE, TRIGGER_WORD, wait_for
from tests.providers.fal_bench import FalFlux2TrainerBench, FalImageMakerBench, FalTrainerBench
from tests.providers.hosted_bench import make_flux_pictures, make_flux_recipe, make_flux_training
from tests.providers.test_together import playing as playing_together

ZIP = "https://darkroom.example/files/t0k3n/job-1.zip"


@asynccontextmanager
async def playing(bench_type, tmp_path, **changes):
    """Give the bench, its fake fal, and an adapter."""
    bench = bench_type(tmp_path)
    await bench.start()
    try:
        yield bench, bench.fal, bench.make_adapter(**changes)
    finally:
        await bench.stop()


async def submitted(adapter, order):
    prepared = await adapter.prepare(order)
    return await adapter.submit(order, prepared), prepared


async def ended(adapter, order):
    remote_id, prepared = await submitted(adapter, order)
    return await wait_for(adapter, remote_id, prepared)


async def test_fal_flux_1_trainer_is_sent_its_own_inputs(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        await submitted(trainer, bench.make_order("job-1"))
        [sent] = fal.asked("order")
        assert sent.path == "/queue/fal-ai/flux-lora-fast-training"
        assert sent.request == {
            "images_data_url": ZIP,
            "trigger_word": TRIGGER_WORD,
            "steps": 900,
            "is_style": False,
            "create_masks": True,
            "data_archive_format": "zip",
        }


async def test_fal_flux_1_style_is_trained_without_masks(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        await submitted(trainer, make_flux_training(bench.archive(), kind=SubjectKind.STYLE))
        sent = fal.asked("order")[0].request
        assert (sent["is_style"], sent["create_masks"]) == (True, False)


async def test_fal_flux_2_trainer_is_sent_its_own_inputs(tmp_path):
    async with playing(FalFlux2TrainerBench, tmp_path) as (bench, fal, trainer):
        await submitted(trainer, bench.make_order("job-1"))
        [sent] = fal.asked("order")
        assert sent.path == "/queue/fal-ai/flux-2-trainer"
        assert sent.request == {
            "image_data_url": ZIP,
            "steps": 900,
            "learning_rate": 1e-4,
            "default_caption": f"a photo of {TRIGGER_WORD}",
            "output_lora_format": "fal",
        }


async def test_fal_flux_2_trainer_refuses_a_learning_rate_out_of_range(tmp_path):
    async with playing(FalFlux2TrainerBench, tmp_path) as (bench, _, trainer):
        recipe = make_flux_recipe(base_model=BaseModelName.FLUX_2_DEV, learning_rate=0.5)
        with pytest.raises(Refused, match="learning rate"):
            await trainer.prepare(replace(bench.make_order("job-1"), recipe=recipe))


@pytest.mark.parametrize(
    ("base_model", "path"),
    [(BaseModelName.FLUX_1_DEV, "/queue/fal-ai/flux-lora"), (BaseModelName.FLUX_2_DEV, "/queue/fal-ai/flux-2/lora")],
)
async def test_fal_image_maker_follows_the_lora(tmp_path, base_model, path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, fal, maker):
        order = bench.make_order("job-1")
        await submitted(maker, replace(order, lora=replace(order.lora, base_model=base_model)))
        [sent] = fal.asked("order")
        assert sent.path == path
        assert sent.request["loras"] == [
            {"path": "https://darkroom.example/files/t0k3n/job-1.safetensors", "scale": 0.8}
        ]
        assert sent.request["image_size"] == {"width": 720, "height": 1280}


async def test_fal_is_told_of_further_loras_with_links_and_strengths_of_their_own(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, fal, maker):
        order = bench.make_order("job-1")
        extra = [ExtraLora(lora=order.lora, strength=0.5), ExtraLora(lora=order.lora, strength=1.5)]
        await submitted(maker, replace(order, extra_loras=extra))
        [sent] = fal.asked("order")
        base = "https://darkroom.example/files/t0k3n"
        assert sent.request["loras"] == [
            {"path": f"{base}/job-1.safetensors", "scale": 0.8},
            {"path": f"{base}/job-1-1.safetensors", "scale": 0.5},
            {"path": f"{base}/job-1-2.safetensors", "scale": 1.5},
        ]


async def test_fal_is_told_the_webhook_and_how_long_to_keep_files(tmp_path):
    hook = "https://darkroom.example/webhooks/fal?a=1&b=2"
    async with playing(FalTrainerBench, tmp_path, webhook=hook) as (bench, fal, trainer):
        remote_id, _ = await submitted(trainer, bench.make_order("job-1"))
        assert fal.requests[remote_id].webhook == hook
        assert json.loads(fal.requests[remote_id].lifecycle) == {"expiration_duration_seconds": api.KEEP_SECONDS}


async def test_fal_without_links_is_brought_the_archive(tmp_path):
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        remote_id, _ = await submitted(trainer, bench.make_order("job-1"))
        name = fal.requests[remote_id].inputs["images_data_url"].rsplit("/", 1)[1]
        assert name.endswith("job-1.zip")
        assert fal.stored[name].content == bench.archive().read_bytes()
        assert fal.stored[name].content_type == "application/zip"


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(storage, "ONE_PIECE_BYTES", 10)
    monkeypatch.setattr(storage, "PART_BYTES", 8)


async def test_fal_is_brought_a_large_file_in_parts(tmp_path, small_parts):
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        remote_id, _ = await submitted(trainer, bench.make_order("job-1"))
        whole = bench.archive().read_bytes()
        name = fal.requests[remote_id].inputs["images_data_url"].rsplit("/", 1)[1]
        assert fal.stored[name].content == whole
        assert len(fal.asked("part")) == -(-len(whole) // 8)
        [placed] = fal.asked("place")
        assert placed.path.endswith("/initiate-multipart")
        assert not fal.asked("upload")


async def test_fal_is_brought_a_part_again_that_was_lost(tmp_path, small_parts):
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        fal.plan("part", status=503)
        fal.plan("complete", after=True)
        remote_id, _ = await submitted(trainer, bench.make_order("job-1"))
        name = fal.requests[remote_id].inputs["images_data_url"].rsplit("/", 1)[1]
        assert fal.stored[name].content == bench.archive().read_bytes()


async def test_fal_parts_without_an_etag_are_not_taken_for_there(tmp_path, small_parts):
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        fal.plan("part", text="{}", times=9, headers={"Content-Type": "application/json"})
        with pytest.raises(UnexpectedAnswer, match="what it took"):
            await trainer.prepare(bench.make_order("job-1"))
        assert fal.bill == []


async def test_fal_refuses_to_bring_what_is_too_large_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "MOST_BYTES", 10)
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        with pytest.raises(Refused) as refused:
            await trainer.prepare(bench.make_order("job-1"))
        assert "PUBLIC_URL" in refused.value.advice
        assert fal.exchanges == []


@pytest.mark.parametrize("route", ["place", "upload"])
async def test_fal_trouble_with_an_upload_is_passing(tmp_path, route):
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        fal.plan(route, times=3)
        with pytest.raises(Unavailable):
            await trainer.prepare(bench.make_order("job-1"))
        assert fal.bill == []


async def test_fal_sends_no_photo_to_a_place_that_is_not_safe(tmp_path):
    place = {"upload_url": "ftp://elsewhere.example/x", "file_url": "https://fal.media/x"}
    async with playing(FalTrainerBench, tmp_path, links=None) as (bench, fal, trainer):
        fal.plan("place", text=json.dumps(place), headers={"Content-Type": "application/json"})
        with pytest.raises(UnexpectedAnswer):
            await trainer.prepare(bench.make_order("job-1"))


async def test_fal_finds_a_lost_request_among_others_by_its_inputs(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, _, maker):
        lost, prepared = await submitted(maker, bench.make_order("job-1"))
        for number in range(2, 5):
            await submitted(maker, bench.make_order(f"job-{number}"))
        assert await bench.make_adapter().find("job-1", prepared, SINCE) == lost


async def test_fal_find_proves_nothing_for_a_request_that_is_not_listed_yet(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        fal.lists_unfinished = False
        _, prepared = await submitted(trainer, bench.make_order("job-1"))
        assert await trainer.find("job-1", prepared, SINCE) is None
        assert not trainer.capabilities.findable


async def test_fal_notes_of_a_prepared_job_hold_no_prompt(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, _, maker):
        prepared = await maker.prepare(bench.make_order("job-1"))
        assert PROMPT not in json.dumps(prepared)


async def test_fal_progress_is_the_bar_of_the_training_alone(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, _, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
        seen = await wait_for(trainer, remote_id, prepared, RemoteState.RUNNING)
        assert (seen.progress.step, seen.progress.total, seen.progress.loss) == (600, 900, 0.31)


async def test_fal_tells_how_many_wait_before_a_job(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, _, trainer):
        with bench.busy():
            remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
            assert (await trainer.poll(remote_id, prepared)).progress.ahead == 3


async def test_fal_training_costs_its_steps(tmp_path):
    async with playing(FalFlux2TrainerBench, tmp_path) as (bench, _, trainer):
        seen = await ended(trainer, bench.make_order("job-1"))
        assert seen.cost_usd == pytest.approx(900 * 0.0064)


async def test_fal_timeout_of_a_request_is_its_end(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
        fal.requests[remote_id].error_type = "request_timeout"
        seen = await wait_for(trainer, remote_id, prepared)
        assert seen.state is RemoteState.EXPIRED
        assert str(seen.failure) == "fal could not do it: It broke down."


async def test_fal_own_trouble_at_the_end_is_not_the_job_s(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        fal.plan("outcome", status=502, times=3)
        with pytest.raises(Unavailable):
            await ended(trainer, bench.make_order("job-1"))


async def test_fal_rejected_prompt_fails_without_being_repeated(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, _, maker):
        seen = await ended(maker, replace(bench.make_order("job-1"), prompt=f"{PROMPT}, {OFFENSIVE}"))
        assert seen.state is RemoteState.FAILED
        assert str(seen.failure) == "fal could not do it: its rules forbid the photos or the prompt."


async def test_fal_flagged_pictures_are_withheld_and_the_others_kept(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (bench, fal, maker):
        fal.flags = {0}
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        await wait_for(maker, remote_id, prepared)
        made = await maker.collect(remote_id, prepared, tmp_path)
        assert ([image.seed for image in made.images], made.withheld) == ([6], 1)


async def test_fal_cleanup_stops_the_job_and_deletes_its_files(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_long_order("job-1"))
        await trainer.cleanup(remote_id, prepared)
        assert fal.requests[remote_id].canceled
        assert fal.requests[remote_id].forgotten


async def test_fal_cleanup_is_fine_with_a_key_that_may_not_delete(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
        fal.plan("forget", status=403)
        await trainer.cleanup(remote_id, prepared)
        assert fal.requests[remote_id].canceled


async def test_fal_request_of_another_app_is_not_found(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, _, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
        with pytest.raises(NotFound):
            await trainer.poll(remote_id, {**prepared, "endpoint": "fal-ai/flux-2-trainer"})


async def test_fal_check_says_which_endpoint_is_gone(tmp_path):
    async with playing(FalImageMakerBench, tmp_path) as (_, fal, maker):
        fal.offered = {"fal-ai/flux-lora"}
        health = await maker.check()
        assert not health.ok
        assert "fal-ai/flux-2/lora" in health.detail


async def test_fal_check_says_that_the_key_is_wrong(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, _, _adapter):
        settings = bench.settings().model_copy(update={"key": type(bench.settings().key)("another")})
        health = await FalTrainer(settings, bench.session, FLUX_2_TRAINER).check()
        assert not health.ok
        assert "key" in health.detail


@asynccontextmanager
async def hearing(tmp_path, now):
    async with playing(FalTrainerBench, tmp_path) as (bench, fal, _):
        webhooks = FalWebhooks(bench.session, f"{fal.url}/rest/.well-known/jwks.json", clock=lambda: now[0])
        yield fal, webhooks


BODY = b'{"request_id": "abc-1", "status": "OK"}'


async def test_fal_webhook_keys_are_fetched_once(tmp_path):
    now = [time.time()]
    async with hearing(tmp_path, now) as (fal, webhooks):
        for number in range(3):
            hint = await webhooks.verify(fal.signed(BODY, at=int(now[0]), request_id=f"d-{number}"), BODY)
            assert (hint.delivery_id, hint.remote_id) == (f"d-{number}", "abc-1")
        assert len(fal.asked("keys")) == 1


@pytest.mark.parametrize("off", [-301, 301])
async def test_fal_webhook_that_is_too_old_or_from_the_future_is_rejected(tmp_path, off):
    now = [time.time()]
    async with hearing(tmp_path, now) as (fal, webhooks):
        with pytest.raises(WebhookRejected):
            await webhooks.verify(fal.signed(BODY, at=int(now[0]) + off), BODY)


async def test_fal_webhook_of_a_new_key_is_taken_after_a_minute(tmp_path):
    now = [time.time()]
    async with hearing(tmp_path, now) as (fal, webhooks):
        await webhooks.verify(fal.signed(BODY, at=int(now[0])), BODY)
        fal.signing.key = Ed25519PrivateKey.generate()
        with pytest.raises(WebhookRejected):
            await webhooks.verify(fal.signed(BODY, at=int(now[0])), BODY)
        now[0] += 61
        assert await webhooks.verify(fal.signed(BODY, at=int(now[0])), BODY)
        assert len(fal.asked("keys")) == 2


async def test_fal_webhook_forgeries_do_not_make_us_fetch_keys_all_the_time(tmp_path):
    now = [time.time()]
    async with hearing(tmp_path, now) as (fal, webhooks):
        for _ in range(5):
            with pytest.raises(WebhookRejected):
                await webhooks.verify(fal.signed(BODY, at=int(now[0]), key=Ed25519PrivateKey.generate()), BODY)
        assert len(fal.asked("keys")) == 1


async def test_fal_webhook_without_keys_is_not_believed(tmp_path):
    now = [time.time()]
    async with hearing(tmp_path, now) as (fal, webhooks):
        fal.plan("keys", status=500)
        with pytest.raises(Unavailable):
            await webhooks.verify(fal.signed(BODY, at=int(now[0])), BODY)


async def test_fal_lora_of_flux_2_makes_pictures_at_together(tmp_path):
    async with playing(FalFlux2TrainerBench, tmp_path) as (bench, _, trainer):
        remote_id, prepared = await submitted(trainer, bench.make_order("job-1"))
        await wait_for(trainer, remote_id, prepared)
        trained = await trainer.collect(remote_id, prepared, tmp_path)
    lora = LoraFile(path=trained.path, base_model=trained.base_model, format=trained.format, trigger_word=TRIGGER_WORD)
    async with playing_together(tmp_path) as (together, maker):
        assert lora.base_model in maker.capabilities.base_models
        assert lora.format in maker.capabilities.accepts
        order = replace(make_flux_pictures(trained.path), lora=lora)
        await maker.submit(order, await maker.prepare(order))
        assert together.bill == [2]


async def test_fal_key_is_in_no_repr(tmp_path):
    async with playing(FalTrainerBench, tmp_path) as (bench, _, _adapter):
        assert KEY not in repr(bench.settings())
