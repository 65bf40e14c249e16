"""Owns links to files of ours: signed, expiring, for one file each; never a listing, never a file outside its folder.

A link reads `PUBLIC_URL/files/<token>/<name>`. The token holds the file's path and the time of expiry, and an HMAC over
both and the name; who has no valid token learns nothing, not even whether the file exists.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from bot.clock import Clock

#: Long enough for a provider that queues for hours before it fetches.
LIFE = timedelta(hours=24)
#: Folders below the root whose files may be linked; the database and the secret are not in them.
LINKED = frozenset({"blobs", "work"})
_MAC_BYTES = 24


class SignedFiles:
    """Makes links and serves what they point to; the `FileLinks` of the adapters.

    Args:
        root: Folder that holds every file that may be linked.
        secret: Key of the signatures; whoever has it can read every file below `root`.
        public_url: Where the world reaches this process; None when it does not.
    """

    def __init__(self, *, root: Path, secret: bytes, public_url: str | None, clock: Clock) -> None:
        self._root = root.resolve()
        self._secret = secret
        self._public_url = public_url.rstrip("/") if public_url else None
        self._clock = clock

    def link(self, path: Path, *, name: str) -> str | None:
        """Return a URL of this file that ends in `/name`; None without a public URL.

        Raises:
            ValueError: the file lies outside of the folder, or the name is no plain file name.
        """
        if self._public_url is None:
            return None
        if "/" in name or not name or name.startswith("."):
            raise ValueError(f"{name!r} is no plain file name")
        inside = path.resolve().relative_to(self._root).as_posix()
        if inside.partition("/")[0] not in LINKED:
            raise ValueError("only photos' archives and models are ever linked")
        expires = int((self._clock.now() + LIFE).timestamp())
        payload = f"{expires}:{inside}".encode()
        return f"{self._public_url}/files/{_pack(payload + self._mac(payload, name))}/{name}"

    def resolve(self, token: str, name: str) -> Path | None:
        """Return the file that a token stands for; None when it is forged, expired or gone."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        payload, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(payload, name)):
            return None
        expires, _, inside = payload.decode().partition(":")
        if int(expires) < self._clock.now().timestamp():
            return None
        path = (self._root / inside).resolve()
        return path if path.is_relative_to(self._root) and path.is_file() else None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a request for a link, with Range and streaming as aiohttp does them."""
        path = self.resolve(request.match_info["token"], request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path, headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"})

    def _mac(self, payload: bytes, name: str) -> bytes:
        return hmac.new(self._secret, payload + b"\0" + name.encode(), hashlib.sha256).digest()[:_MAC_BYTES]


def read_or_make_secret(path: Path) -> bytes:
    """Return the secret in this file; a new one is made and written for the owner's eyes only."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip().encode()


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
