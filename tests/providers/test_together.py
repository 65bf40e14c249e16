"""What is special about Together: one paid call whose answer is the pictures, a catalogue, and no training."""

import base64
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr

from providers.base import ExtraLora, RemoteState
from providers.errors import ContentRejected, NotFound, Refused, SubmitUnsure
from providers.recipe import BaseModelName
from providers.registry import Registry
from providers.together import image_maker
from providers.together.api import TogetherSettings
from providers.together.image_maker import MODELS, TOGETHER_TRAINS_NOT, TogetherImageMaker, TogetherModel
from tests.fakes.together import KEY, OFFENSIVE, FakeTogether, make_png, model
from tests.providers.contract import PROMPT, SINCE
from tests.providers.hosted_bench import Links, make_flux_pictures
from tests.spec_file import spec_file

SPEC = "together.openapi.yaml"
needs_the_file = pytest.mark.skipif(
    spec_file(SPEC) is None,
    reason=f"{SPEC} is not here: put openapi.yaml of https://github.com/togethercomputer/openapi under that name into "
    "a folder and name the folder in SPECS_DIR",
)


class OddLinks:
    def __init__(self, link):
        self._link = link

    def link(self, path, *, name):
        return self._link


@asynccontextmanager
async def playing(tmp_path, *, key=KEY, links=None):
    async with FakeTogether() as server:
        settings = TogetherSettings(api_key=SecretStr(key), base_url=server.url, timeout_seconds=2.0)
        yield server, TogetherImageMaker(settings, tmp_path / "together", links=links or Links())


def make_order(tmp_path, **changes):
    return make_flux_pictures(tmp_path / "lora.safetensors", **changes)


async def collected(maker, order, into):
    into.mkdir(exist_ok=True)
    return await maker.collect(await maker.submit(order, await maker.prepare(order)), {}, into)


@needs_the_file
async def test_together_exchanges_fit_its_openapi_file(tmp_path):
    spec = spec_file(SPEC)
    async with playing(tmp_path) as (server, maker):
        assert (await maker.check()).ok
        await collected(maker, make_order(tmp_path), tmp_path / "out")
        with pytest.raises(ContentRejected):
            await maker.submit(make_order(tmp_path, marker="job-2", prompt=OFFENSIVE), {})
    async with playing(tmp_path, key="another") as (stranger, maker):
        assert not (await maker.check()).ok
    exchanges = server.exchanges + stranger.exchanges
    assert [one.route for one in exchanges] == ["models", "order", "order", "models"]
    for one in exchanges:
        # The file's server is https://api.together.ai/v1, its paths begin after that.
        path = one.path.removeprefix("/v1")
        assert spec.request_complaints(one.method, path, one.request) == []
        assert spec.answer_complaints(one.method, path, one.status, one.answer, other_errors="ErrorData") == []


@needs_the_file
def test_together_openapi_judge_sees_what_does_not_fit():
    spec = spec_file(SPEC)
    assert spec.request_complaints("POST", "/images/generations", {"prompt": "a", "model": 7, "size": 3})
    assert spec.answer_complaints("POST", "/images/generations", 200, {"id": "1"})
    assert spec.answer_complaints("POST", "/images/generations", 418, {"error": "no"})


async def test_together_is_sent_one_order_with_the_lora_behind_a_link(tmp_path):
    async with playing(tmp_path) as (server, maker):
        await maker.submit(make_order(tmp_path), {})
        [sent] = server.asked("order")
        assert sent.request["image_loras"] == [
            {"path": "https://darkroom.example/files/t0k3n/lora.safetensors", "scale": 0.8}
        ]
        assert (sent.request["width"], sent.request["height"], sent.request["n"]) == (720, 1280, 2)


async def test_together_is_sent_a_second_lora_with_a_strength_of_its_own(tmp_path):
    async with playing(tmp_path) as (server, maker):
        order = make_order(tmp_path)
        await maker.submit(replace(order, extra_loras=[ExtraLora(lora=order.lora, strength=0.4)]), {})
        [sent] = server.asked("order")
        assert [one["scale"] for one in sent.request["image_loras"]] == [0.8, 0.4]
        assert all(one["path"].endswith("/lora.safetensors") for one in sent.request["image_loras"])


async def test_together_model_that_comes_back_is_an_entry_in_the_table_and_nothing_else(tmp_path, monkeypatch):
    back = TogetherModel(
        id="black-forest-labs/FLUX.1-dev-lora", base_model=BaseModelName.FLUX_1_DEV, steps=28, guidance_scale=3.5
    )
    monkeypatch.setattr(image_maker, "MODELS", (*MODELS, back))
    async with playing(tmp_path) as (server, maker):
        await maker.check()
        assert BaseModelName.FLUX_1_DEV not in maker.capabilities.base_models
        server.catalogue.append(model(back.id))
        assert (await maker.check()).ok
        assert BaseModelName.FLUX_1_DEV in maker.capabilities.base_models
        order = make_order(tmp_path)
        order = replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_1_DEV))
        await maker.submit(order, await maker.prepare(order))
        [sent] = server.asked("order")
        assert sent.request["model"] == back.id
        assert maker.estimate(1).basis


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
async def test_together_never_sends_an_order_again_by_itself(tmp_path, status):
    async with playing(tmp_path) as (server, maker):
        server.plan("order", status=status, times=5)
        with pytest.raises(Exception, match="Together"):
            await maker.submit(make_order(tmp_path), {})
        assert len(server.asked("order")) == 1


async def test_together_does_not_pay_again_for_what_is_in_the_spool(tmp_path):
    async with playing(tmp_path) as (server, maker):
        first = await maker.submit(make_order(tmp_path), {})
        assert await maker.submit(make_order(tmp_path), {}) == first
        assert server.bill == [2]


async def test_together_find_proves_nothing_when_the_answer_was_lost(tmp_path):
    async with playing(tmp_path) as (server, maker):
        server.plan("order", after=True)
        with pytest.raises(SubmitUnsure):
            await maker.submit(make_order(tmp_path), {})
        assert server.bill == [2]
        assert await maker.find("job-1", {}, SINCE) is None
        assert not maker.capabilities.findable


async def test_together_half_written_spool_is_no_answer(tmp_path):
    async with playing(tmp_path) as (_, maker):
        (tmp_path / "together" / ".part-job-1").mkdir(parents=True)
        assert await maker.find("job-1", {}, SINCE) is None
        await maker.cleanup(None, {"marker": "job-1"})
        assert list((tmp_path / "together").iterdir()) == []


async def test_together_check_leaves_alone_what_another_call_is_writing(tmp_path):
    async with playing(tmp_path) as (_, maker):
        part = tmp_path / "together" / ".part-job-1"
        part.mkdir(parents=True)
        assert (await maker.check()).ok
        assert part.is_dir()


async def test_together_answer_that_cannot_be_kept_is_unsure(tmp_path):
    (tmp_path / "together").write_text("a file where the folder should be")
    async with playing(tmp_path) as (server, maker):
        with pytest.raises(SubmitUnsure):
            await maker.submit(make_order(tmp_path), {})
        assert server.bill == [2]


async def test_together_tells_how_many_pictures_were_withheld(tmp_path):
    async with playing(tmp_path) as (server, maker):
        server.withholds = 1
        made = await collected(maker, make_order(tmp_path), tmp_path / "out")
        assert (len(made.images), made.withheld) == (1, 1)


async def test_together_keeps_the_good_pictures_beside_a_damaged_one(tmp_path):
    pictures = [make_png(64, 64, 1), b"\x89PNG\r\n\x1a\n and no more"]
    data = [
        {"index": 1 - n, "type": "b64_json", "b64_json": base64.b64encode(p).decode()} for n, p in enumerate(pictures)
    ]
    answer = json.dumps({"id": "1", "model": "m", "object": "list", "data": data})
    async with playing(tmp_path) as (server, maker):
        server.plan("order", after=True, text=answer, headers={"Content-Type": "application/json"})
        [image] = (await collected(maker, make_order(tmp_path), tmp_path / "out")).images
        assert (image.path.name, image.seed, image.width) == ("1.png", 6, 64)


async def test_together_job_costs_what_its_pictures_cost(tmp_path):
    async with playing(tmp_path) as (_, maker):
        seen = await maker.poll(await maker.submit(make_order(tmp_path), {}), {})
        assert seen.state is RemoteState.SUCCEEDED
        assert seen.cost_usd == pytest.approx(2 * 0.720 * 1.280 * 0.035, abs=1e-4)


async def test_together_rejection_of_a_prompt_does_not_repeat_it(tmp_path):
    prompt = f"{PROMPT}, a {OFFENSIVE}"
    async with playing(tmp_path) as (server, maker):
        with pytest.raises(ContentRejected) as rejected:
            await maker.submit(make_order(tmp_path, prompt=prompt), {})
        assert OFFENSIVE not in str(rejected.value)
        assert server.bill == []


async def test_together_offers_only_what_its_catalogue_lists(tmp_path):
    async with playing(tmp_path) as (server, maker):
        assert maker.capabilities.base_models == {BaseModelName.FLUX_2_DEV}
        server.catalogue = [model("black-forest-labs/FLUX.1-schnell")]
        health = await maker.check()
        assert not health.ok
        assert "FLUX.2-dev" in health.detail
        assert maker.capabilities.base_models == frozenset()
        with pytest.raises(Refused):
            await maker.prepare(make_order(tmp_path))


async def test_together_cannot_use_a_lora_of_flux_1(tmp_path):
    order = make_order(tmp_path)
    async with playing(tmp_path) as (_, maker):
        with pytest.raises(Refused, match=r"FLUX\.1"):
            await maker.prepare(replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_1_DEV)))


@pytest.mark.parametrize("link", [None, "https://darkroom.example/lora.safetensors?signature=1"])
async def test_together_refuses_before_paying_what_it_could_not_fetch(tmp_path, link):
    async with playing(tmp_path, links=OddLinks(link)) as (server, maker):
        with pytest.raises(Refused) as refused:
            await maker.prepare(make_order(tmp_path))
        assert "PUBLIC_URL" in refused.value.advice
        assert server.exchanges == []


async def test_together_without_links_says_what_to_set_and_offers_nothing(tmp_path):
    async with FakeTogether() as server:
        settings = TogetherSettings(api_key=SecretStr(KEY), base_url=server.url)
        maker = TogetherImageMaker(settings, tmp_path / "together")
        health = await maker.check()
        with pytest.raises(Refused) as refused:
            await maker.prepare(make_order(tmp_path))
    assert not health.ok
    assert "PUBLIC_URL" in health.detail
    assert "PUBLIC_URL" in refused.value.advice
    assert maker.capabilities.base_models == frozenset()


@pytest.mark.parametrize("trouble", [{}, {"status": 500}, {"status": 200, "text": "[{}]"}])
async def test_together_check_never_raises(tmp_path, trouble):
    async with playing(tmp_path) as (server, maker):
        server.plan("models", headers={"Content-Type": "application/json"}, **trouble)
        assert not (await maker.check()).ok


async def test_together_forgets_a_job_at_cleanup(tmp_path):
    async with playing(tmp_path) as (_, maker):
        remote_id = await maker.submit(make_order(tmp_path), {})
        await maker.cleanup(remote_id, {})
        with pytest.raises(NotFound):
            await maker.poll(remote_id, {})
        assert list((tmp_path / "together").iterdir()) == []


def test_together_package_is_loaded_only_when_it_is_used():
    code = "import sys, providers.together.image_maker; sys.exit('together' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_together_asked_to_train_says_why_not_and_who_can():
    registry = Registry(trains_not={"together": TOGETHER_TRAINS_NOT})
    answer = str(registry.refusal_to_train("together"))
    assert "Together can't train image models" in answer
    assert "2026-11-23" in answer
    assert answer.endswith("No trainer is set up here.")
    assert str(TOGETHER_TRAINS_NOT.answer(["Sketch", "fal"])).endswith("Here you can train with Sketch, fal.")


def test_together_refusal_ends_once_it_has_a_trainer():
    registry = Registry(trains_not={"together": TOGETHER_TRAINS_NOT}, trainers={"together": object()})
    assert registry.refusal_to_train("together") is None
    assert registry.refusal_to_train("sketch") is None
