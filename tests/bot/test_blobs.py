"""The big files: replaced whole, and nothing half written is left."""

import pytest

from bot.blobs import Blobs


async def test_blob_is_read_as_it_was_written(tmp_path):
    blobs = await Blobs.opened(tmp_path)
    await blobs.put("loras/a.safetensors", b"first")
    await blobs.put("loras/a.safetensors", b"second")

    assert await blobs.get("loras/a.safetensors") == b"second"
    lies = await blobs.as_file("loras/a.safetensors", tmp_path / "work")
    assert (lies, lies.read_bytes()) == (tmp_path / "loras" / "a.safetensors", b"second")


async def test_deleting_what_is_gone_is_fine(tmp_path):
    blobs = await Blobs.opened(tmp_path)
    await blobs.put("a", b"x")
    await blobs.delete(["a", "a", "never"])

    with pytest.raises(FileNotFoundError):
        await blobs.get("a")


async def test_half_written_files_are_swept_at_start(tmp_path):
    blobs = await Blobs.opened(tmp_path)
    await blobs.put("photos/a.png", b"whole")
    (tmp_path / "photos" / "b.png#1").write_bytes(b"ha")
    await Blobs.opened(tmp_path)

    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["a.png"]
