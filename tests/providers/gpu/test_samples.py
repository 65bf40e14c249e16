"""Sample pictures that an engine draws: when it does, from what, and which of them are kept."""

import io
import json
import logging

import pytest
from PIL import Image, PngImagePlugin

from playground.engine_script import Mood, Trouble
from providers.base import RemoteState
from providers.gpu.agent.engines import engine_for
from providers.gpu.agent.engines.ai_toolkit import config
from providers.gpu.engines import SAMPLES, SEED
from providers.gpu.samples import kept_samples
from providers.weights import inspect_weights
from tests.providers.contract import TRIGGER_WORD, wait_for
from tests.providers.gpu.engine_runs import make_plan, make_spec, make_work
from tests.providers.gpu.local_bench import LocalAiToolkitBench, LocalBench
from tests.providers.gpu.yard import opened_ground

both = pytest.mark.parametrize("kind", [LocalBench, LocalAiToolkitBench], ids=["sd-scripts", "ai-toolkit"])
STEPS = 10


async def trained(bench, tmp_path, *, draws, spoil=lambda folder: None):
    """Take one training through and return what was collected of it, and where."""
    bench.installed.draws = draws
    adapter, order = bench.make_adapter(), bench.make_order("job-1", steps=STEPS)
    try:
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED
        spoil(bench.folder / "jobs" / "job-1" / "files")
        into = tmp_path / "out"
        into.mkdir()
        output = await adapter.collect(remote_id, prepared, into)
        await adapter.cleanup(remote_id, prepared)
    finally:
        await bench.stop()
    return output, into


def png(*, words=None, side=8):
    """Return a picture with words in its file."""
    info = PngImagePlugin.PngInfo()
    if words:
        info.add_text("parameters", words)
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def laid(folder, *contents):
    folder.mkdir()
    paths = [folder / f"sample-{number}.png" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return paths


@both
async def test_training_that_draws_leaves_its_pictures_beside_the_model(kind, tmp_path):
    output, into = await trained(kind(tmp_path), tmp_path, draws=True)
    assert output.sample_prompt == f"a photo of {TRIGGER_WORD}"
    assert [sample.seed for sample in output.samples] == [SEED + n for n in range(SAMPLES)]
    assert {(sample.width, sample.height) for sample in output.samples} == {(64, 64)}
    assert len({sample.path.read_bytes() for sample in output.samples}) == SAMPLES
    assert set(into.rglob("*")) == {output.path, *(sample.path for sample in output.samples)}


@both
async def test_training_that_was_not_told_to_draw_draws_nothing(kind, tmp_path):
    output, into = await trained(kind(tmp_path), tmp_path, draws=False)
    assert (list(output.samples), output.sample_prompt) == ([], "")
    assert list(into.iterdir()) == [output.path]


@both
async def test_gpu_that_has_no_room_to_draw_leaves_the_model_without_pictures(kind, tmp_path):
    bench = kind(tmp_path)
    bench.behave(Mood(trouble=Trouble.NO_ROOM_TO_DRAW))
    output, into = await trained(bench, tmp_path, draws=True)
    assert inspect_weights(output.path).tensors
    assert list(output.samples) == []
    assert list(into.iterdir()) == [output.path]


async def test_sample_that_is_damaged_on_its_way_costs_that_one(tmp_path, caplog):
    def spoil(files):
        (files / "sample-1.png").write_bytes(b"damaged")

    output, _into = await trained(LocalBench(tmp_path), tmp_path, draws=True, spoil=spoil)
    assert output.path.is_file()
    assert [sample.seed for sample in output.samples] == [SEED, SEED + 2, SEED + 3]
    assert "sample-1.png is damaged in the mailbox and left out" in caplog.text


async def test_machine_elsewhere_delivers_what_it_drew_and_a_damaged_one_costs_nothing(tmp_path, caplog):
    async with opened_ground(tmp_path) as ground:
        ground.draws = True
        adapter, order = ground.trainer(), ground.order(steps=STEPS)
        prepared = await adapter.prepare(order)
        remote_id = await adapter.submit(order, prepared)
        assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED
        ground.site.arrivals.path(order.marker, "sample-2.png").write_bytes(b"damaged")
        into = tmp_path / "out"
        into.mkdir()
        output = await adapter.collect(remote_id, prepared, into)
        await adapter.cleanup(remote_id, prepared)
    assert output.path.is_file()
    assert len(output.samples) == SAMPLES - 1
    assert "darkroom-1: sample-2.png is damaged here and left out" in caplog.text


def test_engine_is_told_to_draw_once_at_the_end_with_seeds_of_their_own(tmp_path):
    bench = LocalBench(tmp_path)
    bench.installed.draws = True
    told = bench.installed.offer().spec(bench.make_order("job-1", steps=STEPS))
    assert told["settings"]["sample_every"] == STEPS
    assert told["settings"]["seed"] == SEED
    assert told["sample_prompts"] == [f"a photo of {TRIGGER_WORD}"] * SAMPLES


def test_drawing_takes_its_time_in_the_estimate(tmp_path):
    engine = LocalBench(tmp_path).installed
    recipe = LocalBench(tmp_path).make_order("job-1").recipe
    without = engine.offer().seconds(recipe)
    engine.draws = True
    assert all(more > less for more, less in zip(engine.offer().seconds(recipe), without, strict=True))


def test_same_prompt_is_drawn_with_another_seed_each_time_by_either_engine(tmp_path):
    told = {"sample_prompts": ["a fox", "a fox"], "sample_every": 5, "seed": SEED}
    work = make_work(tmp_path / "work")
    engine_for(make_spec(tmp_path / "sd", "sd-scripts", **told), work).prepare()
    prompts = json.loads((work.config / "prompts.json").read_text())
    assert [prompt["seed"] for prompt in prompts] == [SEED, SEED + 1]
    [process] = config(make_plan(tmp_path / "ai", "ai-toolkit", **told))["config"]["process"]
    assert (process["sample"]["seed"], process["sample"]["walk_seed"]) == (SEED, True)


def test_samples_keep_no_word_and_the_suffix_of_what_they_are(tmp_path):
    jpeg = io.BytesIO()
    Image.new("RGB", (8, 8)).save(jpeg, "JPEG", comment=b"a photo of zxqfox", exif=b"Exif\0\0/home/ada/zxqfox")
    drawn = laid(tmp_path / "drawn", png(words="a photo of zxqfox, /home/ada"), jpeg.getvalue())
    first, second = kept_samples("job-1", drawn, tmp_path)
    assert (first.path.name, second.path.name) == ("sample-0.png", "sample-1.jpg")
    for sample in (first, second):
        data = sample.path.read_bytes()
        assert b"zxqfox" not in data
        assert b"ada" not in data
        with Image.open(sample.path) as image:
            image.load()


def test_sample_that_is_no_picture_is_left_out_with_a_word_in_the_log(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    drawn = laid(tmp_path / "drawn", png(), b"no picture", png(), png()[:40])
    kept = kept_samples("job-1", drawn, tmp_path)
    # Each keeps the seed that it was drawn with.
    assert [(sample.path.name, sample.seed) for sample in kept] == [
        ("sample-0.png", SEED),
        ("sample-2.png", SEED + 2),
    ]
    assert "job-1: sample picture 2 is left out" in caplog.text
    assert "job-1: sample picture 4 is left out" in caplog.text


def test_samples_of_an_earlier_drawing_are_not_kept(tmp_path):
    drawn = laid(tmp_path / "drawn", *(png(side=size) for size in (8, 8, 8, 8, 9, 9, 9, 9)))
    assert [sample.width for sample in kept_samples("job-1", drawn, tmp_path)] == [9] * SAMPLES
