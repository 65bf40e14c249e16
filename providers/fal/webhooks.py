"""Owns the check that a webhook comes from fal: ED25519 over its headers and body, with keys that fal publishes.

Source: fal.ai/docs/model-apis/webhooks, "Verifying your webhook".
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence

import aiohttp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.base import WebhookHint
from providers.errors import Unavailable, WebhookRejected

#: Seconds that a message may be old, or ahead of our clock.
TOLERANCE = 300
#: fal asks for keys to be kept for 24 hours at most.
KEYS_SECONDS = 24 * 3600
#: Seconds between two looks for new keys, so that forged messages can't make us ask all the time.
_NEW_KEYS_SECONDS = 60


class FalWebhooks:
    """Verifies messages; the keys are a cache and nothing else is kept.

    Args:
        session: What the keys are fetched with.
        keys_url: Where they are.
        clock: Seconds since 1970, by default the system's.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        keys_url: str = "https://rest.fal.ai/.well-known/jwks.json",
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._keys_url = keys_url
        self._clock = clock
        self._keys: Sequence[Ed25519PublicKey] = ()
        self._fetched_at = float("-inf")

    async def verify(self, headers: Mapping[str, str], body: bytes) -> WebhookHint:
        """Return what a message is about.

        Raises:
            WebhookRejected: it is not surely from fal, or too old.
            Unavailable: fal's keys can't be fetched.
        """
        names = {name.lower(): value for name, value in headers.items()}
        try:
            request, user, sent, signature = (
                names[f"x-fal-webhook-{part}"] for part in ("request-id", "user-id", "timestamp", "signature")
            )
            signed = bytes.fromhex(signature)
            age = abs(self._clock() - int(sent))
        except (KeyError, ValueError):
            raise WebhookRejected("A message lacks what fal signs its messages with.") from None
        if age > TOLERANCE:
            raise WebhookRejected("A message in fal's name is too old, or from the future.")
        message = "\n".join([request, user, sent, hashlib.sha256(body).hexdigest()]).encode()
        if not await self._is_signed(message, signed):
            raise WebhookRejected("A message in fal's name is not signed by fal.")
        return WebhookHint(delivery_id=request, remote_id=_remote_id(body))

    async def _is_signed(self, message: bytes, signature: bytes) -> bool:
        if self._clock() - self._fetched_at > KEYS_SECONDS:
            await self._fetch_keys()
        if _fits(self._keys, message, signature):
            return True
        if self._clock() - self._fetched_at < _NEW_KEYS_SECONDS:
            return False
        await self._fetch_keys()
        return _fits(self._keys, message, signature)

    async def _fetch_keys(self) -> None:
        try:
            timeout = aiohttp.ClientTimeout(total=10)
            async with self._session.get(self._keys_url, timeout=timeout, allow_redirects=False) as answer:
                answer.raise_for_status()
                keys = _keys(await answer.read())
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
            raise Unavailable("fal's keys for webhooks can't be fetched.") from None
        self._keys, self._fetched_at = keys, self._clock()


def _keys(document: bytes) -> list[Ed25519PublicKey]:
    raw = [key["x"] for key in json.loads(document)["keys"] if key.get("kty", "OKP") == "OKP"]
    return [Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))) for x in raw]


def _fits(keys: Sequence[Ed25519PublicKey], message: bytes, signature: bytes) -> bool:
    for key in keys:
        try:
            key.verify(signature, message)
        except InvalidSignature:
            continue
        return True
    return False


def _remote_id(body: bytes) -> str:
    try:
        remote_id = json.loads(body)["request_id"]
    except (ValueError, KeyError, TypeError):
        remote_id = None
    if not isinstance(remote_id, str):
        raise WebhookRejected("A message of fal's names no job.")
    return remote_id
