"""Owns the way to the bot over HTTP: its own routes at PUBLIC_URL, under a token that is good for one claim."""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.gpu.agent.transport import Claim, NotWanted, Rejected, Unreachable

#: Bytes of one part of an upload: what is lost at most when a connection is cut.
PART_BYTES = 8 * 1024 * 1024
#: Proxies take less by default, nginx one MiB; a part that one refuses is halved, down to this.
SMALLEST_PART_BYTES = 256 * 1024
TIMEOUT = 60.0
#: Times that a file whose sum does not agree at the other end is sent once more before that counts as trouble.
MOST_RESTARTS = 2
#: Statuses with which the bot itself turns us away; only with its own words in the answer, for proxies use them too.
_NOT_WANTED = frozenset({401, 409, 410})
_REJECTED = frozenset({400, 413, 422})


class _TooLarge(Rejected):
    """Whoever is between us and the bot takes no body of this size."""


class HttpTransport:
    """Speaks to `bot/web/agent.py`."""

    def __init__(self, url: str, job: str, token: str) -> None:
        self._base = f"{url}/agent/v1/jobs/{job}"
        self._token = token
        # Made here, so that a claim whose answer got lost can be made again by us and by nobody else.
        self._holder = secrets.token_urlsafe(32)
        self._part_bytes = PART_BYTES

    def claim(self, machine: Mapping[str, Any]) -> Claim:
        told = self._post("claim", {"token": self._token, "holder": self._holder, "machine": dict(machine)})
        try:
            return Claim(
                spec=told["spec"],
                archive_sha256=told["archive"]["sha256"],
                archive_size=told["archive"]["size"],
                report_seconds=float(told["report_seconds"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable("it answered in a way that we don't know") from error

    def fetch_archive(self, to: Path) -> None:
        with self._open("GET", "archive") as answer, to.open("wb") as file:
            try:
                shutil.copyfileobj(answer, file, 1024 * 1024)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(type(error).__name__) from error

    def report(self, status: Mapping[str, Any]) -> bool:
        return bool(self._post("report", status).get("stop"))

    def upload(self, path: Path, name: str, sha256: str) -> None:
        where = f"files/{name}?size={path.stat().st_size}&sha256={sha256}"
        told = self._json("GET", where)
        restarts = 0
        with path.open("rb") as file:
            while not told.get("complete"):
                have = told.get("have")
                if not isinstance(have, int):
                    raise Unreachable("it answered in a way that we don't know")
                file.seek(have)
                part = file.read(self._part_bytes)
                if not part:
                    raise Unreachable("it has more of the file than there is")
                try:
                    told = self._json("PUT", f"{where}&offset={have}", part)
                except _TooLarge:
                    if self._part_bytes <= SMALLEST_PART_BYTES:
                        raise
                    self._part_bytes //= 2
                    continue
                restarts += told.get("have") == 0 and not told.get("complete")
                if restarts > MOST_RESTARTS:
                    raise Unreachable("the file arrives damaged")

    def finish(self, outcome: Mapping[str, Any]) -> None:
        if self._post("finish", outcome).get("missing"):
            raise Unreachable("some of the files are missing there")

    def _post(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("POST", what, json.dumps(body).encode(), content_type="application/json")

    def _json(
        self, method: str, what: str, body: bytes | None = None, content_type: str = "application/octet-stream"
    ) -> dict[str, Any]:
        with self._open(method, what, body, content_type) as answer:
            try:
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unreachable(type(error).__name__) from error
        if not isinstance(told, dict):
            raise Unreachable("it answered in a way that we don't know")
        return told

    def _open(self, method: str, what: str, body: bytes | None = None, content_type: str = "") -> Any:
        headers = {"Authorization": "Bearer " + self._holder, "User-Agent": "darkroom-agent"}
        if content_type:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(  # noqa: S310 - the bot's own address
            f"{self._base}/{what}", data=body, method=method, headers=headers
        )
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310 - as above
        except urllib.error.HTTPError as error:
            with error:
                refusal = _refusal(error) if error.code in _NOT_WANTED else None
            if refusal is not None:
                raise NotWanted(refusal) from None
            kind = _TooLarge if error.code == 413 else Rejected if error.code in _REJECTED else Unreachable
            raise kind(f"status {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The error's own text may hold the address.
            raise Unreachable(type(error).__name__) from None


def _refusal(error: urllib.error.HTTPError) -> str | None:
    try:
        told = json.loads(error.read(10_000))
        return str(told["darkroom"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        return None
