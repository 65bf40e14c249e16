"""Owns what the agent reads from its environment, and which of it no engine may see."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

#: Seconds that a machine waits for its bot before anything is done; a GPU that idles costs as much as one that works.
CLAIM_SECONDS = 900.0
MAX_SECONDS = 6 * 3600.0
RUNPOD_URL = "https://api.runpod.io/v2"

#: Variables that stay with the agent. What the engine downloads with, such as HF_TOKEN, is not among them.
_SECRET = frozenset({"RUNPOD_API_KEY"})
_OWN = "DARKROOM_"


@dataclass(frozen=True)
class Settings:
    """What the environment says; see each variable in `from_env`."""

    job: str
    #: Exactly one of the three ways to the bot is set.
    url: str | None = None
    letter: str | None = field(default=None, repr=False)
    folder: Path | None = None
    token: str | None = field(default=None, repr=False)
    ending: str = "exit"
    box_id: str | None = None
    max_seconds: float = MAX_SECONDS
    claim_seconds: float = CLAIM_SECONDS
    #: For photos and everything else of this job; removed at the end.
    work: Path = Path()
    runpod_url: str = RUNPOD_URL
    runpod_key: str | None = field(default=None, repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Return what is set.

        Raises:
            ValueError: something that is needed is missing or unreadable.
        """
        job = env.get("DARKROOM_JOB", "")
        if not job or not all(sign.isalnum() or sign in "-_." for sign in job) or job.startswith("."):
            raise ValueError("DARKROOM_JOB is missing or no plain name")
        ways = [name for name in ("DARKROOM_URL", "DARKROOM_LETTER", "DARKROOM_FOLDER") if env.get(name)]
        if len(ways) != 1:
            raise ValueError("exactly one of DARKROOM_URL, DARKROOM_LETTER and DARKROOM_FOLDER must be set")
        if ways == ["DARKROOM_URL"] and not env.get("DARKROOM_TOKEN"):
            raise ValueError("DARKROOM_TOKEN is missing")
        folder = env.get("DARKROOM_FOLDER")
        work = env.get("DARKROOM_WORK")
        return replace(
            cls.for_the_end(env),
            job=job,
            url=(env.get("DARKROOM_URL") or "").rstrip("/") or None,
            letter=env.get("DARKROOM_LETTER") or None,
            folder=Path(folder) if folder else None,
            token=env.get("DARKROOM_TOKEN") or None,
            max_seconds=float(env.get("DARKROOM_MAX_SECONDS") or MAX_SECONDS),
            claim_seconds=float(env.get("DARKROOM_CLAIM_SECONDS") or CLAIM_SECONDS),
            work=Path(work) if work else Path(tempfile.gettempdir()) / ("work-" + job),
        )

    @classmethod
    def for_the_end(cls, env: Mapping[str, str]) -> Settings:
        """Return what is needed to end the machine, if nothing else can be read."""
        return cls(
            job="",
            ending=env.get("DARKROOM_END") or "exit",
            box_id=env.get("DARKROOM_BOX_ID") or env.get("RUNPOD_POD_ID") or None,
            runpod_url=(env.get("DARKROOM_RUNPOD_URL") or RUNPOD_URL).rstrip("/"),
            runpod_key=env.get("RUNPOD_API_KEY") or None,
        )


def engine_env(added: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of an engine: ours without our secrets, and what its command adds."""
    kept = {name: value for name, value in os.environ.items() if name not in _SECRET and not name.startswith(_OWN)}
    return {**kept, "PYTHONUNBUFFERED": "1", **added}
