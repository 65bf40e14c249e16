import asyncio
import hashlib
import socket
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from providers.artifacts import Artifacts, Caps, is_public
from providers.errors import ArtifactBroken, RateLimited, Unavailable

DATA = bytes(range(256)) * 4096
SIGNED = "sig=never-tell-this"


class Names(AbstractResolver):
    """Gives every name the same addresses."""

    def __init__(self, *addresses):
        self.addresses = addresses
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked += 1
        return [
            {"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for one in self.addresses
        ]

    async def close(self):
        pass


@asynccontextmanager
async def serving(answer):
    """Serve one handler for every path on loopback."""
    seen = []

    async def handle(request):
        seen.append(request)
        return await answer(request)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", seen
    finally:
        await runner.cleanup()


def make_caps(**changes):
    return Caps(**{"bytes": 2 * len(DATA), "seconds": 5.0} | changes)


async def whole(_):
    return web.Response(body=DATA, content_type="application/x-tar")


async def fetched(tmp_path, answer, *, path="/weights.tar", caps=None, **options):
    async with serving(answer) as (base, _):
        to = tmp_path / "weights.tar"
        return await Artifacts(loopback=True).fetch(f"{base}{path}?{SIGNED}", to, caps or make_caps(), **options)


async def broken(tmp_path, answer, kind=ArtifactBroken, **options):
    with pytest.raises(kind) as raised:
        await fetched(tmp_path, answer, **options)
    assert list(tmp_path.iterdir()) == []
    assert SIGNED not in str(raised.value)
    return raised.value


async def test_artifacts_brings_a_file_whole(tmp_path):
    got = await fetched(tmp_path, whole, sha256=hashlib.sha256(DATA).hexdigest().upper())
    assert got.path.read_bytes() == DATA
    assert (got.size, got.content_type) == (len(DATA), "application/x-tar")
    assert [path.name for path in tmp_path.iterdir()] == ["weights.tar"]


async def test_artifacts_replaces_what_was_there_only_when_all_is_right(tmp_path):
    (tmp_path / "weights.tar").write_bytes(b"old")
    with pytest.raises(ArtifactBroken):
        await fetched(tmp_path, whole, sha256="0" * 64)
    assert (tmp_path / "weights.tar").read_bytes() == b"old"


async def test_artifacts_refuses_another_checksum(tmp_path):
    await broken(tmp_path, whole, sha256="0" * 64)


async def test_artifacts_refuses_a_file_that_says_it_is_too_large(tmp_path):
    await broken(tmp_path, whole, caps=make_caps(bytes=1000))


async def test_artifacts_refuses_a_file_that_grows_too_large(tmp_path):
    async def endless(request):
        answer = web.StreamResponse()
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        while True:
            await answer.write(DATA)

    await broken(tmp_path, endless)


async def test_artifacts_refuses_a_truncated_file(tmp_path):
    async def half(request):
        answer = web.StreamResponse(headers={"Content-Length": str(len(DATA))})
        await answer.prepare(request)
        await answer.write(DATA[:1000])
        request.transport.close()
        return answer

    await broken(tmp_path, half)


async def test_artifacts_refuses_a_file_that_takes_too_long(tmp_path):
    async def slow(request):
        await asyncio.sleep(5)

    await broken(tmp_path, slow, caps=make_caps(seconds=0.1))


async def test_artifacts_refuses_another_type(tmp_path):
    await broken(tmp_path, whole, caps=make_caps(types=frozenset({"image/png"})))


async def test_artifacts_refuses_content_that_is_packed(tmp_path):
    async def zipped(_):
        return web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})

    await broken(tmp_path, zipped)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ArtifactBroken),
        (403, ArtifactBroken),
        (410, ArtifactBroken),
        (206, ArtifactBroken),
        (503, Unavailable),
        (429, RateLimited),
    ],
)
async def test_artifacts_tells_gone_from_busy(tmp_path, status, kind):
    async def answer(_):
        return web.Response(status=status, headers={"Retry-After": "3"})

    error = await broken(tmp_path, answer, kind)
    assert kind is ArtifactBroken or error.retry_after == 3.0


async def test_artifacts_follows_a_redirect(tmp_path):
    async def once(request):
        if request.path == "/moved":
            return await whole(request)
        raise web.HTTPFound("/moved")

    assert (await fetched(tmp_path, once)).size == len(DATA)


async def test_artifacts_stops_after_some_redirects(tmp_path):
    async def forever(request):
        raise web.HTTPFound("/again")

    await broken(tmp_path, forever)


@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "http://example.com/",
                                "file:///etc/passwd", "https://[::ffff:10.0.0.1]/", ""])  # fmt: skip
async def test_artifacts_checks_where_a_redirect_leads(tmp_path, to):
    async def away(request):
        return web.Response(status=302, headers={"Location": to} if to else {})

    await broken(tmp_path, away)


@pytest.mark.parametrize(
    "url",
    ["http://example.com/a", "ftp://example.com/a", "https://user:key@example.com/a", "https:///a", "", "a b",
     "https://127.0.0.1/a", "https://192.168.1.1/a", "https://[::1]/a", "https://[64:ff9b::a00:1]/a"],
)  # fmt: skip
async def test_artifacts_goes_only_to_public_https(tmp_path, url):
    with pytest.raises(ArtifactBroken):
        await Artifacts(names=Names("93.184.216.34")).fetch(url, tmp_path / "file", make_caps())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.1.2.3"], ["93.184.216.34", "10.1.2.3"], ["169.254.169.254"]])
async def test_artifacts_refuses_a_name_that_leads_inside(tmp_path, addresses):
    names = Names(*addresses)
    with pytest.raises(ArtifactBroken, match="open internet"):
        await Artifacts(names=names).fetch("https://files.example/a", tmp_path / "file", make_caps())
    assert names.asked == 1


async def test_artifacts_tells_when_nobody_answers(tmp_path):
    async with serving(whole) as (base, _):
        pass
    with pytest.raises(Unavailable):
        await Artifacts(loopback=True).fetch(base, tmp_path / "file", make_caps())


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("ff0e::1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:192.168.0.1", False),
        ("2002:c0a8:1::1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d822", True),
    ],
)
def test_is_public_looks_through_what_an_address_carries(address, public):
    assert is_public(address) is public
