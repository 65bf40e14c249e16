"""The real sd-scripts, on the CPU, with random weights: opt-in, since it takes PyTorch and a checkout.

    DARKROOM_SD_SCRIPTS         a checkout of kohya-ss/sd-scripts
    DARKROOM_SD_SCRIPTS_PYTHON  the Python that has what its requirements.txt asks for
    DARKROOM_AI_TOOLKIT         a checkout of ostris/ai-toolkit, of which only the source is read

`pytest -n 0 -m engine` runs it; CONTRIBUTING.md says how to make the first two.
"""

import ast
import asyncio
import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from playground.ai_toolkit import KNOWN
from playground.sd_scripts import OPTIONS
from providers.base import Aspect, ImageOrder, LoraFile, LoraFormat, RemoteState
from providers.gpu.agent.engine import Work
from providers.gpu.agent.engines import engine_for
from providers.gpu.agent.engines.lora_file import PUBLIC_METADATA, read_header
from providers.gpu.agent.job import NO_IMAGES, Spec, WorkFailed
from providers.gpu.local_engine import LocalEngine
from providers.gpu.mailbox import MailboxLeases
from providers.gpu.trainer import GpuTrainer
from providers.kohya import command
from providers.kohya.image_maker import KohyaImageMaker
from providers.recipe import BaseModelName, Limits
from providers.weights import inspect_weights
from tests.providers.contract import ENDED
from tests.providers.gpu.local_bench import LocalBench

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

HERE = Path(__file__).parent
#: A layer of T5 and a block of each kind; see tiny_flux.py.
MOST_SECONDS = 600


def asked_for(name):
    value = os.environ.get(name)
    if not value:
        pytest.skip(f"{name} is not set: see the head of {Path(__file__).name}")
    return value


@pytest.fixture(scope="module")
def checkout():
    return Path(asked_for("DARKROOM_SD_SCRIPTS")).absolute()


@pytest.fixture(scope="module")
def python():
    return asked_for("DARKROOM_SD_SCRIPTS_PYTHON")


@pytest.fixture(scope="module")
def weights(checkout, python, tmp_path_factory):
    """Return the folder of a small FLUX.1, made anew: it takes 2.3 GB and half a minute."""
    folder = tmp_path_factory.mktemp("flux")
    subprocess.run([python, str(HERE / "tiny_flux.py"), str(folder)], cwd=checkout, check=True, capture_output=True)
    return folder


def make_work(folder):
    work = Work(dataset=folder / "dataset", config=folder / "config", output=folder / "output")
    for path in (work.dataset, work.config, work.output):
        path.mkdir(parents=True)
    for number in range(2):
        Image.new("RGB", (64, 64), (100 + 50 * number, 90, 60)).save(work.dataset / f"{number:03}.jpg")
        (work.dataset / f"{number:03}.txt").write_text("a photo of zxqfox, a secret garden")
    return work


def make_spec(checkout, python, weights, **settings):
    files = {name: str(weights / f"{name}.safetensors") for name in ("model", "clip_l", "t5xxl", "ae")}
    options = {
        # What needs a GPU, or the network.
        "optimizer_type": "AdamW",
        "fp8_base": None,
        "tokenizer_cache_dir": str(weights / "tokenizers"),
        "t5xxl_max_token_length": 16,
        # So that there is something private to be taken out.
        "no_metadata": None,
    }
    steps = settings.pop("steps", 4)
    recipe = {"base_model": "flux.1-dev", "trigger_word": "zxqfox", "steps": steps, "rank": 4, "learning_rate": 1e-4}
    return Spec(
        marker="darkroom-1",
        engine="sd-scripts",
        recipe={**recipe, "kind": "animal", "resolution": 64},
        settings={"engine_dir": str(checkout), "python": python, "weights": files, "options": options, **settings},
        sample_prompts=("zxqfox in a garden",),
    )


def size_of(picture):
    with Image.open(picture) as image:
        return image.size


def run(engine, start, shim):
    process = subprocess.run(
        start.argv,
        cwd=start.cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(shim), "HF_HUB_OFFLINE": "1", **start.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=MOST_SECONDS,
        check=False,
    )
    lines = [line for line in re.split(r"[\r\n]+", process.stdout.decode()) if line.strip()]
    heard = [news for line in lines if (news := engine.hear(line))]
    return process.returncode, lines, heard


def test_real_sd_scripts_take_the_options_that_the_table_has(checkout, python):
    asked = [python, str(HERE / "real_options.py")]
    told = subprocess.run(asked, cwd=checkout, check=True, capture_output=True, text=True, env={**os.environ})
    real = json.loads(told.stdout.splitlines()[-1])
    table = {script: {**OPTIONS["options"], **more} for script, more in OPTIONS["more"].items()}
    assert real["options"] == table
    assert real["dataset"] == {name: sorted(OPTIONS["dataset"][name]) for name in real["dataset"]}


def test_real_sd_scripts_train_a_lora(checkout, python, weights, tmp_path):
    work = make_work(tmp_path)
    engine = engine_for(make_spec(checkout, python, weights, sample_every=2, save_every=2), work)
    code, lines, heard = run(engine, engine.prepare(), weights / "shim")
    made = engine.judge(code, lines[-60:])
    assert code == 0
    steps = [news.step for news in heard if news.phase == "training"]
    assert (steps[0], steps[-1], steps) == (0, 4, sorted(steps))
    assert {"reading the photos", "reading the captions", "drawing a sample", "saving"} <= {n.phase for n in heard}
    assert made.facts["loss"] > 0
    found = inspect_weights(Path(made.lora))
    # Thirteen layers of two blocks, each with its way down, up, and alpha.
    assert (found.format, found.tensors) == (LoraFormat.KOHYA, 39)
    assert set(read_header(Path(made.lora))["__metadata__"]) <= PUBLIC_METADATA
    assert b"secret garden" not in Path(made.lora).read_bytes()
    assert b"secret garden" in (work.output / "lora-step00000002.safetensors").read_bytes()
    assert [size_of(sample) for sample in made.samples] == [(64, 64)] * 2


def test_real_sd_scripts_exit_with_0_when_they_find_no_photos(checkout, python, weights, tmp_path):
    work = make_work(tmp_path)
    engine = engine_for(make_spec(checkout, python, weights), work)
    start = engine.prepare()
    for photo in work.dataset.iterdir():
        photo.unlink()
    code, lines, _ = run(engine, start, weights / "shim")
    assert code == 0
    with pytest.raises(WorkFailed) as failed:
        engine.judge(code, lines[-60:])
    assert failed.value.code == NO_IMAGES


def wrapped(python, weights, folder):
    """Return a program that is this Python with the shim, as an operator's own environment would be."""
    program = folder / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={weights / "shim"} HF_HUB_OFFLINE=1 exec {python} "$@"\n')
    program.chmod(0o755)
    return str(program)


class RealBench(LocalBench):
    """Local training with the real sd-scripts, at a size that a CPU can do."""

    def make_adapter(self):
        offer = replace(self.installed.offer(), resolutions=(64,), steps=Limits(low=1, high=900, default=4))
        return GpuTrainer(self.make_box(), offer, MailboxLeases.in_folder(self.folder / "jobs"))


@pytest_asyncio.fixture
async def bench(checkout, python, weights, tmp_path):
    bench = RealBench(tmp_path)
    settings = make_spec(checkout, python, weights).settings
    bench.installed = LocalEngine(
        name="sd-scripts",
        folder=checkout,
        python=wrapped(python, weights, tmp_path),
        weights={BaseModelName.FLUX_1_DEV: settings["weights"]},
        options=settings["options"],
    )
    yield bench
    await bench.stop()


async def look_until(enough, adapter, remote_id, prepared):
    """Look at a job until it is as wanted; the other process sends no word."""
    async with asyncio.timeout(MOST_SECONDS):
        while True:
            seen = await adapter.poll(remote_id, prepared)
            if enough(seen):
                return seen
            await asyncio.sleep(0.5)


async def test_real_sd_scripts_are_found_ready(bench):
    assert (await bench.installed.check()).ok


async def test_real_sd_scripts_train_as_a_local_trainer_and_are_canceled(bench, tmp_path):
    adapter, order = bench.make_adapter(), bench.make_order("job-1", steps=4, resolution=64)
    prepared = await adapter.prepare(order)
    remote_id = await adapter.submit(order, prepared)
    seen = await look_until(lambda seen: seen.state in ENDED, adapter, remote_id, prepared)
    assert seen.state is RemoteState.SUCCEEDED, seen.failure
    lora = await adapter.collect(remote_id, prepared, tmp_path)
    assert inspect_weights(lora.path).tensors == 39
    await adapter.cleanup(remote_id, prepared)

    order = bench.make_order("job-2", steps=900, resolution=64)
    prepared = await adapter.prepare(order)
    remote_id = await adapter.submit(order, prepared)
    await look_until(lambda seen: seen.progress is not None and seen.progress.step, adapter, remote_id, prepared)
    await adapter.cancel(remote_id, prepared)
    seen = await look_until(lambda seen: seen.state in ENDED, adapter, remote_id, prepared)
    assert seen.state is RemoteState.CANCELED
    await adapter.cleanup(remote_id, prepared)
    assert bench.box_folder("job-2").processes() == []


def make_hub(weights, folder):
    """Lay the toy tokenizers out as Hugging Face's library keeps what it fetched; kohya's script takes no others."""
    for kept in (weights / "tokenizers").iterdir():
        model = folder / "hub" / f"models--{kept.name.replace('_', '--', 1)}"
        (model / "refs").mkdir(parents=True)
        (model / "refs" / "main").write_text("0" * 40)
        shutil.copytree(kept, model / "snapshots" / ("0" * 40))
    return folder


async def test_real_kohya_script_draws_with_a_lora_of_the_real_trainer(
    checkout, python, weights, tmp_path, monkeypatch
):
    engine = engine_for(make_spec(checkout, python, weights, steps=1), make_work(tmp_path / "training"))
    code, lines, _ = run(engine, engine.prepare(), weights / "shim")
    lora = LoraFile(
        path=Path(engine.judge(code, lines[-60:]).lora),
        base_model=BaseModelName.FLUX_1_DEV,
        format=LoraFormat.KOHYA,
        trigger_word="zxqfox",
    )
    # As large as a CPU can do in a minute.
    monkeypatch.setattr(command, "_STEPS", 1)
    monkeypatch.setattr(command, "PIXELS", {Aspect.SQUARE: (64, 64)})
    monkeypatch.setenv("HF_HOME", str(make_hub(weights, tmp_path / "hub")))
    files = {name: weights / f"{name}.safetensors" for name in ("model", "clip_l", "t5xxl", "ae")}
    tools = command.KohyaTools(
        folder=checkout,
        python=wrapped(python, weights, tmp_path),
        diffusion_model=files["model"],
        clip_l=files["clip_l"],
        t5=files["t5xxl"],
        vae=files["ae"],
    )
    adapter = KohyaImageMaker(tools, tmp_path / "kohya")
    order = ImageOrder(
        marker="p-1", lora=lora, prompt="zxqfox at sea", count=2, seed=7, aspect=Aspect.SQUARE, strength=0.8
    )
    prepared = await adapter.prepare(order)
    remote_id = await adapter.submit(order, prepared)
    seen = await look_until(lambda seen: seen.state in ENDED, adapter, remote_id, prepared)
    assert seen.state is RemoteState.SUCCEEDED, seen.failure
    made = await adapter.collect(remote_id, prepared, tmp_path)
    assert [(one.seed, one.width, one.height) for one in made.images] == [(7, 64, 64), (8, 64, 64)]
    await adapter.cleanup(remote_id, prepared)


CLASSES = {
    "SaveConfig": "save",
    "SampleConfig": "sample",
    "NetworkConfig": "network",
    "TrainConfig": "train",
    "ModelConfig": "model",
    "DatasetConfig": "datasets",
}


def test_real_ai_toolkit_asks_for_the_keys_that_the_table_has():
    source = (Path(asked_for("DARKROOM_AI_TOOLKIT")) / "toolkit" / "config_modules.py").read_text()
    real = {
        CLASSES[node.name]: set(
            re.findall(r"kwargs\.(?:get|pop)\(\s*['\"](\w+)['\"]", ast.get_source_segment(source, node))
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name in CLASSES
    }
    assert real == {section: set(KNOWN["sections"][section]) for section in real}
