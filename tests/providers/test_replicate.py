import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers.base import ExtraLora, LoraFormat, RemoteState
from providers.errors import ArtifactBroken, Refused, SubmitUnsure, Unavailable, UnexpectedAnswer, WebhookRejected
from providers.prices import PriceList
from providers.recipe import SubjectKind
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.trainer import ReplicateTrainer
from providers.replicate.webhooks import verified_hint
from tests.fakes import replicate as fakes
from tests.fakes.replicate import FakeReplicate, make_lora, make_tar
from tests.openapi import spec_path
from tests.providers.contract import PROMPT, SINCE, TRIGGER_WORD, wait_for
from tests.providers.replicate_bench import (
    SPEC,
    Links,
    ReplicateImageMakerBench,
    ReplicateTrainerBench,
    assert_conforms,
    make_image_order,
    make_recipe,
    make_settings,
    make_training_order,
)


@asynccontextmanager
async def opened(kind, tmp_path):
    bench = kind(tmp_path)
    await bench.start()
    try:
        yield bench
    finally:
        await bench.stop()


def trainer_bench(tmp_path):
    return opened(ReplicateTrainerBench, tmp_path)


def maker_bench(tmp_path):
    return opened(ReplicateImageMakerBench, tmp_path)


def trainer(bench, **changes):
    return bench.make(ReplicateTrainer, **changes)


async def succeeded(adapter, order):
    prepared = await adapter.prepare(order)
    remote_id = await adapter.submit(order, prepared)
    snapshot = await wait_for(adapter, remote_id, prepared)
    assert snapshot.state is RemoteState.SUCCEEDED
    return remote_id, prepared, snapshot


async def collected(adapter, bench, remote_id, prepared):
    into = bench.tmp_path / "out"
    into.mkdir()
    return await adapter.collect(remote_id, prepared, into)


@pytest.mark.skipif(spec_path(SPEC) is None, reason=f"{SPEC} is not here: name its folder in SPECS_DIR")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"request": {"input": {}}}, "request : 'destination' is a required property"),
        ({"answer": {"status": "pondering"}}, "answer status"),
        ({"path": "/trainings/1/2/3"}, "is no operation of Replicate"),
        ({"status": 204}, "status 204"),
    ],
)
async def test_replicate_s_file_judges_requests_and_answers(tmp_path, change, complaint):
    async with trainer_bench(tmp_path) as bench:
        await succeeded(bench.make_adapter(), bench.make_order("job-1"))
        order = next(one for one in bench.fake.exchanges if one.path.endswith("/trainings"))
    fake = FakeReplicate()
    fake.exchanges = [replace(order, **change)]
    with pytest.raises(AssertionError, match=complaint):
        assert_conforms(fake)


async def test_trainer_sends_the_recipe_in_the_trainer_s_words(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = trainer(bench, webhook_url="https://darkroom.example/webhooks/replicate", autocaption_suffix="!")
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        sent = next(one.request for one in bench.fake.exchanges if one.path.endswith("/trainings"))
        [file] = bench.fake.files.values()
        assert sent == {
            "destination": f"{fakes.OWNER}/darkroom-loras",
            "input": {
                "input_images": file["urls"]["get"],
                "trigger_word": TRIGGER_WORD,
                "steps": 300,
                "lora_rank": 16,
                "learning_rate": 4e-4,
                "resolution": "512,768,1024",
                "autocaption": True,
                "autocaption_prefix": f"a photo of {TRIGGER_WORD}, ",
                "autocaption_suffix": "!",
                "batch_size": 1,
                "optimizer": "adamw8bit",
            },
            "webhook": "https://darkroom.example/webhooks/replicate",
            "webhook_events_filter": ["start", "completed"],
        }
        assert json.loads(json.dumps(prepared)) == prepared
        assert prepared["version"] == fakes.TRAINER_VERSION == bench.fake.jobs[remote_id].version


async def test_trainer_speaks_to_the_fast_trainer_by_its_schema(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = trainer(bench, trainer="replicate/fast-flux-trainer")
        prepared = await adapter.prepare(make_training_order(tmp_path, kind=SubjectKind.STYLE))
        assert set(prepared["input"]) == {"input_images", "trigger_word", "training_steps", "lora_type"}
        assert prepared["input"]["lora_type"] == "style"
        assert adapter.capabilities.rank is None


async def test_trainer_refuses_before_payment_what_the_version_doesn_t_take(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = trainer(bench, trainer="replicate/fast-flux-trainer")
        with pytest.raises(Refused, match="at most 1000"):
            await adapter.prepare(make_training_order(tmp_path, steps=1500))
        with pytest.raises(Refused, match="prodigy, adamw8bit"):
            await trainer(bench, optimizer="unheard-of").prepare(make_training_order(tmp_path))
        schema = bench.fake.versions["ostris/flux-dev-lora-trainer", fakes.TRAINER_VERSION]["openapi_schema"]
        inputs = schema["components"]["schemas"]["TrainingInput"]
        schema["components"]["schemas"]["TrainingInput"] = {**inputs, "required": ["input_images", "hf_token"]}
        with pytest.raises(Refused, match="hf_token"):
            await bench.make_adapter().prepare(make_training_order(tmp_path))
        assert bench.fake.files == {}


@pytest.mark.parametrize("settings", [{"trainer": "nobody/nothing"}, {"trainer_version": "0" * 64},
                                      {"trainer": "black-forest-labs/flux-dev-lora"}])  # fmt: skip
async def test_trainer_that_is_not_there_is_told_in_check_and_refused(tmp_path, settings):
    async with trainer_bench(tmp_path) as bench:
        adapter = trainer(bench, **settings)
        health = await adapter.check()
        assert not health.ok
        assert "operator" in health.detail
        with pytest.raises(Refused):
            await adapter.prepare(bench.make_order("job-1"))


async def test_trainer_check_names_account_and_version(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        health = await bench.make_adapter().check()
        assert health.ok
        assert fakes.OWNER in health.detail
        assert fakes.TRAINER_VERSION[:8] in health.detail


async def test_trainer_check_tells_a_wrong_key(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        health = await trainer(bench, token="r8_wrong").check()
        assert not health.ok
        assert "key" in health.detail
        assert "r8_wrong" not in health.detail


async def test_trainer_makes_the_destination_once_and_private(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        for number in range(2):
            await bench.make_adapter().prepare(bench.make_order(f"job-{number}"))
        made = [one.request for one in bench.fake.exchanges if (one.method, one.path) == ("POST", "/models")]
        assert [one["visibility"] for one in made] == ["private"]
        bench.fake.models[f"{fakes.OWNER}/darkroom-loras"] = "public"
        with pytest.raises(Refused, match="public"):
            await bench.make_adapter().prepare(bench.make_order("job-3"))


async def test_trainer_uploads_an_archive_once_for_each_job(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        first = [await bench.make_adapter().prepare(bench.make_order("job-1")) for _ in range(2)]
        other = await bench.make_adapter().prepare(bench.make_order("job-2"))
        assert first[0] == first[1]
        assert other["input"]["input_images"] != first[0]["input"]["input_images"]
        assert len(bench.fake.files) == 2


async def test_trainer_refuses_an_archive_that_is_too_large_to_upload(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        order = bench.make_order("job-1")
        with order.archive.open("r+b") as file:
            file.truncate(100_000_000)
        with pytest.raises(Refused, match="100 MB") as refused:
            await bench.make_adapter().prepare(order)
        assert "PUBLIC_URL" in refused.value.advice
        prepared = await trainer(bench, links=Links()).prepare(order)
        assert prepared["input"]["input_images"].startswith("https://darkroom.example/files/")
        assert bench.fake.files == {}


async def test_trainer_refuses_an_upload_that_expires_too_soon(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        bench.fake.file_life = timedelta(minutes=10)
        with pytest.raises(Refused):
            await bench.make_adapter().prepare(bench.make_order("job-1"))
        assert bench.fake.files == {}


async def test_trainer_doesn_t_submit_what_has_expired(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = {**await adapter.prepare(order), "expires_at": datetime.now(UTC).isoformat()}
        with pytest.raises(Refused, match="expired"):
            await adapter.submit(order, prepared)
        assert bench.accepted_jobs == 0


async def test_trainer_tells_progress_by_its_own_bar_and_the_cost_at_the_end(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        seen = [await adapter.poll(remote_id, prepared) for _ in range(6)]
        assert [look.state for look in seen[:2]] == [RemoteState.RUNNING, RemoteState.RUNNING]
        assert [look.progress.step for look in seen if look.progress] == [0, 100, 200, 300]
        assert seen[1].progress.total == 300
        assert seen[1].progress.loss == 0.31
        assert seen[1].cost_usd is None
        assert seen[-1].cost_usd == pytest.approx(600 * 0.001525)


@pytest.mark.parametrize(
    ("status", "state", "charged"),
    [
        ("starting", RemoteState.QUEUED, True),
        ("processing", RemoteState.RUNNING, True),
        ("succeeded", RemoteState.SUCCEEDED, True),
        ("failed", RemoteState.FAILED, True),
        ("canceled", RemoteState.CANCELED, True),
        ("aborted", RemoteState.EXPIRED, False),
    ],
)
async def test_trainer_knows_all_six_statuses(tmp_path, status, state, charged):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        bench.fake.next_status = status
        seen = await adapter.poll(remote_id, prepared)
        assert (seen.state, seen.raw_state) == (state, status)
        assert charged or "nothing was charged" in str(seen.failure)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB", "smaller resolution"),
        (f"it broke at https://x.example/{TRIGGER_WORD}?sig=1 with {TRIGGER_WORD}", "it broke at (…) with …."),
        (None, "not why"),
    ],
)
async def test_trainer_says_why_a_training_failed(tmp_path, error, told):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        bench.fake.jobs[remote_id].status, bench.fake.jobs[remote_id].error = "failed", error
        failure = str((await adapter.poll(remote_id, prepared)).failure)
        assert told in failure
        assert TRIGGER_WORD not in failure


async def test_trainer_finds_its_job_on_a_later_page_behind_one_that_can_t_be_read(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        ids = []
        for number in range(5):
            order = bench.make_order(f"job-{number}")
            prepared = await adapter.prepare(order)
            ids.append((await adapter.submit(order, prepared), prepared))
        bench.fake.jobs[ids[-1][0]].status = "aborted"
        assert await adapter.find("job-0", ids[0][1], SINCE) == ids[0][0]
        assert await adapter.find("job-0", ids[0][1], datetime.now(UTC) + timedelta(hours=1)) is None


async def test_trainer_doesn_t_say_absent_when_inputs_were_removed(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        since = datetime.now(UTC)
        job = bench.fake.jobs[await adapter.submit(order, prepared)]
        job.removed = True
        with pytest.raises(SubmitUnsure) as unsure:
            await adapter.find("job-1", prepared, since)
        assert "replicate.com" in unsure.value.advice
        assert await adapter.find("job-1", prepared, since - timedelta(hours=1)) is None


async def test_trainer_keeps_the_lora_alone(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        lora = await collected(adapter, bench, remote_id, prepared)
        assert lora.path.read_bytes() == make_lora()
        assert [path.name for path in lora.path.parent.iterdir()] == ["lora.safetensors"]
        assert lora.facts["loss"] == 0.31
        assert lora.facts["seconds"] == 600.0


async def test_trainer_takes_a_bare_safetensors_file(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        bench.fake.delivery = make_lora()
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        assert (await collected(adapter, bench, remote_id, prepared)).path.read_bytes() == make_lora()


@pytest.mark.parametrize(
    "delivery",
    [
        make_tar({"captions/1.txt": b"no LoRA"}),
        make_tar({"a/lora.safetensors": make_lora(), "b/lora.safetensors": make_lora()}),
        make_tar({"../lora.safetensors": make_lora()}),
        make_tar({"lora.safetensors": b"not what it says"}),
        b"<html>not found</html>",
    ],
)
async def test_trainer_trusts_no_delivery(tmp_path, delivery):
    async with trainer_bench(tmp_path) as bench:
        bench.fake.delivery = delivery
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        with pytest.raises(ArtifactBroken):
            await collected(adapter, bench, remote_id, prepared)
        assert list((tmp_path / "out").iterdir()) == []


async def test_trainer_cleans_up_the_upload_stops_the_job_and_keeps_the_version(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        await adapter.cleanup(remote_id, prepared)
        assert bench.fake.files == {}
        assert len(bench.fake.versions) == 4
        await trainer(bench, keep_versions=False).cleanup(remote_id, prepared)
        assert len(bench.fake.versions) == 3
        order = bench.make_long_order("job-2")
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        await adapter.cleanup(remote_id, prepared)
        assert bench.fake.jobs[remote_id].status == "canceled"


async def test_trainer_forgets_a_model_and_does_not_mind_that_it_is_gone(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        lora = await collected(adapter, bench, remote_id, prepared)
        before = len(bench.fake.versions)
        for _ in range(2):
            await adapter.forget_model(lora.facts)
        await adapter.forget_model({"replicate_version": "../../account"})
        await adapter.forget_model({})
        assert len(bench.fake.versions) == before - 1


async def test_trainer_says_that_replicate_keeps_a_model_in_use(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        lora = await collected(adapter, bench, remote_id, prepared)
        bench.fake.versions_in_use.add(lora.facts["replicate_version"].partition(":")[2])
        with pytest.raises(Refused, match="in use"):
            await adapter.forget_model(lora.facts)


async def test_trainer_prices_follow_the_operator(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        usual = bench.make_adapter().estimate(make_recipe(steps=1000), 12)
        dear = trainer(bench, prices=PriceList(overrides={"replicate/gpu-h100": 0.01525})).estimate(
            make_recipe(steps=1000), 12
        )
        assert dear.high_usd == pytest.approx(usual.high_usd * 10, abs=0.1)
        assert "2026" in str(usual.basis)
        with pytest.raises(ValueError, match="gpu-unheard-of"):
            ReplicateTrainer(make_settings(bench.fake, training_hardware="gpu-unheard-of"))


async def test_replicate_that_is_not_there_is_unavailable_and_nothing_is_accepted(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        await bench.fake.stop()
        with pytest.raises(Unavailable):
            await adapter.submit(order, prepared)
        assert not (await adapter.check()).ok


async def test_replicate_s_next_page_is_read_from_replicate_alone(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        bench.fake.page = lambda request, entries: fakes.web.json_response(
            {"previous": None, "next": "https://evil.example/v1/trainings?cursor=3", "results": []}
        )
        with pytest.raises(UnexpectedAnswer, match="another place"):
            await adapter.find("job-1", prepared, SINCE)


async def test_image_maker_sends_the_official_model_a_link_of_this_job(tmp_path):
    async with maker_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        _, _, snapshot = await succeeded(adapter, bench.make_order("job-1"))
        sent = next(one for one in bench.fake.exchanges if one.method == "POST")
        assert sent.path == "/models/black-forest-labs/flux-dev-lora/predictions"
        assert sent.request["input"]["lora_weights"].endswith("/job-1.safetensors")
        wanted = {
            "prompt": PROMPT,
            "num_outputs": 2,
            "seed": 5,
            "aspect_ratio": "9:16",
            "lora_scale": 0.9,
            "guidance": 3.0,
        }
        assert sent.request["input"].items() >= wanted.items()
        assert snapshot.cost_usd == pytest.approx(0.064)


async def test_image_maker_sends_a_second_lora_as_the_extra_one(tmp_path):
    async with maker_bench(tmp_path) as bench:
        order = bench.make_order("job-1")
        order = replace(order, extra_loras=[ExtraLora(lora=order.lora, strength=0.3)])
        await succeeded(bench.make_adapter(), order)
        sent = next(one for one in bench.fake.exchanges if one.method == "POST").request["input"]
        assert sent["lora_weights"].endswith("/job-1.safetensors")
        assert sent["extra_lora"].endswith("/job-1-1.safetensors")
        assert (sent["lora_scale"], sent["extra_lora_scale"]) == (0.9, 0.3)


async def test_image_maker_without_a_public_url_takes_no_second_lora(tmp_path):
    async with maker_bench(tmp_path) as bench:
        order = bench.make_order("job-1")
        order = replace(order, extra_loras=[ExtraLora(lora=order.lora, strength=0.3)])
        with pytest.raises(Refused) as refused:
            await bench.make(ReplicateImageMaker).prepare(order)
        assert "PUBLIC_URL" in refused.value.advice


async def test_image_maker_without_a_public_url_uses_the_trained_version(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        remote_id, prepared, _ = await succeeded(bench.make_adapter(), bench.make_order("job-1"))
        lora = await collected(bench.make_adapter(), bench, remote_id, prepared)
        maker = bench.make(ReplicateImageMaker)
        order = make_image_order(tmp_path, "pictures-1")
        order = replace(order, lora=replace(order.lora, facts=lora.facts))
        picture_id, plan, snapshot = await succeeded(maker, order)
        assert bench.fake.jobs[picture_id].version == lora.facts["replicate_version"].partition(":")[2]
        assert plan["input"]["guidance_scale"] == 3.5
        assert "lora_weights" not in plan["input"]
        assert snapshot.cost_usd == pytest.approx(600 * 0.001525)
        assert await maker.find("pictures-1", plan, SINCE) == picture_id
        assert await maker.find("pictures-1", {**plan, "input": {**plan["input"], "seed": 6}}, SINCE) is None


@pytest.mark.parametrize(
    "facts", [{}, {"replicate_version": "../../etc:1"}, {"replicate_version": "gone/model:" + "0" * 64}]
)
async def test_image_maker_refuses_a_model_that_replicate_can_t_reach(tmp_path, facts):
    async with maker_bench(tmp_path) as bench:
        order = bench.make_order("job-1")
        order = replace(order, lora=replace(order.lora, facts=facts, format=LoraFormat.KOHYA))
        with pytest.raises(Refused) as refused:
            await bench.make(ReplicateImageMaker).prepare(order)
        assert "operator" in refused.value.advice


async def test_image_maker_says_in_check_that_it_lacks_a_public_url(tmp_path):
    async with maker_bench(tmp_path) as bench:
        assert "PUBLIC_URL" in (await bench.make(ReplicateImageMaker).check()).detail
        assert "PUBLIC_URL" not in (await bench.make_adapter().check()).detail


async def test_image_maker_keeps_the_good_ones_and_counts_the_withheld(tmp_path):
    async with maker_bench(tmp_path) as bench:
        bench.fake.withheld = 1
        adapter, order = bench.make_adapter(), make_image_order(tmp_path, count=3)
        remote_id, prepared, snapshot = await succeeded(adapter, order)
        made = await collected(adapter, bench, remote_id, prepared)
        assert (len(made.images), made.withheld) == (2, 1)
        assert snapshot.cost_usd == pytest.approx(0.064)


async def test_image_maker_says_that_all_were_withheld(tmp_path):
    async with maker_bench(tmp_path) as bench:
        bench.fake.withheld = 2
        adapter, order = bench.make_adapter(), bench.make_order("job-1")
        prepared = await adapter.prepare(order)
        seen = await wait_for(adapter, await adapter.submit(order, prepared), prepared)
        assert seen.state is RemoteState.FAILED
        assert "filter kept back every picture" in str(seen.failure)


async def test_image_maker_says_that_pictures_were_removed(tmp_path):
    async with maker_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, prepared, _ = await succeeded(adapter, bench.make_order("job-1"))
        bench.fake.jobs[remote_id].removed = True
        with pytest.raises(ArtifactBroken, match="an hour"):
            await collected(adapter, bench, remote_id, prepared)


@pytest.mark.parametrize("away", [-301, 301])
def test_webhook_that_is_too_old_or_too_early_is_refused(away):
    fake = FakeReplicate()
    fake.jobs["abc"] = fakes.Job(kind="trainings", id="abc", model="m", version="v", input={}, total=1)
    headers, body = fake.webhook("abc", at=time.time() + away)
    with pytest.raises(WebhookRejected, match="too long"):
        verified_hint(headers, body, secret=fakes.SECRET, now=datetime.now(UTC))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": "v2,AAAA"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,ümläut"},
        {"webhook-id": "msg_2"},
    ],
)
def test_webhook_with_a_false_header_is_refused(change):
    fake = FakeReplicate()
    fake.jobs["abc"] = fakes.Job(kind="trainings", id="abc", model="m", version="v", input={}, total=1)
    headers, body = fake.webhook("abc")
    now = datetime.now(UTC)
    assert (
        verified_hint({k.title(): v for k, v in headers.items()}, body, secret=fakes.SECRET, now=now).remote_id == "abc"
    )
    with pytest.raises(WebhookRejected):
        verified_hint(headers | change, body, secret=fakes.SECRET, now=now)


async def test_webhook_secret_is_asked_once_or_set(tmp_path):
    async with trainer_bench(tmp_path) as bench:
        adapter = bench.make_adapter()
        remote_id, _, _ = await succeeded(adapter, bench.make_order("job-1"))
        headers, body = bench.webhook(remote_id)
        for _ in range(2):
            await adapter.parse_webhook(headers, body)
        await trainer(bench, webhook_secret=fakes.SECRET).parse_webhook(headers, body)
        assert [one.path for one in bench.fake.exchanges].count("/webhooks/default/secret") == 1
