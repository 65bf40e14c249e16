"""Owns the one way to fetch a file from a provider: whole, capped, and never from an address inside our network.

What is in the file is judged elsewhere: unpacking.py and weights.py.
"""

import asyncio
import hashlib
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from providers.errors import ArtifactBroken, ProviderError, RateLimited, Unavailable
from providers.http import error_for
from providers.wording import Sentence

log = logging.getLogger(__name__)

MIB = 1024 * 1024
MOST_REDIRECTS = 5
#: What errors call a link and a file: one that a provider made, or one that a person sent.
PROVIDERS: Mapping[str, Sentence] = {"link": Sentence("The provider's link"), "file": Sentence("The provider's file")}
YOURS: Mapping[str, Sentence] = {"link": Sentence("Your link"), "file": Sentence("Your file")}
_CHUNK = 256 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, kw_only=True)
class Caps:
    """What a file may be at most."""

    bytes: int
    #: Seconds from the first connection to the last byte, redirects included.
    seconds: float
    #: Content types without parameters; empty to take any.
    types: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that arrived whole."""

    path: Path
    size: int
    sha256: str
    content_type: str


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the open internet, also when it carries another address inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


class _CheckedResolver(AbstractResolver):
    """Looks names up and lets only fit addresses through; the connection goes to just these, so none can change."""

    def __init__(self, names: AbstractResolver, *, loopback: bool) -> None:
        self._names = names
        self._loopback = loopback

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        if any(not _fits(one["host"], loopback=self._loopback) for one in found):
            raise _Forbidden
        return found

    async def close(self) -> None:
        await self._names.close()


class _Forbidden(ArtifactBroken):
    def __init__(self) -> None:
        super().__init__("{link} leads to an address that is not on the open internet.", values=PROVIDERS)


class Artifacts:
    """Fetches providers' files.

    Args:
        loopback: Take plain http too, from this machine alone; for tests.
        names: How host names are looked up, by default by the operating system.
        whose: What errors call a link and a file.
    """

    def __init__(
        self,
        *,
        loopback: bool = False,
        names: AbstractResolver | None = None,
        whose: Mapping[str, Sentence] = PROVIDERS,
    ) -> None:
        self._loopback = loopback
        self._names = names
        self._whose = whose

    async def fetch(self, url: str, to: Path, caps: Caps, *, sha256: str | None = None) -> Fetched:
        """Bring one file; `to` appears only when all of it is there and right.

        Args:
            url: May be signed; it is never told to anybody.
            to: A file in an existing folder; replaced if it exists.
            caps: What is too much.
            sha256: The hex digest that it must have, if known.

        Raises:
            ArtifactBroken: truncated, too large or slow, of another type, gone, or from where we don't go.
            RateLimited: the file's server asks us to slow down.
            Unavailable: the file's server is not reachable or out of order.
        """
        part = to.with_name(f".{to.name}.part")
        try:
            async with asyncio.timeout(caps.seconds):
                with _told_to_people():
                    fetched = await self._fetch(_parsed(url), part, caps)
            if sha256 is not None and fetched.sha256 != sha256.lower():
                raise ArtifactBroken("{file} is not the one that it promised: its checksum differs.", values=PROVIDERS)
            await asyncio.to_thread(part.replace, to)
        except TimeoutError as error:
            raise ArtifactBroken(
                "{file} didn't arrive within {seconds} seconds.",
                values={**self._whose, "seconds": f"{caps.seconds:g}"},
            ) from error
        except ArtifactBroken as error:
            raise ArtifactBroken(error.message, values={**error.values, **self._whose}) from error
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)
        return Fetched(path=to, size=fetched.size, sha256=fetched.sha256, content_type=fetched.content_type)

    async def _fetch(self, url: URL, part: Path, caps: Caps) -> Fetched:
        resolver = _CheckedResolver(self._names or ThreadedResolver(), loopback=self._loopback)
        connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False)
        # Environment proxies are ignored: through one, the addresses that were checked would not be those used.
        async with (
            aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=60),
                trust_env=False,
            ) as session,
            self._followed(session, url) as answer,
        ):
            content_type = _checked_head(answer, caps)
            size, digest = await _written(answer, part, caps)
        return Fetched(path=part, size=size, sha256=digest, content_type=content_type)

    @asynccontextmanager
    async def _followed(self, session: aiohttp.ClientSession, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """Open a file, following redirects by hand so that each hop is checked before anything is sent there."""
        for _ in range(MOST_REDIRECTS + 1):
            self._check_hop(url)
            async with session.get(url, allow_redirects=False) as answer:
                if answer.status not in _REDIRECTS:
                    yield answer
                    return
                url = url.join(_parsed(answer.headers.get("Location", "")))
        raise ArtifactBroken("{link} is redirected too often.", values=PROVIDERS)

    def _check_hop(self, url: URL) -> None:
        host = url.host or ""
        if url.user is not None or not host or url.scheme not in {"https", "http"}:
            raise ArtifactBroken("{link} is not a plain https link.", values=PROVIDERS)
        try:
            literal = str(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            literal = None
        if literal is not None and not _fits(literal, loopback=self._loopback):
            raise _Forbidden
        here = literal is not None and ipaddress.ip_address(literal).is_loopback
        if url.scheme == "http" and not (self._loopback and here):
            raise ArtifactBroken("{link} is not a plain https link.", values=PROVIDERS)


def _fits(address: str, *, loopback: bool) -> bool:
    return is_public(address) or (loopback and ipaddress.ip_address(address.partition("%")[0]).is_loopback)


def _parsed(url: str) -> URL:
    try:
        parsed = URL(url)
    except (ValueError, TypeError):
        parsed = URL()
    if not url or not str(parsed):
        raise ArtifactBroken("{link} is not a link.", values=PROVIDERS) from None
    return parsed


def _checked_head(answer: aiohttp.ClientResponse, caps: Caps) -> str:
    if answer.status != 200:
        error = error_for(answer.status, provider="The file's server", headers=answer.headers)
        if isinstance(error, RateLimited | Unavailable):
            raise error
        raise ArtifactBroken(
            "{file} can't be fetched (status {status}); it may have expired.",
            values={**PROVIDERS, "status": answer.status},
        )
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ArtifactBroken("{file} is packed in a way that we didn't ask for.", values=PROVIDERS)
    if caps.types and answer.content_type.lower() not in caps.types:
        raise ArtifactBroken(
            "{file} is of the type {type}, which was not expected.",
            values={**PROVIDERS, "type": repr(answer.content_type[:60])},
        )
    if answer.content_length is not None and answer.content_length > caps.bytes:
        raise _too_large(caps)
    return answer.content_type


async def _written(answer: aiohttp.ClientResponse, part: Path, caps: Caps) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0

    def keep(file: BinaryIO, chunk: bytes) -> None:
        digest.update(chunk)
        file.write(chunk)

    with await asyncio.to_thread(part.open, "wb") as file:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > caps.bytes:
                raise _too_large(caps)
            await asyncio.to_thread(keep, file, chunk)
    if answer.content_length is not None and size != answer.content_length:
        raise ArtifactBroken("{file} was cut off on its way.", values=PROVIDERS)
    return size, digest.hexdigest()


def _too_large(caps: Caps) -> ArtifactBroken:
    return ArtifactBroken("{file} is larger than {most} MiB.", values={**PROVIDERS, "most": f"{caps.bytes / MIB:.0f}"})


@contextmanager
def _told_to_people() -> Iterator[None]:
    """Turn aiohttp's errors into ours, without the link that they name."""
    try:
        yield
    except ProviderError:
        raise
    except aiohttp.ClientPayloadError:
        raise ArtifactBroken("{file} was cut off on its way.", values=PROVIDERS) from None
    except aiohttp.ServerTimeoutError:
        raise Unavailable("The server of the provider's file doesn't answer.") from None
    except (aiohttp.ClientSSLError, aiohttp.InvalidURL, aiohttp.ClientResponseError) as error:
        log.warning("a provider's file can't be fetched: %s", type(error).__name__)
        raise ArtifactBroken("{link} can't be trusted or read.", values=PROVIDERS) from None
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise
        log.warning("a provider's file can't be fetched: %s", type(error).__name__)
        raise Unavailable("The server of the provider's file can't be reached.") from None
