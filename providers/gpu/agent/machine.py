"""Owns the end of the machine; it never gives up, since a machine that stays costs money every minute."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

from providers.gpu.agent.settings import Settings

FIRST_PAUSE = 2.0
LONGEST_PAUSE = 120.0
#: Seconds that a shutdown gets to take us with it, before it is asked for again.
SHUTDOWN_SECONDS = 60.0


def end_machine(settings: Settings) -> None:
    """End the machine as its settings say; returns only where exiting is the end."""
    say(f"ending the machine ({settings.ending})")
    if settings.ending == "runpod":
        _again_and_again(settings, _delete_pod)
    elif settings.ending == "shutdown":
        _again_and_again(settings, _shut_down)


def say(line: str) -> None:
    """Write one line for whoever reads the machine's log; never a link, a token, a prompt or a caption."""
    sys.stdout.write(f"[darkroom] {line}\n")
    sys.stdout.flush()


def _again_and_again(settings: Settings, end: Callable[[Settings], bool]) -> None:
    pause = FIRST_PAUSE
    while not end(settings):
        time.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


def _delete_pod(settings: Settings) -> bool:
    """Delete our own pod with the key that RunPod puts into every pod; True when it is accepted."""
    if not settings.box_id or not settings.runpod_key:
        say("this pod can't delete itself: RUNPOD_POD_ID or RUNPOD_API_KEY is missing; its bot has to")
        return False
    request = urllib.request.Request(  # noqa: S310 - the operator's own address
        f"{settings.runpod_url}/pods/{settings.box_id}",
        method="DELETE",
        headers={"Authorization": "Bearer " + settings.runpod_key, "User-Agent": "darkroom-agent"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - as above
            return True
    except urllib.error.HTTPError as error:
        error.close()
        say(f"RunPod answered the deletion of this pod with status {error.code}")
        return error.code == 404
    except (OSError, ValueError) as error:
        say(f"RunPod can't be reached to delete this pod: {type(error).__name__}")
        return False


def _shut_down(_settings: Settings) -> bool:
    for command in (["shutdown", "-h", "now"], ["sudo", "-n", "shutdown", "-h", "now"], ["poweroff"]):
        if shutil.which(command[0]) is None:
            continue
        try:
            done = subprocess.run(command, timeout=SHUTDOWN_SECONDS, check=False)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{command[0]} failed: {type(error).__name__}")
            continue
        if done.returncode == 0:
            return True
    say("this machine can't be shut down from inside; its bot has to delete it")
    return False
