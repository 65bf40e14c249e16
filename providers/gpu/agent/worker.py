"""Owns the one training of this machine, from claim to delivery; the machine's end is not its business."""

from __future__ import annotations

import errno
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from providers.gpu.agent.archive import sha256_of, unpack
from providers.gpu.agent.engine import Work
from providers.gpu.agent.engines import engine_for
from providers.gpu.agent.job import AGENT_FAILED, BAD_ARCHIVE, DISK_FULL, Made, Progress, Spec, WorkFailed
from providers.gpu.agent.machine import say
from providers.gpu.agent.process import EngineProcess
from providers.gpu.agent.reporter import Reporter
from providers.gpu.agent.settings import Settings
from providers.gpu.agent.transport import Claim, NotWanted, Rejected, Transport, Unreachable

#: Name of the file in the work folder that names the engine's process group.
ENGINE_NOTE = "engine.pid"
LORA_NAME = "lora.safetensors"
MOST_SAMPLES = 8
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
#: Times that a delivery is rejected before its failure is delivered instead.
MOST_REJECTIONS = 8
#: Seconds after which photos that nobody delivers are given up; the GPU idles meanwhile.
ARCHIVE_SECONDS = 1800.0
ARCHIVE_TRIES = 3
_DISK_FULL = WorkFailed(DISK_FULL, "The disk of the machine is full.")
_DISK_FAILED = WorkFailed(AGENT_FAILED, "The machine's disk or memory failed.")

T = TypeVar("T")


class _Stopped(Exception):
    """The bot wants no result any more."""


class Worker:
    """Does the one training.

    Args:
        settings: What the environment said.
        transport: The way to the bot.
    """

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport

    def run(self) -> int:
        """Do all of it and return 0 when the bot knows how it ended, 3 when it wants nothing of us."""
        try:
            claim = self._claim()
        except NotWanted as error:
            say(f"this job is not ours: {error}")
            return 3
        reporter = Reporter(self._transport, seconds=claim.report_seconds)
        reporter.start()
        try:
            return self._held(claim, reporter)
        except NotWanted as error:
            say(f"this job is no longer wanted: {error}")
            return 3
        except WorkFailed as error:
            say(f"not even the failure could be told: {error}")
            return 3
        finally:
            reporter.close()

    def _claim(self) -> Claim:
        """Claim the job, for as long as it makes sense to wait for the bot."""
        until = time.monotonic() + self._settings.claim_seconds
        machine = {"box_id": self._settings.box_id, "host": socket.gethostname(), "gpu": _gpu()}
        pause = FIRST_PAUSE
        while True:
            try:
                return self._transport.claim(machine)
            except Unreachable as error:
                if time.monotonic() + pause > until:
                    raise NotWanted(f"the bot can't be reached ({error})") from error
                say(f"the bot can't be reached ({error}); asking again")
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _held(self, claim: Claim, reporter: Reporter) -> int:
        tail: list[str] = []
        made: Made | None = None
        try:
            made = self._train(claim, reporter, tail)
            outcome: dict[str, Any] = {"state": "done"}
        except _Stopped:
            outcome = {"state": "stopped"}
        except WorkFailed as error:
            outcome = _failed(error, tail)
        except OSError as error:
            full = error.errno == errno.ENOSPC
            outcome = _failed(_DISK_FULL if full else _DISK_FAILED, tail)
        except NotWanted:
            raise
        except Exception as error:  # noqa: BLE001 - a bug must still be told to the bot, or nobody ever learns why
            values = {"error": type(error).__name__}
            outcome = _failed(WorkFailed(AGENT_FAILED, "The agent on the machine has a bug ({error}).", values), tail)
        say("the work has ended: {}".format(outcome["state"]))
        self._deliver(made, outcome, reporter)
        return 0

    def _train(self, claim: Claim, reporter: Reporter, tail: list[str]) -> Made:
        spec = Spec.from_json(claim.spec)
        work = _folders(self._settings.work)
        self._fetch(claim, reporter, work.dataset)
        engine = engine_for(spec, work)
        command = engine.prepare()
        reporter.tell(Progress(phase="starting"))
        began = time.monotonic()
        process = EngineProcess(command, self._settings.work / ENGINE_NOTE)

        def hear(line: str) -> None:
            progress = engine.hear(line)
            if progress is not None:
                reporter.tell(progress)

        try:
            exit_code = process.run(hear, reporter.over)
        finally:
            tail.extend(process.tail)
        if exit_code is None:
            self._leave(reporter)
            raise _Stopped
        made = engine.judge(exit_code, tail)
        facts = {"seconds": round(time.monotonic() - began, 1), "gpu": _gpu()}
        return Made(lora=made.lora, samples=made.samples, facts={**facts, **made.facts})

    def _fetch(self, claim: Claim, reporter: Reporter, dataset: Path) -> None:
        reporter.tell(Progress(phase="fetching the photos"))
        archive = self._settings.work / "archive.zip"
        until = time.monotonic() + ARCHIVE_SECONDS
        for _ in range(ARCHIVE_TRIES):
            self._insist(lambda: self._transport.fetch_archive(archive), reporter, until=until)
            if archive.stat().st_size == claim.archive_size and sha256_of(archive) == claim.archive_sha256:
                unpack(archive, dataset)
                archive.unlink()
                return
        raise WorkFailed(BAD_ARCHIVE, "The photos never arrived at the machine as they were sent.")

    def _insist(self, call: Callable[[], T], reporter: Reporter, *, until: float | None = None) -> T:
        """Make a call until it succeeds; without `until`, as long as the machine lives."""
        pause, rejections = FIRST_PAUSE, 0
        while True:
            self._leave(reporter)
            if reporter.stopped and until is not None:
                raise _Stopped
            try:
                return call()
            except Unreachable as error:
                if until is not None and time.monotonic() > until:
                    raise WorkFailed(BAD_ARCHIVE, "The photos could not be fetched to the machine.") from error
                rejections += isinstance(error, Rejected)
                if rejections >= MOST_REJECTIONS:
                    raise WorkFailed(
                        AGENT_FAILED, "The bot took no delivery from the machine ({error}).", {"error": str(error)}
                    ) from error
                say(f"the bot can't be reached ({error}); trying again")
            reporter.pause(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _deliver(self, made: Made | None, outcome: dict[str, Any], reporter: Reporter) -> None:
        """Bring all files and the last word to the bot, however long it takes."""
        files = _files(made) if made is not None else []
        if made is not None:
            reporter.tell(Progress(phase="sending the result"))
            outcome["facts"] = dict(made.facts)
            outcome["files"] = [
                {"name": name, "sha256": sha256_of(path), "size": path.stat().st_size} for path, name in files
            ]

        def deliver() -> None:
            for (path, name), file in zip(files, outcome.get("files", [])):
                self._transport.upload(path, name, file["sha256"])
            self._transport.finish(outcome)

        try:
            self._insist(deliver, reporter)
        except WorkFailed as error:
            say("the delivery was rejected again and again")
            failure = _failed(error, [])
            self._insist(lambda: self._transport.finish(failure), reporter)

    @staticmethod
    def _leave(reporter: Reporter) -> None:
        if reporter.unwanted:
            raise NotWanted("the bot said so")


def _files(made: Made) -> list[tuple[Path, str]]:
    samples = [Path(sample) for sample in made.samples[-MOST_SAMPLES:]]
    named = [(path, f"sample-{n}{path.suffix.lower()}") for n, path in enumerate(samples)]
    return [(Path(made.lora), LORA_NAME), *((path, name) for path, name in named if path.is_file())]


def _folders(root: Path) -> Work:
    work = Work(dataset=root / "dataset", config=root / "config", output=root / "output")
    for folder in (work.dataset, work.config, work.output):
        # What an agent before us left on this machine is not ours.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    return work


def _failed(why: WorkFailed, tail: Sequence[str]) -> dict[str, Any]:
    return {"state": "failed", **why.as_json(), "tail": list(tail)}


def _gpu() -> str:
    """Return the name of the first GPU, or of the processor where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return platform.machine()
    try:
        told = subprocess.run(  # noqa: S603 - a fixed program
            [program, "--query-gpu=name", "--format=csv,noheader"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return platform.machine()
    return (told.stdout.decode("utf-8", "replace").strip().splitlines() or [platform.machine()])[0][:80]
