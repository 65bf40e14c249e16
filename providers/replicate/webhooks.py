"""Owns which messages to our webhook are surely from Replicate, by its signature; never believes what they say.

Scheme: Standard Webhooks (standardwebhooks.com), as told in Replicate's documentation.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime

from providers.base import WebhookHint
from providers.errors import WebhookRejected

#: Seconds that a message may be old or early. A message that is seen twice in this time is for the caller to drop.
TOLERANCE = 300.0


def verified_hint(headers: Mapping[str, str], body: bytes, *, secret: str, now: datetime) -> WebhookHint:
    """Verify a message over its raw body and say which job it is about.

    Raises:
        WebhookRejected: a header is missing, the signature is wrong, it is too old or too early, or names no job.
    """
    given = {name.lower(): value for name, value in headers.items()}
    delivery, sent, signatures = (given.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not delivery or not re.fullmatch(r"\d{1,12}", sent) or not signatures:
        raise WebhookRejected("A message came without a signature.")
    right = _signature(delivery, sent, body, secret)
    offered = [one.partition(",")[2] for one in signatures.split() if one.startswith("v1,")]
    if not any(hmac.compare_digest(right.encode(), one.encode()) for one in offered):
        raise WebhookRejected("A message came with a wrong signature.")
    if abs(now.timestamp() - int(sent)) > TOLERANCE:
        raise WebhookRejected("A message came too long after it was signed.")
    return WebhookHint(delivery_id=delivery, remote_id=_job_id(body))


def _signature(delivery: str, sent: str, body: bytes, secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookRejected("The webhook's secret is not one of Replicate's.") from None
    signed = f"{delivery}.{sent}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _job_id(body: bytes) -> str:
    try:
        job = json.loads(body)
    except ValueError:
        job = None
    remote_id = job.get("id") if isinstance(job, dict) else None
    if not isinstance(remote_id, str) or not remote_id:
        raise WebhookRejected("A message names no job.")
    return remote_id
