"""Links to files of ours: they serve one file, for a time, to who has them."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from bot.web.files import LIFE, SignedFiles, read_or_make_secret
from bot.web.server import serving

SECRET = b"a secret of this test"


class TurnedClock:
    def __init__(self):
        self.moment = datetime.now(UTC)

    def now(self):
        return self.moment


def make_files(tmp_path, *, clock=None, secret=SECRET, public_url="https://bot.example.org/"):
    (tmp_path / "blobs").mkdir(exist_ok=True)
    (tmp_path / "blobs" / "fox.bin").write_bytes(bytes(range(100)))
    return SignedFiles(root=tmp_path, secret=secret, public_url=public_url, clock=clock or TurnedClock())


@asynccontextmanager
async def served(files):
    """Serve links and give a function that gets one by the path of its URL."""
    site = web.Application()
    site.router.add_get("/files/{token}/{name}", files.serve)
    async with serving(site, host="127.0.0.1", port=0) as port, aiohttp.ClientSession() as session:

        async def get(url, **headers):
            path = url.removeprefix("https://bot.example.org")
            async with session.get(f"http://127.0.0.1:{port}{path}", headers=headers) as answer:
                return answer.status, await answer.read()

        yield get


async def test_link_serves_its_file_under_its_name(tmp_path):
    files = make_files(tmp_path)
    url = files.link(tmp_path / "blobs" / "fox.bin", name="lora.safetensors")
    assert url.startswith("https://bot.example.org/files/")
    assert url.endswith("/lora.safetensors")
    async with served(files) as get:
        assert await get(url) == (200, bytes(range(100)))


async def test_link_serves_a_range(tmp_path):
    files = make_files(tmp_path)
    url = files.link(tmp_path / "blobs" / "fox.bin", name="lora.safetensors")
    async with served(files) as get:
        assert await get(url, Range="bytes=10-19") == (206, bytes(range(10, 20)))


async def test_link_is_dead_after_its_life(tmp_path):
    clock = TurnedClock()
    files = make_files(tmp_path, clock=clock)
    url = files.link(tmp_path / "blobs" / "fox.bin", name="lora.safetensors")
    async with served(files) as get:
        clock.moment += LIFE - timedelta(seconds=5)
        assert (await get(url))[0] == 200
        clock.moment += timedelta(seconds=10)
        assert (await get(url))[0] == 404


async def test_link_is_for_one_name_only(tmp_path):
    files = make_files(tmp_path)
    url = files.link(tmp_path / "blobs" / "fox.bin", name="a.zip")
    async with served(files) as get:
        assert (await get(url.replace("a.zip", "b.zip")))[0] == 404


@pytest.mark.parametrize("token", ["", "x", "AAAA", "!!!!", "a" * 500])
async def test_link_with_a_forged_token_is_not_found(tmp_path, token):
    async with served(make_files(tmp_path)) as get:
        assert (await get(f"/files/{token}/fox.bin"))[0] == 404


async def test_link_made_with_another_secret_is_not_found(tmp_path):
    url = make_files(tmp_path, secret=b"another").link(tmp_path / "blobs" / "fox.bin", name="fox.bin")
    async with served(make_files(tmp_path)) as get:
        assert (await get(url))[0] == 404


async def test_link_of_a_deleted_file_is_not_found(tmp_path):
    files = make_files(tmp_path)
    url = files.link(tmp_path / "blobs" / "fox.bin", name="fox.bin")
    (tmp_path / "blobs" / "fox.bin").unlink()
    async with served(files) as get:
        assert (await get(url))[0] == 404


@pytest.mark.parametrize("place", ["../fox.bin", "darkroom.db", "secret.key"])
def test_link_is_never_made_for_other_files(tmp_path, place):
    with pytest.raises(ValueError, match=r"linked|subpath"):
        make_files(tmp_path).link(tmp_path / place, name="fox.bin")


@pytest.mark.parametrize("name", ["", "a/b", ".hidden"])
def test_link_needs_a_plain_name(tmp_path, name):
    with pytest.raises(ValueError, match="no plain file name"):
        make_files(tmp_path).link(tmp_path / "blobs" / "fox.bin", name=name)


def test_link_without_a_public_url_is_none(tmp_path):
    assert make_files(tmp_path, public_url=None).link(tmp_path / "blobs" / "fox.bin", name="fox.bin") is None


def test_two_names_give_two_links(tmp_path):
    files = make_files(tmp_path)
    links = {files.link(tmp_path / "blobs" / "fox.bin", name=name) for name in ("a.zip", "b.zip")}
    assert len({link.split("/")[-2] for link in links}) == 2


def test_secret_is_made_once_and_for_its_owner_only(tmp_path):
    path = tmp_path / "secret.key"
    first = read_or_make_secret(path)
    assert len(first) >= 32
    assert path.stat().st_mode & 0o077 == 0
    assert read_or_make_secret(path) == first
