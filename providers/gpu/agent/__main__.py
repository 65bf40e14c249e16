"""Owns the agent's process: it starts the work, outlives it, and ends the machine whatever becomes of it."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

from providers.gpu.agent.folder_transport import FolderTransport
from providers.gpu.agent.http_transport import HttpTransport
from providers.gpu.agent.machine import end_machine, say
from providers.gpu.agent.mailbox_transport import MailboxTransport
from providers.gpu.agent.process import GRACE_SECONDS, end_group
from providers.gpu.agent.settings import Settings
from providers.gpu.agent.transport import Transport
from providers.gpu.agent.worker import ENGINE_NOTE, Worker

_LOOK_SECONDS = 0.1
#: What the process returns when the work overran or was killed.
KILLED = 4
MISCONFIGURED = 2


def main() -> int:
    """Do the one job of this machine, then end it."""
    try:
        settings = Settings.from_env(os.environ)
    except ValueError as error:
        say(f"the agent can't begin: {error}")
        end_machine(Settings.for_the_end(os.environ))
        return MISCONFIGURED
    code = KILLED
    try:
        code = _supervise(settings)
    finally:
        _clear_away(settings)
        end_machine(settings)
    return code


def transport_for(settings: Settings) -> Transport:
    """Return the way to the bot that is set."""
    if settings.folder is not None:
        return FolderTransport(settings.folder)
    if settings.letter is not None:
        return MailboxTransport(settings.letter)
    return HttpTransport(settings.url or "", settings.job, settings.token or "")


class _Terminated(Exception):
    """The system or whoever started us wants us to end."""


def _supervise(settings: Settings) -> int:
    """Let a child do the work, for it may run out of memory, hang or crash; return how it ended."""
    until = time.monotonic() + settings.max_seconds
    settings.work.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Before the fork, so that no moment is left in which the signal would end us without the machine.
    signal.signal(signal.SIGTERM, _raise_terminated)
    child = os.fork()
    if child == 0:
        _work(settings)
    try:
        return _wait(child, until)
    except _Terminated:
        say("told to end")
        return KILLED
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end_work(settings, child)


def _work(settings: Settings) -> None:
    """Be the child: never returns."""
    code = KILLED
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        code = Worker(settings, transport_for(settings)).run()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor goes on from here
        say(f"the work broke: {type(error).__name__}")
    finally:
        sys.stdout.flush()
        os._exit(code)


def _wait(child: int, until: float) -> int:
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else KILLED
        time.sleep(_LOOK_SECONDS)
    say("the longest time that this machine may live is over")
    return KILLED


def _end_work(settings: Settings, child: int) -> None:
    """End the child and the engine, of which either may have outlived the other."""
    groups = [child]
    with suppress(OSError, ValueError):
        groups.append(int((settings.work / ENGINE_NOTE).read_text()))
    for how, seconds in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, 1.0)):
        until = time.monotonic() + seconds
        alive = [group for group in groups if end_group(group, how)]
        while alive and time.monotonic() < until:
            with suppress(ChildProcessError):
                # Anybody's: where we are a container's first process, orphans become ours.
                os.waitpid(-1, os.WNOHANG)
            time.sleep(_LOOK_SECONDS)
            alive = [group for group in alive if _lives(group)]


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _clear_away(settings: Settings) -> None:
    shutil.rmtree(settings.work, ignore_errors=True)


def _raise_terminated(_signal: int, _frame: FrameType | None) -> None:
    raise _Terminated


if __name__ == "__main__":
    sys.exit(main())
