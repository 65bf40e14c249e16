"""Sketch's processes: what happens when they are killed, and what people hear of bad photos and files."""

import io
import os
import signal
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from providers.base import RemoteState
from providers.errors import Unavailable, UnexpectedAnswer
from providers.sketch.trainer import SketchTrainer
from tests.providers.contract import PROMPT, snapshots, until, wait_for
from tests.providers.sketch_bench import (
    SketchImageMakerBench,
    SketchTrainerBench,
    is_free,
    make_archive,
    make_image_order,
    make_training_order,
)


@pytest_asyncio.fixture
async def trainer_bench(tmp_path):
    bench = SketchTrainerBench(tmp_path)
    yield bench
    await bench.stop()


@pytest_asyncio.fixture
async def image_bench(tmp_path):
    bench = SketchImageMakerBench(tmp_path)
    yield bench
    await bench.stop()


def worker_of(folder):
    """Return the process id of the worker that has an order, or None."""
    for told in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = told.read_bytes().split(b"\0")
            if b"providers.sketch.worker" in words and os.fsencode(folder) in words:
                return int(told.parent.name)
    return None


def told_of_worker(folder, name):
    """Return what the system tells of the worker that has an order."""
    return (Path("/proc") / str(worker_of(folder)) / name).read_bytes()


def make_bomb(side):
    """Return a PNG that claims to be `side` pixels wide and high."""
    png = io.BytesIO()
    Image.new("1", (8, 8)).save(png, "PNG")
    content = png.getvalue()
    header = b"IHDR" + struct.pack(">II", side, side) + content[24:29]
    return content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]


async def kill_worker(folder):
    process = worker_of(folder)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    await until(lambda: is_free(folder / "lock"))


async def submitted(adapter, order):
    prepared = await adapter.prepare(order)
    return await adapter.submit(order, prepared), prepared


async def test_worker_killed_in_the_middle_is_replaced_and_goes_on(trainer_bench):
    order = make_training_order(trainer_bench._archive(), "job", steps=24)
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    remote_id, prepared = await submitted(adapter, order)
    reached = 0
    async for seen in snapshots(adapter, remote_id, prepared):
        reached = seen.progress.step
        if reached >= 3:
            break
    await kill_worker(folder)
    later = [seen async for seen in snapshots(adapter, remote_id, prepared)]
    assert all(seen.progress.step >= reached for seen in later)
    assert later[-1].state is RemoteState.SUCCEEDED
    into = trainer_bench.tmp_path / "out"
    into.mkdir()
    trainer_bench.check_output(await adapter.collect(remote_id, prepared, into), order, into)


async def test_worker_that_never_gets_on_is_given_up_after_three_starts(trainer_bench):
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    with trainer_bench.busy():
        remote_id, prepared = await submitted(adapter, trainer_bench.make_order("job"))
        for _ in range(2):
            await kill_worker(folder)
            assert (await adapter.poll(remote_id, prepared)).state is RemoteState.QUEUED
        await kill_worker(folder)
        seen = await adapter.poll(remote_id, prepared)
    assert seen.state is RemoteState.FAILED
    assert "three times" in str(seen.failure)


async def test_worker_killed_after_cancel_is_not_replaced(trainer_bench):
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    with trainer_bench.busy():
        remote_id, prepared = await submitted(adapter, trainer_bench.make_order("job"))
        os.kill(worker_of(folder), signal.SIGSTOP)
        await adapter.cancel(remote_id, prepared)
        await kill_worker(folder)
        assert (await adapter.poll(remote_id, prepared)).state is RemoteState.CANCELED
    assert worker_of(folder) is None


async def test_worker_ends_when_its_folder_disappears(trainer_bench):
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    remote_id, prepared = await submitted(adapter, trainer_bench.make_long_order("job"))
    await wait_for(adapter, remote_id, prepared, RemoteState.RUNNING)
    await adapter.cleanup(remote_id, prepared)
    await until(lambda: worker_of(folder) is None)
    assert not folder.exists()


async def test_worker_is_no_child_of_the_bot(trainer_bench):
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    with trainer_bench.busy():
        await submitted(adapter, trainer_bench.make_order("job"))
        parent = int(told_of_worker(folder, "stat").rsplit(b")", 1)[1].split()[1])
    assert parent != os.getpid()


async def test_worker_gets_nothing_of_the_environment_of_the_bot(trainer_bench, monkeypatch):
    monkeypatch.setenv("DARKROOM_SECRET_KEY", "hush")
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    with trainer_bench.busy():
        await submitted(adapter, trainer_bench.make_order("job"))
        assert b"hush" not in told_of_worker(folder, "environ")


@pytest.mark.parametrize(
    ("count", "extra", "sentence"),
    [
        (1, {}, "Sketch needs at least 2 photos."),
        (3, {"004.jpg": b"no photo at all"}, "004.jpg can't be read as a photo"),
        (3, {"004.png": b""}, "004.png can't be read as a photo"),
    ],
)
async def test_training_with_bad_photos_fails_with_a_sentence(trainer_bench, count, extra, sentence):
    archive = make_archive(trainer_bench.tmp_path / "bad.zip", count, extra=extra)
    adapter = trainer_bench.make_adapter()
    seen = await wait_for(adapter, *await submitted(adapter, make_training_order(archive)))
    assert seen.state is RemoteState.FAILED
    assert str(seen.failure).startswith(sentence)


async def test_training_with_a_bomb_of_a_picture_fails_with_a_sentence(trainer_bench):
    archive = make_archive(trainer_bench.tmp_path / "bomb.zip", 2, extra={"003.png": make_bomb(30_000)})
    adapter = trainer_bench.make_adapter()
    seen = await wait_for(adapter, *await submitted(adapter, make_training_order(archive)))
    assert str(seen.failure).startswith("003.png can't be read")


async def test_training_with_a_damaged_archive_fails_with_a_sentence(trainer_bench):
    archive = make_archive(trainer_bench.tmp_path / "cut.zip")
    archive.write_bytes(archive.read_bytes()[:500])
    adapter = trainer_bench.make_adapter()
    seen = await wait_for(adapter, *await submitted(adapter, make_training_order(archive)))
    assert seen.state is RemoteState.FAILED
    assert "damaged" in str(seen.failure)


async def test_drawing_with_a_damaged_model_fails_with_a_sentence(image_bench):
    broken = image_bench.tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a model")
    adapter = image_bench.make_adapter()
    seen = await wait_for(adapter, *await submitted(adapter, make_image_order(broken)))
    assert seen.state is RemoteState.FAILED
    assert "train the model again" in str(seen.failure)


@pytest.mark.parametrize(("resolution", "size"), [(128, (288, 512)), (256, (576, 1024))])
async def test_a_model_draws_in_the_resolution_that_it_was_trained_for(trainer_bench, image_bench, resolution, size):
    adapter, order = trainer_bench.make_adapter(), make_training_order(trainer_bench._archive(), resolution=resolution)
    remote_id, prepared = await submitted(adapter, order)
    await wait_for(adapter, remote_id, prepared)
    trained = await adapter.collect(remote_id, prepared, trainer_bench.tmp_path)
    adapter = image_bench.make_adapter()
    remote_id, prepared = await submitted(adapter, make_image_order(trained.path))
    await wait_for(adapter, remote_id, prepared)
    (made,) = (await adapter.collect(remote_id, prepared, image_bench.tmp_path)).images
    assert (made.width, made.height) == size


async def test_drawing_gives_the_same_picture_alone_or_with_others(image_bench):
    adapter, model = image_bench.make_adapter(), image_bench._model()
    drawn = {}
    for marker, seed, count in (("alone", 6, 1), ("others", 5, 2)):
        remote_id, prepared = await submitted(adapter, make_image_order(model, marker, seed=seed, count=count))
        await wait_for(adapter, remote_id, prepared)
        into = image_bench.tmp_path / marker
        into.mkdir()
        made = await adapter.collect(remote_id, prepared, into)
        drawn[marker] = {image.seed: image.path.read_bytes() for image in made.images}
    assert drawn["alone"][6] == drawn["others"][6]
    assert drawn["others"][5] != drawn["others"][6]


async def test_drawing_leaves_the_prompt_nowhere(image_bench):
    adapter = image_bench.make_adapter()
    remote_id, prepared = await submitted(adapter, image_bench.make_order("job"))
    await wait_for(adapter, remote_id, prepared)
    files = [path for path in image_bench.folder.rglob("*") if path.is_file()]
    assert files
    assert not any(PROMPT.encode() in path.read_bytes() for path in files)


async def test_no_more_workers_compute_than_there_are_slots(trainer_bench):
    adapter = trainer_bench.make_adapter()
    first, prepared = await submitted(adapter, trainer_bench.make_long_order("first"))
    await wait_for(adapter, first, prepared, RemoteState.RUNNING)
    second, prepared = await submitted(adapter, trainer_bench.make_order("second"))
    assert (await adapter.poll(second, prepared)).state is RemoteState.QUEUED
    await adapter.cancel(first, {})
    assert (await wait_for(adapter, second, prepared)).state is RemoteState.SUCCEEDED


async def test_a_folder_that_cannot_be_made_is_told_and_nothing_else_leaves(tmp_path):
    (tmp_path / "file").write_text("in the way")
    adapter = SketchTrainer(tmp_path / "file" / "sketch")
    health = await adapter.check()
    assert not health.ok
    assert "can't be used" in health.detail
    with pytest.raises(Unavailable):
        await adapter.prepare(make_training_order(make_archive(tmp_path / "photos.zip")))


async def test_notes_that_are_damaged_are_told_as_such(trainer_bench):
    adapter, folder = trainer_bench.make_adapter(), trainer_bench.folder / "trainings" / "job"
    with trainer_bench.busy():
        remote_id, prepared = await submitted(adapter, trainer_bench.make_order("job"))
        (folder / "progress.json").write_text('{"state": ')
        with pytest.raises(UnexpectedAnswer, match="damaged"):
            await adapter.poll(remote_id, prepared)
        (folder / "progress.json").unlink()
