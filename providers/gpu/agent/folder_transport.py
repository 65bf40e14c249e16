"""Owns the way to the bot through a folder on the same machine, laid out as `providers.gpu.mailbox` says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers.gpu.agent.archive import sha256_of
from providers.gpu.agent.transport import Claim, NotWanted, Unreachable


class FolderTransport:
    """Reads and writes the files of one job; whoever creates `claim.json` holds it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def claim(self, machine: Mapping[str, Any]) -> Claim:
        told = self._told()
        if (self._folder / "stop").exists():
            raise NotWanted("it was stopped before it began")
        draft = self._draft("claim.json", {"machine": dict(machine)})
        try:
            # A link fails where the name exists, and the file is whole when the name appears.
            os.link(draft, self._folder / "claim.json")
        except FileExistsError:
            raise NotWanted("somebody else holds this job") from None
        finally:
            draft.unlink()
        return Claim(
            spec=told["spec"],
            archive_sha256=told["archive"]["sha256"],
            archive_size=told["archive"]["size"],
            report_seconds=float(told["report_seconds"]),
        )

    def fetch_archive(self, to: Path) -> None:
        self._told()
        shutil.copyfile(self._folder / "archive.zip", to)

    def report(self, status: Mapping[str, Any]) -> bool:
        self._told()
        self._write("report.json", status)
        return (self._folder / "stop").exists()

    def upload(self, path: Path, name: str, sha256: str) -> None:
        self._told()
        to = self._folder / "files" / name
        if to.exists() and sha256_of(to) == sha256:
            return
        try:
            to.parent.mkdir(exist_ok=True)
            part = to.with_name(f".{name}.part")
            shutil.copyfile(path, part)
            part.replace(to)
        except OSError as error:
            self._told()
            raise Unreachable(type(error).__name__) from None

    def finish(self, outcome: Mapping[str, Any]) -> None:
        self._told()
        self._write("outcome.json", outcome)

    def _told(self) -> dict[str, Any]:
        """Return what the bot wrote; a folder that is gone means that the job is not wanted any more."""
        try:
            told = json.loads((self._folder / "job.json").read_bytes())
        except FileNotFoundError:
            raise NotWanted("its folder is gone") from None
        except (OSError, ValueError) as error:
            raise Unreachable(type(error).__name__) from None
        if not isinstance(told, dict):
            raise Unreachable("its folder holds something else")
        return told

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        self._draft(name, content).replace(self._folder / name)

    def _draft(self, name: str, content: Mapping[str, Any]) -> Path:
        draft = self._folder / f".{name}.{os.getpid()}"
        try:
            draft.write_text(json.dumps(content))
        except FileNotFoundError:
            raise NotWanted("its folder is gone") from None
        return draft
