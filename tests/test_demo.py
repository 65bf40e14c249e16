"""`darkroom demo` for real, as the process that a person starts; five full runs, since each takes its time."""

import asyncio
import io
import os
import re
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from bot.cli import EX_CONFIG
from playground.sample_photos import sample_photos

pytestmark = pytest.mark.xdist_group("demo")

ROOT = Path(__file__).resolve().parents[1]
#: Seconds for one run on a busy machine; a run that hangs must not hang the tests.
PATIENCE = 240


@dataclass(frozen=True)
class Run:
    code: int
    out: str
    err: str
    folder: Path

    @property
    def pictures(self):
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("*.png"))}

    @property
    def conversation(self):
        return (self.folder / "conversation.txt").read_text()


async def run_demo(folder, *arguments):
    """Run the demo in an empty folder, away from any .env file."""
    folder.mkdir()
    out = folder / "saved"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--out", str(out), *map(str, arguments)),
        cwd=folder,
        # Wide, so that no path is broken into two lines.
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "400"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, complained = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Run(process.returncode, said.decode(), complained.decode(), out)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fox(tmp_path_factory):
    """The demo as the README has it."""
    return await run_demo(tmp_path_factory.mktemp("demo") / "fox")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosted(tmp_path_factory):
    """The demo with the stand-in for Replicate and photos of one's own; one file only says that it is a photo."""
    folder = tmp_path_factory.mktemp("own-photos")
    for number, photo in enumerate(sample_photos(4, seed=11, size=600)):
        picture = Image.open(io.BytesIO(photo.data))
        picture.save(folder / f"mine-{number}.{('jpg', 'png', 'webp', 'bmp')[number]}")
    (folder / "broken.jpg").write_bytes(sample_photos(1)[0].data[:900])
    run = tmp_path_factory.mktemp("demo") / "hosted"
    return await run_demo(run, "--provider", "replicate", "--photos", folder)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on_gpus(tmp_path_factory):
    """The demo with the stand-ins for RunPod, Paperspace and sd-scripts on this machine, all of which mostly wait."""
    folder = tmp_path_factory.mktemp("demo")
    names = ("runpod", "paperspace", "local")
    runs = await asyncio.gather(*(run_demo(folder / name, "--provider", name) for name in names))
    return dict(zip(names, runs, strict=True))


@pytest.fixture
def local(on_gpus):
    return on_gpus["local"]


def opened(data):
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def test_demo_ends_well(fox):
    assert (fox.code, fox.err) == (0, "")


def test_demo_names_every_file_that_it_saved(fox):
    named = {Path(line.strip()) for line in fox.out.split("Saved:")[1].splitlines() if line.strip()}
    assert named == set(fox.folder.iterdir())


def test_demo_saves_pictures_that_did_not_exist_before(fox):
    pictures = {name: opened(data) for name, data in fox.pictures.items()}
    assert len(pictures) == 8
    assert {picture.format for picture in pictures.values()} == {"PNG"}
    small = {name: picture.convert("RGB").resize((64, 64)) for name, picture in pictures.items()}
    photos = {photo.name: opened(photo.data).convert("RGB").resize((64, 64)) for photo in sample_photos()}
    everything = small | photos
    alike = [
        (a, b)
        for a, b in combinations(everything, 2)
        if {a, b} & set(small) and distance(everything[a], everything[b]) < 4
    ]
    assert alike == []


def distance(one, other):
    """Return how far two pictures of one size are apart, 0 to 255, as a mean over their channels."""
    return np.abs(np.asarray(one, np.int16) - np.asarray(other, np.int16)).mean()


def test_demo_pictures_are_no_noise(fox):
    # A picture of the fox is flat nearly everywhere, so it packs well; noise of this size takes its full three bytes.
    sizes = {name: len(data) / (3 * opened(data).width * opened(data).height) for name, data in fox.pictures.items()}
    assert max(sizes.values()) < 0.6


@pytest.mark.parametrize(
    "line",
    [
        "alice (#general): /draft new name:Rusty",
        "Added 8 photos to Rusty.",
        "notes.txt is a text file",
        "alice (direct message): presses [Captions]",
        "Train Rusty with Sketch",
        "[card] Training",
        "Rusty is ready",
        "Sketch ignores the prompt",
        "alice (#general): presses [Again]",
    ],
)
def test_demo_keeps_the_conversation(fox, line):
    assert line in fox.conversation


def test_demo_watches_the_loss_fall(fox):
    losses = [float(loss) for loss in re.findall(r"\[card\] .*loss ([\d.e-]+)", fox.conversation)]
    assert losses
    assert losses == sorted(losses, reverse=True)


def test_demo_trains_from_photos_of_ones_own(hosted):
    assert "Added 4 photos to My model." in hosted.conversation
    assert "My model is ready" in hosted.conversation


def test_demo_names_the_file_that_is_no_photo(hosted):
    assert re.search(r"broken\.jpg .{10,}", hosted.conversation.split("Added 4 photos")[1])


def test_demo_with_replicate_ends_well(hosted):
    assert (hosted.code, hosted.err) == (0, "")
    assert len(hosted.pictures) == 8
    assert len(set(hosted.pictures.values())) == 8
    assert {opened(data).size for data in hosted.pictures.values()} == {(1024, 1024)}


def test_demo_with_replicate_says_first_that_it_is_a_stand_in(hosted):
    before, _ = hosted.out.split("/draft new", 1)
    for part in ("Replicate is a stand-in here", "drawn by code", "Replicate's OpenAPI file", "not run live"):
        assert part in before


@pytest.mark.parametrize(
    "line",
    [
        "Train My model with Replicate?",
        "replicate.com/pricing, 2026-10-01",
        "Photos go to Replicate for the training",
        "of 1000 · loss",
        "Made with Replicate",
    ],
)
def test_demo_with_replicate_keeps_the_conversation(hosted, line):
    assert line in hosted.conversation


on_rented = pytest.mark.parametrize(("provider", "title"), [("runpod", "RunPod"), ("paperspace", "Paperspace")])


@on_rented
def test_demo_on_a_rented_gpu_ends_well_and_gives_it_back(on_gpus, provider, title):
    run = on_gpus[provider]
    assert (run.code, run.err) == (0, "")
    assert len(run.pictures) == 8
    assert "Rented 1 machine in all; 0 are left." in run.out


@on_rented
def test_demo_on_a_rented_gpu_says_first_what_is_a_stand_in(on_gpus, provider, title):
    before, _ = on_gpus[provider].out.split("/draft new", 1)
    for part in (f"{title} is a stand-in here", "the real agent", "trains nothing", "OpenAPI files", "not run live"):
        assert part in before


@on_rented
@pytest.mark.parametrize("line", ["Train Rusty with {}?", "rented at {}", "of 1000 · loss", "Rusty is ready"])
def test_demo_on_a_rented_gpu_keeps_the_conversation(on_gpus, provider, title, line):
    assert line.format(title) in on_gpus[provider].conversation


def test_demo_on_this_machine_ends_well(local):
    assert (local.code, local.err) == (0, "")
    assert len(local.pictures) == 8


def test_demo_on_this_machine_says_first_what_is_a_stand_in(local):
    before, _ = local.out.split("/draft new", 1)
    for part in ("sd-scripts are a stand-in here", "trains nothing", "a stand-in for Replicate"):
        assert part in before


@pytest.mark.parametrize("line", ["Train Rusty with Own GPU?", "Free", "of 1000 · loss", "Rusty is ready"])
def test_demo_on_this_machine_keeps_the_conversation(local, line):
    assert line in local.conversation


@pytest.mark.parametrize("there", [False, True], ids=["missing", "empty"])
async def test_demo_says_in_one_line_that_there_are_no_photos(tmp_path, there):
    photos = tmp_path / "photos"
    if there:
        photos.mkdir()
    run = await run_demo(tmp_path / "run", "--photos", photos)
    assert run.code == EX_CONFIG
    assert run.err.startswith("darkroom: The" if there else "darkroom: There is no folder")
    assert str(photos) in run.err
    assert run.err.count("\n") == 1
    assert not run.folder.exists()
