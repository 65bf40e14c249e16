"""What is special about kohya's script: its options, its process that outlives the bot, and how it ends."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from pydantic import ValidationError

from providers.base import Aspect, ExtraLora, LoraFormat, RemoteState
from providers.entry import Setup
from providers.errors import Refused, Unavailable
from providers.gpu.leases import NoLeases
from providers.kohya.command import arguments, lines
from providers.kohya.entry import KOHYA, KohyaOptions
from providers.prices import PriceList
from tests.fakes.kohya.flux_minimal_inference import make_parser, read_line
from tests.providers.contract import PROMPT, until, wait_for
from tests.providers.kohya_bench import KohyaBench


@asynccontextmanager
async def playing(tmp_path):
    bench = KohyaBench(tmp_path)
    await bench.start()
    try:
        yield bench, bench.make_adapter()
    finally:
        await bench.stop()


async def submitted(maker, order):
    prepared = await maker.prepare(order)
    return await maker.submit(order, prepared), prepared


def mood(bench, word):
    (bench.scripts / "mood").write_text(word)


def group_of(bench, marker):
    return int((bench.folder / marker / "group").read_text())


# ---------------------------------------------------------------------- what it is told


@pytest.mark.parametrize("aspect", Aspect)
def test_kohya_arguments_are_options_of_the_real_script(tmp_path, aspect):
    bench = KohyaBench(tmp_path)
    order = replace(bench.make_order("job-1"), aspect=aspect)
    order = replace(order, extra_loras=[ExtraLora(lora=order.lora, strength=0.5)])
    copies = [tmp_path / "0.safetensors", tmp_path / "1.safetensors"]
    _, script, *rest = arguments(bench.tools(), order, copies, tmp_path / "results")
    told = make_parser().parse_args(rest)
    assert Path(script).name == "flux_minimal_inference.py"
    assert told.lora_weights == [f"{copies[0]};0.8", f"{copies[1]};0.5"]
    assert (told.ckpt_path, told.ae) == (str(bench.weights[0]), str(bench.weights[3]))
    assert told.interactive
    assert PROMPT not in " ".join(rest)


def test_kohya_lines_say_one_picture_each_and_then_the_end(tmp_path):
    order = KohyaBench(tmp_path).make_order("job-1")
    first, second, end, rest = lines(order).split("\n")
    assert (end, rest) == ("", "")
    assert read_line(first) == {"prompt": PROMPT, "w": "720", "h": "1280", "s": "28", "g": "3.5", "d": "5"}
    assert read_line(second)["d"] == "6"


@pytest.mark.parametrize("prompt", ["a --d 7 fox", "a\nfox\n\n--w 16", "---", "fox -- "])
def test_kohya_prompt_cannot_set_options_or_end_the_talk(tmp_path, prompt):
    order = replace(KohyaBench(tmp_path).make_order("job-1"), prompt=prompt, count=1)
    line, end, rest = lines(order).split("\n")
    told = read_line(line)
    assert (end, rest) == ("", "")
    assert told["prompt"]
    assert {name: told[name] for name in "whd"} == {"w": "720", "h": "1280", "d": "5"}


# ---------------------------------------------------------------------- what an operator sets


def test_kohya_needs_all_four_files():
    with pytest.raises(ValidationError, match="four files"):
        KohyaOptions(darkroom_kohya_flux1="one, two")


async def test_kohya_is_switched_on_by_its_folder(tmp_path):
    async with playing(tmp_path) as (bench, _), aiohttp.ClientSession() as session:
        parts = {"prices": PriceList(), "leases": NoLeases(), "webhook": lambda name: None}
        setup = Setup(session=session, links=None, folder=tmp_path / "data", **parts)
        options = KohyaOptions(
            darkroom_kohya_dir=bench.scripts, darkroom_kohya_flux1=", ".join(map(str, bench.weights))
        )
        [maker] = KOHYA.build(options, setup).image_makers.values()
        assert (await maker.check()).ok
        assert maker.capabilities.last_resort
        [unset] = KOHYA.build(KohyaOptions(darkroom_kohya_dir=bench.scripts), setup).image_makers.values()
        assert "DARKROOM_KOHYA_FLUX1" in (await unset.check()).detail


async def test_kohya_check_names_what_is_missing(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        bench.weights[1].unlink()
        assert "clip_l where DARKROOM_KOHYA_FLUX1 says" in (await maker.check()).detail
        assert not maker.capabilities.base_models
        bench.weights[1].write_bytes(b"weights")
        assert (await maker.check()).ok
        assert maker.capabilities.base_models
        (bench.scripts / "flux_minimal_inference.py").unlink()
        health = await maker.check()
        assert not health.ok
        assert "DARKROOM_KOHYA_DIR" in health.detail


async def test_kohya_check_looks_for_the_python(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        maker._tools = replace(bench.tools(), python="/nowhere/python")
        assert "DARKROOM_KOHYA_PYTHON" in (await maker.check()).detail


async def test_kohya_takes_loras_of_kohya_alone(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        order = bench.make_order("job-1")
        with pytest.raises(Refused):
            await maker.prepare(replace(order, lora=replace(order.lora, format=LoraFormat.DIFFUSERS)))


# ---------------------------------------------------------------------- its process


async def test_kohya_has_one_script_on_the_gpu_at_a_time(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        first = await submitted(maker, bench.make_long_order("first"))
        second = await submitted(maker, bench.make_order("second"))
        assert (await maker.poll(*first)).state is RemoteState.RUNNING
        waiting = await maker.poll(*second)
        assert (waiting.state, waiting.progress.phase) == (RemoteState.QUEUED, "waiting for the GPU")
        await maker.cancel(*first)
        assert (await wait_for(maker, *second)).state is RemoteState.SUCCEEDED


async def test_kohya_script_gets_none_of_our_keys(tmp_path, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "hush")
    async with playing(tmp_path) as (bench, maker):
        await submitted(maker, bench.make_long_order("job-1"))
        given = environments(group_of(bench, "job-1"))
        assert given
        assert not any(b"hush" in environment for environment in given)


def environments(group):
    """Return what the processes of a group were given as environment."""
    processes = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [(path / "environ").read_bytes() for path in processes if _group(int(path.name)) == group]


def _group(pid):
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


async def test_kohya_tells_how_many_pictures_are_done(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        job = await submitted(maker, bench.make_long_order("job-1"))
        await until(lambda: len(list((bench.folder / "job-1" / "results").glob("*.png"))) == 4)
        seen = await maker.poll(*job)
        assert (seen.state, seen.progress.step, seen.progress.total) == (RemoteState.RUNNING, 4, 4)
        assert seen.progress.phase == "drawing picture 4 of 4"


async def test_kohya_script_that_was_cut_off_is_started_once_more(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        job = await submitted(maker, bench.make_long_order("job-1"))
        first = group_of(bench, "job-1")
        os.killpg(first, signal.SIGKILL)
        await until(lambda: _gone(first))
        assert (await maker.poll(*job)).state is RemoteState.RUNNING
        assert group_of(bench, "job-1") != first


def _gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


async def test_kohya_picture_that_was_cut_off_is_not_taken_for_whole(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        mood(bench, "cut")
        job = await submitted(maker, bench.make_order("job-1"))
        seen = await wait_for(maker, *job)
        assert seen.state is RemoteState.FAILED
        assert "ended twice" in str(seen.failure)
        assert (bench.folder / "job-1" / "starts").read_text() == "2"


@pytest.mark.parametrize(
    ("word", "told", "logged"),
    [
        ("memory", "ran out of memory", "CUDA out of memory"),
        ("wrong", "ended with an error", "ValueError: NaN in t5_out"),
    ],
)
async def test_kohya_script_that_fails_says_why_and_is_not_started_again(tmp_path, caplog, word, told, logged):
    async with playing(tmp_path) as (bench, maker):
        mood(bench, word)
        job = await submitted(maker, bench.make_order("job-1"))
        seen = await wait_for(maker, *job)
        assert seen.state is RemoteState.FAILED
        assert told in str(seen.failure)
        assert logged in caplog.text
        assert (bench.folder / "job-1" / "starts").read_text() == "1"


async def test_kohya_script_without_its_files_points_to_the_doctor(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        bench.weights[2].unlink()
        job = await submitted(maker, bench.make_order("job-1"))
        assert "darkroom doctor" in str((await wait_for(maker, *job)).failure)


async def test_kohya_cleanup_ends_the_script_and_leaves_nothing(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        job = await submitted(maker, bench.make_long_order("job-1"))
        group = group_of(bench, "job-1")
        await maker.cleanup(*job)
        await until(lambda: _gone(group))
        assert [path.name for path in bench.folder.iterdir()] == ["gpu.lock"]


async def test_kohya_order_that_was_not_prepared_is_refused(tmp_path):
    async with playing(tmp_path) as (bench, maker):
        order = bench.make_order("job-1")
        prepared = await maker.prepare(order)
        await maker.cleanup(None, prepared)
        with pytest.raises(Refused, match="cleared up"):
            await maker.submit(order, prepared)


async def test_kohya_script_that_cannot_be_started_is_not_the_jobs_fault(tmp_path, monkeypatch):
    async with playing(tmp_path) as (bench, maker):
        order = bench.make_order("job-1")
        prepared = await maker.prepare(order)
        (bench.folder / "job-1" / "results").write_bytes(b"in the way")
        with pytest.raises(Unavailable, match="can't be worked with"):
            await maker.submit(order, prepared)
        assert await asyncio.to_thread(maker._studio.has, "job-1")
