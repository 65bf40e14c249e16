"""Files at rest: nothing readable without the key, nothing changed unseen, and a change of keys that loses nothing."""

import io

import pytest
from pydantic import SecretStr

from bot.blobs import Blobs
from bot.cli import main
from bot.errors import StartupError
from bot.keys import note_keys, rotate
from bot.sealing import MAGIC, PIECE, Key, Keyring, SealBroken
from bot.store.database import Database
from tests.factories import trained_model
from tests.fresh_database import lay_database
from tests.house import open_house

PHOTO = b"the face of somebody" * 1000


def make_keys(*texts: str) -> Keyring:
    """Make a ring whose first key seals."""
    current, *older = texts or (Key.fresh(),)
    return Keyring.parse(SecretStr(current), SecretStr(",".join(older)))


def sealed(keys: Keyring, data: bytes, name: str = "photos/a.jpg") -> bytes:
    into = io.BytesIO()
    keys.seal(io.BytesIO(data), into, name=name)
    return into.getvalue()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_sealed_file_opens_as_it_was(size):
    keys, data = make_keys(), bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert keys.opened_bytes(sealed(keys, data), name="photos/a.jpg") == data


def test_sealed_file_shows_nothing():
    assert b"somebody" not in sealed(make_keys(), PHOTO)


@pytest.mark.parametrize(
    "harm",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data[: -(PIECE // 2)],
    ],
    ids=["cut", "longer", "changed", "last piece shortened"],
)
def test_harmed_file_is_refused(harm):
    keys = make_keys()
    with pytest.raises(SealBroken):
        keys.opened_bytes(harm(sealed(keys, b"y" * (PIECE + PIECE // 2 + 5))), name="photos/a.jpg")


def test_file_without_its_last_piece_is_refused():
    keys = make_keys()
    whole = sealed(keys, b"y" * (2 * PIECE))
    with pytest.raises(SealBroken):
        keys.opened_bytes(whole[: -(PIECE + 16)], name="photos/a.jpg")


def test_file_in_the_place_of_another_is_refused():
    keys = make_keys()
    with pytest.raises(SealBroken):
        keys.opened_bytes(sealed(keys, PHOTO), name="photos/b.jpg")


def test_file_without_its_key_is_refused():
    with pytest.raises(SealBroken, match="no key here opens it"):
        make_keys().opened_bytes(sealed(make_keys(), PHOTO), name="photos/a.jpg")


def test_key_that_is_none_is_refused_without_repeating_it():
    with pytest.raises(StartupError) as refusal:
        make_keys("c2VjcmV0")
    assert "c2VjcmV0" not in refusal.value.sentence


def test_keys_are_not_shown():
    text = Key.fresh()
    assert text[:8] not in repr(make_keys(text))


async def test_blob_is_sealed_on_disk_and_read_as_it_was(tmp_path):
    blobs = await Blobs.opened(tmp_path, make_keys())
    await blobs.put("photos/a.jpg", PHOTO)

    assert b"somebody" not in (tmp_path / "photos" / "a.jpg").read_bytes()
    assert await blobs.get("photos/a.jpg") == PHOTO
    assert await blobs.keys() == ["photos/a.jpg"]


async def test_blob_from_before_the_key_stays_readable(tmp_path):
    await (await Blobs.opened(tmp_path)).put("photos/a.jpg", PHOTO)
    assert await (await Blobs.opened(tmp_path, make_keys())).get("photos/a.jpg") == PHOTO


async def test_blob_is_opened_as_a_file_for_other_programs(tmp_path):
    blobs = await Blobs.opened(tmp_path / "blobs", make_keys())
    (tmp_path / "lora").write_bytes(PHOTO)
    await blobs.put("loras/a.safetensors", tmp_path / "lora")
    opened = await blobs.as_file("loras/a.safetensors", tmp_path / "work")

    assert opened.parent == tmp_path / "work"
    assert opened.suffix == ".safetensors"
    assert opened.read_bytes() == PHOTO


async def test_rotation_seals_everything_with_the_new_key(tmp_path):
    old, new = Key.fresh(), Key.fresh()
    await (await Blobs.opened(tmp_path / "b")).put("photos/plain.jpg", PHOTO)
    await (await Blobs.opened(tmp_path / "b", make_keys(old))).put("photos/old.jpg", PHOTO)
    keys = make_keys(new, old)
    blobs = await Blobs.opened(tmp_path / "b", keys)
    async with Database.opened(await lay_database(tmp_path)) as database:
        first = await rotate(database, blobs, keys)
        second = await rotate(database, blobs, keys)

    assert (first.resealed, first.left, second.resealed, second.left) == (2, 0, 0, 2)
    only_new = await Blobs.opened(tmp_path / "b", make_keys(new))
    assert [await only_new.get(f"photos/{name}.jpg") for name in ("plain", "old")] == [PHOTO, PHOTO]


async def test_rotation_leaves_what_it_cannot_open(tmp_path):
    await (await Blobs.opened(tmp_path / "b", make_keys())).put("photos/a.jpg", PHOTO)
    before = (tmp_path / "b" / "photos" / "a.jpg").read_bytes()
    keys = make_keys()
    async with Database.opened(await lay_database(tmp_path)) as database:
        done = await rotate(database, await Blobs.opened(tmp_path / "b", keys), keys)

    assert done.broken == ["photos/a.jpg"]
    assert (tmp_path / "b" / "photos" / "a.jpg").read_bytes() == before


async def test_start_without_a_needed_key_is_refused(tmp_path):
    old, new = Key.fresh(), Key.fresh()
    async with Database.opened(await lay_database(tmp_path)) as database:
        async with database.begin() as connection:
            await note_keys(connection, make_keys(old))
            await note_keys(connection, make_keys(new, old))
        with pytest.raises(StartupError, match="sealed with a key that is missing"):
            async with database.begin() as connection:
                await note_keys(connection, make_keys(new))


async def test_start_after_a_rotation_needs_the_new_key_only(tmp_path):
    old, new = Key.fresh(), Key.fresh()
    keys = make_keys(new, old)
    async with Database.opened(await lay_database(tmp_path)) as database:
        async with database.begin() as connection:
            await note_keys(connection, make_keys(old))
        await rotate(database, await Blobs.opened(tmp_path / "b", keys), keys)
        async with database.begin() as connection:
            await note_keys(connection, make_keys(new))


async def test_bot_with_a_key_leaves_nothing_readable_on_disk(tmp_path):
    async with open_house(tmp_path / "data", darkroom_blob_key=SecretStr(Key.fresh())) as house:
        await trained_model(house, house.discord.person("ada"))
    stored = [path for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()]

    assert {path.relative_to(tmp_path / "data" / "blobs").parts[0] for path in stored} == {
        "photos",
        "loras",
        "pictures",
    }
    assert [path for path in stored if not path.read_bytes().startswith(MAGIC)] == []
    assert [path for path in (tmp_path / "data" / "work").rglob("*") if path.is_file()] == []


def test_command_line_makes_a_key_and_rotates(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DARKROOM_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "data" / "blobs").mkdir(parents=True)
    (tmp_path / "data" / "blobs" / "a.jpg").write_bytes(PHOTO)
    assert main(["keys", "new"]) == 0
    monkeypatch.setenv("DARKROOM_BLOB_KEY", capsys.readouterr().out.strip())
    assert main(["keys", "rotate"]) == 0

    assert capsys.readouterr().out == "1 files sealed with the current key, 0 were so already.\n"
    assert (tmp_path / "data" / "blobs" / "a.jpg").read_bytes().startswith(MAGIC)
