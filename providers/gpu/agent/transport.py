"""Owns the shape of the way between an agent and its bot, and what can go wrong on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Unreachable(Exception):
    """Nobody answered, or not now; trying again later may help."""


class Rejected(Unreachable):
    """What was said was not understood; saying it again and again costs money and helps only against a hiccup."""


class NotWanted(Exception):
    """Somebody else holds the job, or nobody wants it any more: the machine ends, there is nothing to say."""


@dataclass(frozen=True)
class Claim:
    """The job, now held by this machine."""

    #: What `job.Spec.from_json` reads.
    spec: Mapping[str, Any]
    archive_sha256: str
    archive_size: int
    #: Seconds between two reports.
    report_seconds: float


class Transport(Protocol):
    """The way to the bot. Every call raises Unreachable or NotWanted and may be made again after Unreachable."""

    def claim(self, machine: Mapping[str, Any]) -> Claim:
        """Claim the job; the same agent may ask again, another one gets NotWanted."""
        ...

    def fetch_archive(self, to: Path) -> None:
        """Write the archive to this file; what it holds is checked by the caller."""
        ...

    def report(self, status: Mapping[str, Any]) -> bool:
        """Tell how far it is; True when the work is to be stopped."""
        ...

    def upload(self, path: Path, name: str, sha256: str) -> None:
        """Deliver a file, going on where an earlier call was cut off; `name` is plain."""
        ...

    def finish(self, outcome: Mapping[str, Any]) -> None:
        """Tell the end: {"state": "done" | "failed" | "stopped", …}. After it nothing more is said."""
        ...
