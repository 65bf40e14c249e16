"""What is special about ComfyUI: its graphs, its LoRA folder, its forgetful queue, and other people's jobs in it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
import pytest
from PIL import Image
from pydantic import ValidationError

from providers.base import Aspect, ExtraLora, RemoteState
from providers.comfy.bases import read_files
from providers.comfy.entry import COMFY, ComfyOptions
from providers.comfy.graph import HEED_NEGATIVE, picture_graph
from providers.entry import Setup
from providers.errors import ArtifactBroken, NotFound, ProviderError, Refused, Unavailable, UnexpectedAnswer
from providers.gpu.leases import NoLeases
from providers.prices import PriceList
from providers.recipe import BaseModelName
from tests.fakes.comfy_nodes import NODES, complaints
from tests.providers.comfy_bench import FILES, ComfyBench
from tests.providers.contract import PROMPT, SINCE, wait_for

BASES = tuple(FILES)
every_base = pytest.mark.parametrize("base", BASES)


@asynccontextmanager
async def playing(tmp_path, **how):
    bench = ComfyBench(tmp_path)
    await bench.start()
    try:
        yield bench, bench.comfy, bench.make_adapter(**how)
    finally:
        await bench.stop()


async def submitted(maker, order):
    prepared = await maker.prepare(order)
    return await maker.submit(order, prepared), prepared


async def collected(bench, maker, remote_id, prepared):
    into = bench.tmp_path / f"out-{remote_id}"
    into.mkdir()
    return await maker.collect(remote_id, prepared, into)


def order_for(bench, base, **changes):
    order = bench.make_order("job-1")
    return replace(order, lora=replace(order.lora, base_model=base), **changes)


def graph_of(order, loras=("job-1-0.safetensors",)):
    files = read_files(order.lora.base_model, FILES[order.lora.base_model])
    return picture_graph(order, files, loras).nodes


def only(nodes, kind):
    [found] = [node["inputs"] for node in nodes.values() if node["class_type"] == kind]
    return found


# ---------------------------------------------------------------------- graphs


@every_base
@pytest.mark.parametrize("aspect", Aspect)
def test_comfy_graphs_are_what_its_nodes_take(tmp_path, base, aspect):
    bench = ComfyBench(tmp_path)
    listed = {**bench.comfy.files, "loras": ["job-1-0.safetensors"]}
    order = order_for(bench, base, aspect=aspect, count=4)
    assert complaints(graph_of(order), listed) == {}


def test_comfy_judge_of_graphs_sees_what_does_not_fit():
    graph = {
        "1": {"class_type": "VAELoader", "inputs": {"vae_name": "absent.safetensors"}},
        "2": {"class_type": "VAEDecode", "inputs": {"samples": ["1", 0]}},
        "3": {"class_type": "FluxGuidance", "inputs": {"conditioning": 7, "guidance": 101.0}},
    }
    kinds = {number: [one["type"] for one in wrong] for number, wrong in complaints(graph, {"vae": []}).items()}
    assert kinds == {
        "1": ["value_not_in_list"],
        "2": ["return_type_mismatch", "required_input_missing"],
        "3": ["bad_linked_input", "value_bigger_than_max"],
    }


@every_base
async def test_comfy_makes_pictures_with_each_base_model(tmp_path, base):
    async with playing(tmp_path) as (bench, _, maker):
        remote_id, prepared = await submitted(maker, order_for(bench, base))
        assert (await wait_for(maker, remote_id, prepared)).state is RemoteState.SUCCEEDED
        made = await collected(bench, maker, remote_id, prepared)
        assert [one.seed for one in made.images] == [5, 6]
        size = (360, 640) if base is BaseModelName.SD_1_5 else (720, 1280)
        assert {(one.width, one.height) for one in made.images} == {size}


@every_base
async def test_comfy_gives_each_picture_a_seed_of_its_own(tmp_path, base):
    async with playing(tmp_path) as (bench, _, maker):
        alone_id, alone = await submitted(maker, order_for(bench, base, marker="alone", seed=6, count=1))
        both_id, both = await submitted(maker, order_for(bench, base, marker="both", seed=5, count=2))
        await wait_for(maker, both_id, both)
        await wait_for(maker, alone_id, alone)
        [first] = (await collected(bench, maker, alone_id, alone)).images
        second = (await collected(bench, maker, both_id, both)).images[1]
        assert (first.seed, first.path.read_bytes()) == (second.seed, second.path.read_bytes())


def test_comfy_chains_loras_with_strengths_of_their_own(tmp_path):
    bench = ComfyBench(tmp_path)
    order = bench.make_order("job-1")
    order = replace(order, extra_loras=[ExtraLora(lora=order.lora, strength=0.3)])
    nodes = graph_of(order, ["one.safetensors", "two.safetensors"])
    first, second = [(number, node["inputs"]) for number, node in nodes.items() if node["class_type"] == "LoraLoader"]
    assert (first[1]["lora_name"], first[1]["strength_model"]) == ("one.safetensors", 0.8)
    assert (second[1]["lora_name"], second[1]["strength_clip"]) == ("two.safetensors", 0.3)
    assert (second[1]["model"], second[1]["clip"]) == ([first[0], 0], [first[0], 1])
    [text, _] = [node["inputs"] for node in nodes.values() if node["class_type"] == "CLIPTextEncode"]
    assert text["clip"] == [second[0], 1]


@pytest.mark.parametrize("base", sorted(HEED_NEGATIVE))
def test_comfy_tells_stable_diffusion_what_not_to_show(tmp_path, base):
    order = order_for(ComfyBench(tmp_path), base, negative_prompt="blurry", count=1)
    nodes = graph_of(order)
    sampler = only(nodes, "KSampler")
    assert nodes[sampler["positive"][0]]["inputs"]["text"] == PROMPT
    assert nodes[sampler["negative"][0]]["inputs"]["text"] == "blurry"
    assert sampler["cfg"] > 1


def test_comfy_leaves_flux_its_own_guidance(tmp_path):
    nodes = graph_of(replace(ComfyBench(tmp_path).make_order("job-1"), count=1))
    sampler = only(nodes, "KSampler")
    assert sampler["cfg"] == 1.0
    assert nodes[sampler["positive"][0]]["class_type"] == "FluxGuidance"


def test_comfy_takes_one_whole_checkpoint_for_flux(tmp_path):
    order = ComfyBench(tmp_path).make_order("job-1")
    files = read_files(BaseModelName.FLUX_1_DEV, "flux1-dev-fp8.safetensors")
    nodes = picture_graph(order, files, ["lora"]).nodes
    assert only(nodes, "CheckpointLoaderSimple") == {"ckpt_name": "flux1-dev-fp8.safetensors"}
    assert not [node for node in nodes.values() if node["class_type"] in {"UNETLoader", "VAELoader"}]


def test_comfy_list_of_nodes_has_no_more_than_the_graphs_use(tmp_path):
    used = {"CheckpointLoaderSimple"}
    for number, base in enumerate(BASES):
        (tmp_path / str(number)).mkdir()
        order = order_for(ComfyBench(tmp_path / str(number)), base)
        used |= {node["class_type"] for node in graph_of(order).values()}
    assert used == set(NODES)


# ---------------------------------------------------------------------- what an operator sets


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("darkroom_comfy_flux1", "one.safetensors, two.safetensors"),
        ("darkroom_comfy_flux2", "one.safetensors"),
        ("darkroom_comfy_url", "127.0.0.1:8188"),
    ],
)
def test_comfy_settings_that_cannot_be_right_are_refused(name, text):
    with pytest.raises(ValidationError):
        ComfyOptions(**{name: text})


def test_comfy_files_of_stable_diffusion_are_one_checkpoint():
    assert read_files(BaseModelName.SDXL, " , ") is None
    with pytest.raises(ValueError, match="one checkpoint"):
        read_files(BaseModelName.SDXL, "one, two")


async def test_comfy_is_switched_on_by_its_address(tmp_path):
    async with aiohttp.ClientSession() as session:
        parts = {"prices": PriceList(), "leases": NoLeases(), "webhook": lambda name: None}
        setup = Setup(session=session, links=None, folder=tmp_path, **parts)
        options = ComfyOptions(darkroom_comfy_url="http://127.0.0.1:8188", darkroom_comfy_loras=tmp_path)
        [maker] = COMFY.build(options, setup).image_makers.values()
        assert maker.name == "comfy"
        assert maker.capabilities.base_models == set(BASES)
        lacking = ComfyOptions(darkroom_comfy_url="http://127.0.0.1:8188")
        [maker] = COMFY.build(lacking, setup).image_makers.values()
        assert not maker.capabilities.base_models
        health = await maker.check()
        assert not health.ok
        assert "DARKROOM_COMFY_LORAS" in health.detail


async def test_comfy_check_tells_its_version_and_leaves_no_file(tmp_path):
    async with playing(tmp_path) as (bench, _, maker):
        health = await maker.check()
        assert health.ok
        assert health.detail == "ComfyUI 0.33.0 answers."
        assert not list(bench.loras.iterdir())


async def test_comfy_check_names_missing_files_and_offers_the_rest(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        comfy.files["vae"].remove("flux2-vae.safetensors")
        comfy.files["checkpoints"].clear()
        health = await maker.check()
        assert health.ok
        assert "For FLUX.2 [dev] it lacks flux2-vae.safetensors in models/vae." in health.detail
        assert "For Stable Diffusion XL it lacks sd_xl_base_1.0.safetensors in models/checkpoints." in health.detail
        assert maker.capabilities.base_models == {BaseModelName.FLUX_1_DEV}
        with pytest.raises(Refused):
            await maker.prepare(order_for(bench, BaseModelName.SDXL))


async def test_comfy_check_names_a_missing_node(tmp_path):
    async with playing(tmp_path) as (_, comfy, maker):
        comfy.nodes.discard("Flux2Scheduler")
        health = await maker.check()
        assert "For FLUX.2 [dev] it lacks the node Flux2Scheduler." in health.detail
        assert BaseModelName.FLUX_2_DEV not in maker.capabilities.base_models


async def test_comfy_check_is_not_well_without_any_base_model(tmp_path):
    async with playing(tmp_path) as (_, comfy, maker):
        for files in comfy.files.values():
            files.clear()
        assert not (await maker.check()).ok


async def test_comfy_check_sees_that_the_folder_is_another_one(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        comfy.loras = tmp_path / "elsewhere"
        health = await maker.check()
        assert not health.ok
        assert "doesn't look into DARKROOM_COMFY_LORAS" in health.detail
        with pytest.raises(Refused, match="doesn't see the LoRA"):
            await maker.prepare(bench.make_order("job-1"))
        assert not list(bench.loras.iterdir())


async def test_comfy_check_tells_that_the_folder_cannot_be_used(tmp_path):
    async with playing(tmp_path) as (bench, _, maker):
        bench.loras.rmdir()
        health = await maker.check()
        assert not health.ok
        assert "No such file or directory" in health.detail
        assert str(tmp_path) not in health.detail
        with pytest.raises(Unavailable):
            await maker.prepare(bench.make_order("job-1"))


@pytest.mark.parametrize("version", ["0.3.44", "0.3.56", "0.2.7"])
async def test_comfy_that_chose_ids_or_stopped_anybody_is_too_old(tmp_path, version):
    async with playing(tmp_path) as (_, comfy, maker):
        comfy.version = version
        health = await maker.check()
        assert not health.ok
        assert f"ComfyUI {version} is too old" in health.detail


@pytest.mark.parametrize("version", ["0.3.57", "v0.3.60", "0.4.0-rc1", "1.0"])
async def test_comfy_of_later_is_taken_however_its_version_is_written(tmp_path, version):
    async with playing(tmp_path) as (_, comfy, maker):
        comfy.version = version
        assert (await maker.check()).ok


async def test_comfy_check_tells_a_locked_door(tmp_path):
    async with playing(tmp_path) as (_, comfy, maker):
        comfy.plan("stats", status=401)
        health = await maker.check()
        assert not health.ok
        assert "didn't take our key" in health.detail


# ---------------------------------------------------------------------- LoRAs


async def test_comfy_has_the_lora_while_a_job_needs_it(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        assert [path.read_bytes() for path in bench.loras.iterdir()] == [b"weights"]
        await wait_for(maker, remote_id, prepared)
        assert comfy.history
        await maker.cleanup(remote_id, prepared)
        assert not list(bench.loras.iterdir())
        assert not comfy.history


async def test_comfy_that_was_never_asked_is_left_as_it_was(tmp_path):
    async with playing(tmp_path) as (bench, _, maker):
        prepared = await maker.prepare(bench.make_order("job-1"))
        await maker.cleanup(None, prepared)
        assert not list(bench.loras.iterdir())


async def test_comfy_cleanup_never_removes_a_file_that_no_job_put_there(tmp_path):
    async with playing(tmp_path) as (bench, _, maker):
        mine = bench.loras / "mine.safetensors"
        outside = tmp_path / "outside.safetensors"
        for path in (mine, outside):
            path.write_bytes(b"precious")
        await maker.cleanup(None, {"loras": ["../outside.safetensors"], "id": "nonsense"})
        assert mine.exists()
        assert outside.exists()


# ---------------------------------------------------------------------- the queue


async def test_comfy_tells_how_many_wait_before(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        comfy.busy = True
        ids = [await submitted(maker, bench.make_order(f"job-{n}")) for n in range(4)]
        told = [(await maker.poll(*one)).progress.ahead for one in ids]
        assert told == [0, 1, 2, 3]


async def test_comfy_cancel_stops_nobody_elses_job(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        theirs = await submitted(maker, bench.make_long_order("theirs"))
        await wait_for(maker, *theirs, RemoteState.RUNNING)
        ours = await submitted(maker, bench.make_order("ours"))
        await maker.cancel(*ours)
        assert (await maker.poll(*ours)).state is RemoteState.CANCELED
        assert (await maker.poll(*theirs)).state is RemoteState.RUNNING
        assert [one.request for one in comfy.asked("interrupt")] == [{"prompt_id": ours[0]}]


async def test_comfy_that_was_restarted_knows_no_job_and_is_given_it_again(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        order = bench.make_order("job-1")
        remote_id, prepared = await submitted(maker, order)
        comfy.restart()
        with pytest.raises(NotFound, match="restarted"):
            await maker.poll(remote_id, prepared)
        assert await maker.find("job-1", prepared, SINCE) is None
        assert await maker.submit(order, prepared) == remote_id
        assert (await wait_for(maker, remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_comfy_cleanup_waits_until_a_stopped_job_is_gone(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.comfy.image_maker._LAST_PAUSE", 0.001)
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_long_order("job-1"))
        await wait_for(maker, remote_id, prepared, RemoteState.RUNNING)
        comfy.lingers = 3
        await maker.cleanup(remote_id, prepared)
        assert comfy.running is None
        assert not comfy.history


async def test_comfy_cleanup_comes_back_to_a_job_that_does_not_stop(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.comfy.image_maker._LAST_PAUSE", 0.001)
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_long_order("job-1"))
        await wait_for(maker, remote_id, prepared, RemoteState.RUNNING)
        comfy.lingers = 1000
        with pytest.raises(Unavailable, match="hasn't stopped"):
            await maker.cleanup(remote_id, prepared)


@pytest.mark.parametrize(
    ("kind", "message", "told"),
    [
        ("torch.OutOfMemoryError", "Allocation on device", "ran out of memory"),
        ("RuntimeError", "CUDA error: out of memory", "ran out of memory"),
        ("ValueError", "/home/ada/ComfyUI/models/vae is odd", "failed in its node KSampler"),
    ],
)
async def test_comfy_failure_is_told_without_the_operators_folders(tmp_path, kind, message, told):
    async with playing(tmp_path) as (bench, comfy, maker):
        comfy.breaks = (kind, message)
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        seen = await wait_for(maker, remote_id, prepared)
        assert seen.state is RemoteState.FAILED
        assert told in str(seen.failure)
        assert "ada" not in str(seen.failure)


async def test_comfy_refusal_names_the_node_and_the_input_but_no_value(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        order = bench.make_order("job-1")
        prepared = await maker.prepare(order)
        comfy.files["vae"].clear()
        with pytest.raises(Refused) as refused:
            await maker.submit(order, prepared)
        assert "VAELoader: Value not in list (vae_name)" in str(refused.value)
        assert "doctor" in refused.value.advice
        assert not comfy.bill


async def test_comfy_refuses_a_node_that_it_lacks(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        order = bench.make_order("job-1")
        prepared = await maker.prepare(order)
        comfy.nodes.discard("FluxGuidance")
        with pytest.raises(Refused, match="Node 'FluxGuidance' not found"):
            await maker.submit(order, prepared)


async def test_comfy_pictures_carry_no_notes_although_comfys_do(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        await wait_for(maker, remote_id, prepared)
        assert all(PROMPT.encode() in raw for raw in comfy.shown.values())
        for made in (await collected(bench, maker, remote_id, prepared)).images:
            assert PROMPT.encode() not in made.path.read_bytes()
            with Image.open(made.path) as image:
                assert image.info == {}


async def test_comfy_pictures_that_are_gone_are_told(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        await wait_for(maker, remote_id, prepared)
        comfy.shown.clear()
        with pytest.raises(ArtifactBroken, match="no longer has"):
            await collected(bench, maker, remote_id, prepared)


async def test_comfy_result_without_a_picture_is_told(tmp_path):
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        await wait_for(maker, remote_id, prepared)
        comfy.history[remote_id].outputs.clear()
        with pytest.raises(ArtifactBroken, match="lacks a picture"):
            await collected(bench, maker, remote_id, prepared)


NONSENSE = pytest.mark.parametrize("text", ["<html>", "[]", '"hello"', '{"queue_running": 7, "job": 3}'])


@NONSENSE
@pytest.mark.parametrize("route", ["stats", "node"])
async def test_comfy_check_makes_no_sense_of_nonsense(tmp_path, route, text):
    async with playing(tmp_path) as (_, comfy, maker):
        comfy.plan(route, text=text, times=100)
        assert not (await maker.check()).ok


@NONSENSE
@pytest.mark.parametrize("route", ["poll", "history"])
async def test_comfy_look_makes_no_sense_of_nonsense(tmp_path, route, text):
    async with playing(tmp_path) as (bench, comfy, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        if route == "history":
            await wait_for(maker, remote_id, prepared)
        comfy.plan(route, text=text, times=100)
        with pytest.raises(UnexpectedAnswer if text == "<html>" else ProviderError):
            await maker.poll(remote_id, prepared)


async def test_comfy_picture_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("providers.comfy.api.MOST_PICTURE_BYTES", 100)
    async with playing(tmp_path) as (bench, _, maker):
        remote_id, prepared = await submitted(maker, bench.make_order("job-1"))
        await wait_for(maker, remote_id, prepared)
        with pytest.raises(ArtifactBroken, match="too large"):
            await collected(bench, maker, remote_id, prepared)
        assert not list((tmp_path / f"out-{remote_id}").iterdir())


async def test_comfy_jobs_of_two_bots_do_not_meet(tmp_path):
    async with playing(tmp_path) as (bench, _, maker):
        ids = await asyncio.gather(*(maker.prepare(bench.make_order(f"darkroom-{n}")) for n in range(3)))
        assert len({one["id"] for one in ids}) == 3
