"""Owns the way to the bot through a bucket, by signed links alone; the layout is that of `providers.gpu.mailbox`."""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from providers.gpu.agent.transport import Claim, NotWanted, Rejected, Unreachable

TIMEOUT = 120.0


class _Missing(Unreachable):
    """There is no such file; a bucket says so to whoever may list it, as the bot that signed the links may."""


class _Taken(Exception):
    """The file was there already."""


class MailboxTransport:
    """Reads and writes files of one job by the links in its letter."""

    def __init__(self, letter_url: str) -> None:
        self._letter_url = letter_url
        self._letter: dict[str, Any] = {}
        self._holder = secrets.token_urlsafe(32)
        #: How many parts of a file have arrived, by its name and sum.
        self._arrived: dict[tuple[str, str], int] = {}

    def claim(self, machine: Mapping[str, Any]) -> Claim:
        if not self._letter:
            try:
                self._letter = self._read(self._letter_url)
            except _Missing:
                raise NotWanted("its letter is gone") from None
        told = self._job()
        if self._is_there("stop"):
            raise NotWanted("it was stopped before it began")
        claim = json.dumps({"machine": dict(machine), "holder": self._holder}).encode()
        with suppress(_Taken):
            # "Only if there is none": of two machines, the bucket lets one through.
            self._put(self._letter["put"]["claim.json"], claim, {"If-None-Match": "*"})
        if self._read(self._letter["get"]["claim.json"]).get("holder") != self._holder:
            raise NotWanted("another machine holds this job")
        try:
            return Claim(
                spec=told["spec"],
                archive_sha256=told["archive"]["sha256"],
                archive_size=told["archive"]["size"],
                report_seconds=float(told["report_seconds"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable("the mailbox holds something else") from error

    def fetch_archive(self, to: Path) -> None:
        with self._open("GET", self._letter["get"]["archive.zip"]) as answer, to.open("wb") as file:
            try:
                shutil.copyfileobj(answer, file, 1024 * 1024)
            except (OSError, http.client.HTTPException) as error:
                raise Unreachable(type(error).__name__) from error

    def report(self, status: Mapping[str, Any]) -> bool:
        self._job()
        self._put(self._letter["put"]["report.json"], json.dumps(status).encode())
        return self._is_there("stop")

    def upload(self, path: Path, name: str, sha256: str) -> None:
        self._job()
        links, size = self._letter["files"].get(name, []), int(self._letter["part_bytes"])
        if path.stat().st_size > size * len(links):
            raise Rejected("the file is too large for the mailbox")
        with path.open("rb") as file:
            for number, link in enumerate(links):
                part = file.read(size)
                if not part:
                    return
                if number >= self._arrived.get((name, sha256), 0):
                    self._put(link, part)
                    self._arrived[name, sha256] = number + 1

    def finish(self, outcome: Mapping[str, Any]) -> None:
        self._job()
        self._put(self._letter["put"]["outcome.json"], json.dumps(outcome).encode())

    def _job(self) -> dict[str, Any]:
        """Return what the bot wrote; a job that is gone is not wanted any more."""
        try:
            return self._read(self._letter["get"]["job.json"])
        except _Missing:
            raise NotWanted("it is no longer in the mailbox") from None

    def _is_there(self, name: str) -> bool:
        try:
            self._read(self._letter["get"][name])
        except _Missing:
            return False
        return True

    def _read(self, link: str) -> dict[str, Any]:
        with self._open("GET", link) as answer:
            try:
                told = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise Unreachable(type(error).__name__) from error
        if not isinstance(told, dict):
            raise Unreachable("the mailbox holds something else")
        return told

    def _put(self, link: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        with self._open("PUT", link, body, headers or {}):
            pass

    def _open(self, method: str, link: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a link of the bot's
            link, data=body, method=method, headers={"User-Agent": "darkroom-agent", **(headers or {})}
        )
        if body is not None:
            # urllib would add a type of its own, and some signatures cover it.
            request.add_unredirected_header("Content-Type", "application/octet-stream")
        try:
            return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310 - as above
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 412:
                raise _Taken from None
            if error.code == 404:
                raise _Missing("status 404") from None
            raise Unreachable(f"status {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # The error's own text may hold the link.
            raise Unreachable(type(error).__name__) from None
