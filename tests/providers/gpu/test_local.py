"""Training on this machine: who gets the GPU, what outlives what, what is ended and what is left alone."""

import asyncio
import os
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from playground.engine_script import Mood, Trouble
from providers.base import RemoteState
from providers.disk import try_lock
from providers.errors import Refused, Unavailable
from providers.gpu import local_engine
from providers.gpu.box import BoxOrder, BoxState
from providers.gpu.local import LocalBox
from providers.gpu.local_engine import LocalEngine
from providers.gpu.local_entry import LOCAL, LocalOptions
from providers.gpu.local_folder import BoxFolder, ProcessId
from providers.recipe import BaseModelName
from tests.providers.contract import SINCE, until, wait_for
from tests.providers.gpu.local_bench import LocalBench, make_engine

SLOW = Mood(seconds_a_step=0.05)


@pytest_asyncio.fixture
async def bench(tmp_path):
    bench = LocalBench(tmp_path)
    yield bench
    await bench.stop()


async def submitted(bench, marker="job-1", **changes):
    adapter, order = bench.make_adapter(), bench.make_order(marker, **changes)
    prepared = await adapter.prepare(order)
    return adapter, await adapter.submit(order, prepared), prepared


async def training(bench, marker="job-1", **changes):
    adapter, remote_id, prepared = await submitted(bench, marker, **changes)
    await until_engine_runs(bench.box_folder(marker))
    return adapter, remote_id, prepared


def engine_of(folder):
    """Return the process id of the engine that runs for a box, or None."""
    for pid in folder.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"flux_train_network.py" in words:
            return pid
    return None


async def until_engine_runs(folder):
    await until(lambda: engine_of(folder) is not None)


def is_free(lock):
    """Tell whether nobody holds a lock; an ending process is out of sight a moment before it lets go."""
    held = try_lock(lock)
    if held is not None:
        os.close(held)
    return held is not None


def environment_of(pid):
    told = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(line.split("=", 1) for line in told if "=" in line)


async def test_local_training_of_another_waits_for_the_gpu(bench):
    first, first_id, first_prepared = await training(bench, "job-1", steps=200)
    second, second_id, second_prepared = await submitted(bench, "job-2")
    assert (await second.poll(second_id, second_prepared)).state is RemoteState.QUEUED
    assert engine_of(bench.box_folder("job-2")) is None
    await first.cancel(first_id, first_prepared)
    assert (await wait_for(second, second_id, second_prepared)).state is RemoteState.SUCCEEDED


async def test_local_gpus_have_a_training_each(bench):
    bench.behave(SLOW)
    two = bench.make_box(gpus=["1", "3"])
    bench.make_box = lambda: two
    for marker in ("job-1", "job-2"):
        await training(bench, marker, steps=1000)
    engines = [engine_of(bench.box_folder(marker)) for marker in ("job-1", "job-2")]
    assert {environment_of(pid)["CUDA_VISIBLE_DEVICES"] for pid in engines} == {"1", "3"}


async def test_local_engine_sees_none_of_the_bots_secrets(bench, monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "bots-own-secret")
    monkeypatch.setenv("CUDA_HOME", "/opt/cuda")
    bench.behave(SLOW)
    box = bench.make_box(secrets={"HF_TOKEN": "for-the-engine"})
    bench.make_box = lambda: box
    await training(bench, steps=1000)
    folder = bench.box_folder("job-1")
    told = environment_of(engine_of(folder))
    assert told["HF_TOKEN"] == "for-the-engine"
    assert told["CUDA_HOME"] == "/opt/cuda"
    for pid in folder.processes():
        assert "bots-own-secret" not in str(environment_of(pid))
    assert stat.S_IMODE((folder.path / "box.json").stat().st_mode) == 0o600


async def test_local_training_that_waits_is_started_again_when_its_process_died(bench):
    with bench.busy():
        adapter, remote_id, prepared = await submitted(bench)
        folder = bench.box_folder("job-1")
        await until(lambda: folder.process() is not None)
        os.kill(folder.process().pid, signal.SIGKILL)
        await until(lambda: not folder.process().lives)
        assert (await adapter.poll(remote_id, prepared)).state is RemoteState.QUEUED
        await until(lambda: folder.process().lives)
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_local_training_that_was_written_down_and_never_started_is_started_by_the_next_look(bench):
    with bench.busy():
        adapter, remote_id, prepared = await submitted(bench)
        folder = bench.box_folder("job-1")
        await until(lambda: folder.process() is not None)
        # What a bot leaves that dies between the two.
        os.kill(folder.process().pid, signal.SIGKILL)
        await until(lambda: not folder.process().lives)
        for note in ("process.json", "starts.json"):
            (folder.path / note).unlink()
        assert await bench.make_adapter().find("job-1", prepared, SINCE) == remote_id
        assert (await bench.make_adapter().poll(remote_id, prepared)).state is RemoteState.QUEUED
    assert (await wait_for(adapter, remote_id, prepared)).state is RemoteState.SUCCEEDED


async def test_local_training_whose_process_dies_again_and_again_is_given_up(bench):
    with bench.busy():
        adapter, remote_id, prepared = await submitted(bench)
        folder = bench.box_folder("job-1")
        for _ in range(3):
            await until(lambda: folder.process() is not None and folder.process().lives)
            os.kill(folder.process().pid, signal.SIGKILL)
            await until(lambda: not folder.process().lives)
            seen = await adapter.poll(remote_id, prepared)
        assert seen.state is RemoteState.FAILED
        assert "before its training began" in str(seen.failure)


async def test_local_training_without_its_agent_ends_its_engine_and_frees_the_gpu(bench):
    bench.behave(SLOW)
    await training(bench, steps=6000)
    folder = bench.box_folder("job-1")
    os.kill(folder.process().pid, signal.SIGKILL)
    await until(lambda: folder.processes() == [])
    await until(lambda: is_free(bench.slots / "0.lock"))
    assert (await bench.make_box().status(folder.path.name)).state is BoxState.ENDED


async def test_local_engine_that_outlived_everybody_is_ended_with_its_box(bench):
    bench.behave(Mood(trouble=Trouble.DEAF))
    adapter, remote_id, prepared = await training(bench, steps=10)
    folder = bench.box_folder("job-1")
    engine = engine_of(folder)
    await until(lambda: "SigIgn:\t0000000000000000" not in Path(f"/proc/{engine}/status").read_text())
    others = [pid for pid in folder.processes() if pid != engine]
    # Stopped first: whoever sees another die would end the engine.
    for blow in (signal.SIGSTOP, signal.SIGKILL):
        for pid in others:
            os.kill(pid, blow)
    await until(lambda: folder.processes() == [engine])
    await adapter.cleanup(remote_id, prepared)
    assert folder.processes() == []
    assert not folder.path.exists()


async def test_local_process_of_a_stranger_with_the_same_number_is_left_alone(bench):
    stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    try:
        folder = bench.box_folder("job-1")
        folder.create({})
        folder.note_beginning()
        folder.note_process(ProcessId(pid=stranger.pid, started="another boot/12345"))
        box = bench.make_box()
        assert (await box.status(folder.path.name)).state is BoxState.ENDED
        await box.destroy(folder.path.name)
        assert not folder.path.exists()
        assert stranger.returncode is None
        os.kill(stranger.pid, 0)
    finally:
        stranger.kill()
        await stranger.wait()


def test_local_process_is_known_by_its_start_too():
    own = ProcessId.own()
    assert own.lives
    assert not ProcessId(pid=own.pid, started="").lives
    assert not ProcessId(pid=own.pid, started=own.started + "1").lives


async def test_local_box_is_found_and_listed_until_it_is_destroyed(bench):
    bench.behave(SLOW)
    adapter, remote_id, prepared = await training(bench, steps=6000)
    again = bench.make_box()
    [owned] = await again.list_owned()
    assert owned.id == owned.name == await again.find(owned.name) == remote_id
    assert owned.created_at > SINCE
    await again.destroy(remote_id)
    await again.destroy(remote_id)
    assert await again.list_owned() == []
    assert await again.find(remote_id) is None
    assert (await again.status(remote_id)).state is BoxState.GONE
    # What the reaper takes is no result; the job's own lease says so in the end.
    assert (await adapter.poll(remote_id, prepared)).state in {RemoteState.RUNNING, RemoteState.LOST}


async def test_local_box_that_was_being_destroyed_is_not_started_again(bench):
    with bench.busy():
        _, remote_id, _ = await submitted(bench)
        folder = bench.box_folder("job-1")
        await until(lambda: folder.process() is not None)
        folder.note_end()
        await until(lambda: not folder.process().lives)
        assert (await bench.make_box().status(remote_id)).state is BoxState.ENDED


async def test_local_box_makes_the_folders_that_it_needs(tmp_path):
    box = LocalBox(tmp_path / "new" / "local", make_engine(tmp_path), slots=tmp_path / "other" / "gpus")
    try:
        assert await box.list_owned() == []
        name = await box.create(BoxOrder(name="darkroom-1", env={}, script="", max_seconds=1))
        assert [owned.id for owned in await box.list_owned()] == [name]
    finally:
        await box.destroy("darkroom-1")


async def test_local_box_takes_no_name_that_leads_elsewhere(bench):
    with pytest.raises(Refused):
        await bench.make_box().create(BoxOrder(name="../up", env={}, script="", max_seconds=1))
    assert (await bench.make_box().status("../up")).state is BoxState.GONE


async def test_local_folder_that_cannot_be_used_is_the_operators_matter(tmp_path):
    (tmp_path / "local").write_text("a file")
    box = LocalBox(tmp_path / "local", make_engine(tmp_path), slots=tmp_path / "gpus")
    with pytest.raises(Unavailable, match="folder"):
        await box.create(BoxOrder(name="darkroom-1", env={}, script="", max_seconds=1))
    health = await box.check()
    assert not health.ok
    assert "data folder" in health.detail


async def test_local_training_that_fails_says_why_and_what_to_do(bench):
    bench.behave(Mood(trouble=Trouble.OUT_OF_MEMORY))
    adapter, remote_id, prepared = await submitted(bench)
    seen = await wait_for(adapter, remote_id, prepared)
    assert seen.state is RemoteState.FAILED
    assert "Choose a smaller resolution" in str(seen.failure)


def test_local_photos_do_not_stay_when_a_training_is_over(tmp_path):
    async def story():
        bench = LocalBench(tmp_path)
        adapter, remote_id, prepared = await submitted(bench)
        await wait_for(adapter, remote_id, prepared)
        await until(lambda: bench.box_folder("job-1").processes() == [])
        left = list(tmp_path.rglob("*.jpg"))
        await adapter.cleanup(remote_id, prepared)
        return left, list((tmp_path / "local").rglob("*.zip")), list((tmp_path / "local" / "boxes").iterdir())

    assert asyncio.run(story()) == ([], [], [])


# --- what an operator sets


async def test_check_says_that_the_engine_is_ready(tmp_path):
    health = await make_engine(tmp_path).check()
    assert health.ok
    assert "sd-scripts" in health.detail


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"weights": {}}, "no weights"),
        ({"weights": {BaseModelName.FLUX_1_DEV: {"model": "/m", "clip_l": "/c"}}}, "t5xxl, ae of FLUX"),
        ({"weights": {BaseModelName.SDXL: {"model": "/nowhere/xl.safetensors"}}}, "not at /nowhere"),
        ({"folder": Path("/nowhere")}, "flux_train_network.py"),
        ({"python": "/nowhere/python"}, "DARKROOM_LOCAL_PYTHON"),
        ({"python": "/bin/false"}, "does not start"),
    ],
)
async def test_check_says_what_is_missing_and_what_to_set(tmp_path, changes, part):
    health = await replace(make_engine(tmp_path), **changes).check()
    assert not health.ok
    assert part in health.detail
    assert "\n" not in health.detail


async def test_check_says_why_the_engine_does_not_start(tmp_path):
    engine = make_engine(tmp_path)
    (engine.folder / "flux_train_network.py").write_text("import torch_that_nobody_installed\n")
    assert "No module named 'torch_that_nobody_installed'" in (await engine.check()).detail


async def test_check_believes_an_engine_that_has_started(tmp_path):
    engine = make_engine(tmp_path)
    await engine.check()
    (engine.folder / "flux_train_network.py").write_text("raise SystemExit(1)")
    assert (await engine.check()).ok


def test_options_lead_to_what_the_engine_offers():
    options = LocalOptions(
        darkroom_local_engine="sd-scripts",
        darkroom_local_engine_dir=Path("/opt/sd-scripts"),
        darkroom_local_flux="/m/flux1-dev.safetensors",
        darkroom_local_flux_clip_l="/m/clip_l.safetensors",
        darkroom_local_flux_t5xxl="/m/t5xxl.safetensors",
        darkroom_local_flux_ae="/m/ae.safetensors",
        darkroom_local_sdxl="/m/xl.safetensors",
        darkroom_local_gpus="0, 2",
        darkroom_local_options='{"optimizer_type": "Adafactor"}',
    )
    assert options.python == "/opt/sd-scripts/venv/bin/python"
    assert options.gpus == ["0", "2"]
    assert options.more_options == {"optimizer_type": "Adafactor"}
    engine = LocalEngine(name="sd-scripts", folder=Path(), python="", weights=options.weights)
    assert engine.base_models == {BaseModelName.FLUX_1_DEV, BaseModelName.SDXL}


@pytest.mark.parametrize("value", ["[1]", "optimizer=adam", "{"])
def test_options_must_be_a_json_object(value):
    with pytest.raises(ValueError, match="darkroom_local_options"):
        LocalOptions(darkroom_local_options=value)


def test_options_name_gpus_and_no_files():
    with pytest.raises(ValueError, match="no list of GPUs"):
        LocalOptions(darkroom_local_gpus="../0")


async def test_check_gives_up_on_an_engine_that_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(local_engine, "_HELP_SECONDS", 0.2)
    engine = make_engine(tmp_path)
    (engine.folder / "flux_train_network.py").write_text("import time; time.sleep(60)")
    # A slow disk is no fault.
    assert (await engine.check()).ok


async def test_check_hands_none_of_the_bots_secrets_on(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "bots-own-secret")
    engine = make_engine(tmp_path)
    (engine.folder / "flux_train_network.py").write_text("import os, sys; sys.exit(os.environ.get('DISCORD_TOKEN', 0))")
    assert (await engine.check()).ok


def test_small_gpu_is_offered_a_smaller_picture_first(tmp_path):
    assert make_engine(tmp_path, vram_gb=12).offer().resolutions[0] == 512
    assert make_engine(tmp_path, vram_gb=24).offer().resolutions[0] == 1024


def test_entry_is_off_until_an_engine_is_named():
    assert not LOCAL.is_on(LocalOptions())
    assert LOCAL.is_on(LocalOptions(darkroom_local_engine="ai-toolkit"))


def test_box_folder_of_a_process_that_is_half_written_is_read_as_none(tmp_path):
    folder = BoxFolder(tmp_path / "box")
    assert folder.process() is None
    assert folder.env() == {}
