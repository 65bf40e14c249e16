"""The worker of a RunPod serverless endpoint: runs what one job brings as its environment and its script.

The script fetches Darkroom's agent, which claims the training from the bot, trains, and delivers the result to it; what
comes back to RunPod is only how that ended. Whoever has the endpoint's key decides what runs here, as with any pod.
It needs Python 3.9 and, to be started, the `runpod` package, which is in the image alone.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

#: Seconds between the polite and the final end of a job that is stopped; the agent needs some to stop its engine.
GRACE_SECONDS = 30.0
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")


class BadJob(Exception):
    """The job's input is not what our bot sends."""


def environment(job: Mapping[str, Any]) -> dict[str, str]:
    """Return what the script finds in its environment: the worker's own, the job's, and who runs it."""
    told = job["input"].get("env")
    if not isinstance(told, dict) or not all(_NAME.fullmatch(name) for name in told):
        raise BadJob("env must be names in capitals with their values")
    return {**os.environ, **{name: str(value) for name, value in told.items()}, "DARKROOM_BOX_ID": str(job["id"])}


def script_of(job: Mapping[str, Any]) -> str:
    """Return what to run."""
    script = job["input"].get("script")
    if not isinstance(script, str) or not script:
        raise BadJob("script is missing")
    return script


async def handler(job: Mapping[str, Any]) -> dict[str, Any]:
    """Run one job to its end; one that is cancelled is ended with everything that it started."""
    try:
        script, env = script_of(job), environment(job)
    except (BadJob, KeyError, TypeError, AttributeError) as error:
        return {"error": f"this is no job of Darkroom's: {error}"}
    process = await asyncio.create_subprocess_exec("sh", "-c", script, env=env, start_new_session=True)
    try:
        code = await process.wait()
    finally:
        await _end(process)
    return {"exit_code": code} if code == 0 else {"error": f"the agent ended with {code}; its bot knows why"}


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the script's group, politely at first: the agent stops its engine and tells the bot."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(process.wait(), GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def main() -> int:
    """Take jobs until RunPod ends the worker."""
    import runpod  # noqa: PLC0415 - so that all else here can be tested without it

    runpod.serverless.start({"handler": handler})
    return 0


if __name__ == "__main__":
    sys.exit(main())
