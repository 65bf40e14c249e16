import hashlib
import json
import zipfile

import pytest

from bot.dataset import DatasetEntry, build_archive, caption_for
from bot.errors import Missing
from bot.photo_workers import PhotoWorkers
from providers.recipe import SubjectKind
from tests.bot.pictures import decode, draw_quarters, encode

JPEG, PNG = encode(draw_quarters(64, 64)), encode(draw_quarters(64, 64), "PNG")


@pytest.fixture
async def workers():
    async with PhotoWorkers() as opened:
        yield opened


def make_entries(**changes):
    first = {"image": JPEG, "extension": ".jpg", "caption": "zwx sits in the sun"} | changes
    return [DatasetEntry(**first), DatasetEntry(image=PNG, extension=".png")]


async def build(into, workers, *, entries=None, **changes):
    wanted = {"trigger_word": "zwx", "kind": SubjectKind.ANIMAL, "name": "Fox & Füchsin"} | changes
    return await build_archive(entries or make_entries(), into=into, workers=workers, **wanted)


async def test_archive_holds_images_captions_and_manifest(tmp_path, workers):
    archive = await build(tmp_path / "set.zip", workers)
    with zipfile.ZipFile(archive.path) as packed:
        assert packed.testzip() is None
        assert packed.namelist() == ["001.jpg", "001.txt", "002.png", "002.txt", "manifest.json"]
        assert (packed.read("001.jpg"), packed.read("002.png")) == (JPEG, PNG)
        assert packed.read("001.txt") == b"zwx sits in the sun\n"
        assert packed.read("002.txt") == b"a photo of zwx, an animal\n"
        assert json.loads(packed.read("manifest.json")) == {
            "format_version": 1,
            "name": "Fox & Füchsin",
            "trigger_word": "zwx",
            "kind": "animal",
            "count": 2,
        }


async def test_archive_tells_its_hash_and_size(tmp_path, workers):
    archive = await build(tmp_path / "set.zip", workers)
    data = archive.path.read_bytes()
    assert (archive.sha256, archive.size) == (hashlib.sha256(data).hexdigest(), len(data))


async def test_archive_is_stored_and_tells_no_time(tmp_path, workers):
    archive = await build(tmp_path / "set.zip", workers)
    with zipfile.ZipFile(archive.path) as packed:
        members = packed.infolist()
    assert {member.compress_type for member in members} == {zipfile.ZIP_STORED}
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}


async def test_archive_names_no_file_of_ours(tmp_path, workers):
    photo = tmp_path / "ada-lovelace-4711.jpg"
    photo.write_bytes(JPEG)
    archive = await build(tmp_path / "set.zip", workers, entries=make_entries(image=photo))
    assert b"ada" not in archive.path.read_bytes()


async def test_archive_of_the_same_draft_has_the_same_hash(tmp_path, workers):
    photo = tmp_path / "somewhere.jpg"
    photo.write_bytes(JPEG)
    first = await build(tmp_path / "a.zip", workers)
    second = await build(tmp_path / "b.zip", workers, entries=make_entries(image=photo))
    assert first.sha256 == second.sha256


@pytest.mark.parametrize(
    "changes",
    [
        {"trigger_word": "other"},
        {"kind": SubjectKind.STYLE},
        {"name": "Other"},
        {"entries": make_entries(caption="zwx runs")},
        {"entries": make_entries(image=PNG, extension=".png")},
        {"entries": make_entries()[::-1]},
    ],
)
async def test_archive_of_another_draft_has_another_hash(changes, tmp_path, workers):
    first = await build(tmp_path / "a.zip", workers)
    assert (await build(tmp_path / "b.zip", workers, **changes)).sha256 != first.sha256


async def test_archive_sorts_thirty_photos_by_number(tmp_path, workers):
    entries = [DatasetEntry(image=JPEG, extension=".jpg", caption=f"zwx {n}") for n in range(1, 31)]
    archive = await build(tmp_path / "set.zip", workers, entries=entries)
    with zipfile.ZipFile(archive.path) as packed:
        assert packed.namelist() == sorted(packed.namelist())
        assert packed.read("030.txt") == b"zwx 30\n"
        assert decode(packed.read("030.jpg")).size == (64, 64)


async def test_archive_replaces_an_older_one_and_leaves_nothing_else(tmp_path, workers):
    into = tmp_path / "set.zip"
    into.write_bytes(b"old")
    await build(into, workers)
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]
    assert zipfile.is_zipfile(into)


async def test_archive_without_a_stored_photo_names_it_and_keeps_the_older_one(tmp_path, workers):
    into = tmp_path / "set.zip"
    into.write_bytes(b"old")
    gone = DatasetEntry(image=tmp_path / "gone.jpg", extension=".jpg")
    with pytest.raises(Missing) as caught:
        await build(into, workers, entries=[*make_entries(), gone])
    assert caught.value.sentence == "Photo 3 is no longer stored. Remove it from the draft, or add it again."
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


async def test_archive_needs_a_photo(tmp_path, workers):
    with pytest.raises(ValueError, match="needs a photo"):
        await build_archive(
            [], trigger_word="zwx", kind=SubjectKind.STYLE, name="x", into=tmp_path / "set.zip", workers=workers
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("zwx in the rain", "zwx in the rain"),
        ("a portrait of zwx.", "a portrait of zwx."),
        ("in the rain", "zwx, in the rain"),
        ("zwxy in the rain", "zwx, zwxy in the rain"),
        ("ZWX in the rain", "zwx, ZWX in the rain"),
        ("  two\r\nlines \t", "zwx, two lines"),
        ("", "a picture in the style of zwx"),
        (" \n", "a picture in the style of zwx"),
        (None, "a picture in the style of zwx"),
    ],
)
def test_caption_always_holds_the_trigger_word(caption, expected):
    assert caption_for(caption, trigger_word="zwx", kind=SubjectKind.STYLE) == expected


def test_caption_takes_a_trigger_word_of_signs_literally():
    assert caption_for("axb and a{b}", trigger_word="a.b", kind=SubjectKind.OBJECT) == "a.b, axb and a{b}"
    assert caption_for(None, trigger_word="{kind}", kind=SubjectKind.OBJECT) == "a photo of {kind}, an object"


@pytest.mark.parametrize("kind", SubjectKind)
def test_caption_has_a_default_for_every_kind(kind):
    assert "zwx" in caption_for(None, trigger_word="zwx", kind=kind)
