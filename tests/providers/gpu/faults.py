"""What goes wrong with machines, each fault as a training with the whole bot that has to come to an end all the same.

    python -m tests.providers.gpu

prints them as a table, with the machines that each built and left over.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.training.job import Job, JobState
from playground.engine_script import Trouble
from providers.errors import SubmitUnsure, Unavailable
from tests.providers.gpu.cutting import CuttingProxy
from tests.providers.gpu.yard_rails import YardRails

Play = Callable[[YardRails], Awaitable[Job]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault and how it has to end."""

    play: Play
    ends: JobState
    #: What its person is told, or a part of it.
    told: str = ""
    machines: int = 1
    how: dict[str, Any] = field(default_factory=dict)


FAULTS: dict[str, Fault] = {}


def fault(name: str, ends: JobState, **rest: Any) -> Callable[[Play], Play]:
    """Enter a fault into the list under a name for people."""

    def enter(play: Play) -> Play:
        how = {key: rest.pop(key) for key in ("steps", "max_seconds") if key in rest}
        FAULTS[name] = Fault(play=play, ends=ends, how=how, **rest)
        return play

    return enter


@fault("none", JobState.SUCCEEDED)
async def nothing(yard: YardRails) -> Job:
    return await yard.run_out(await yard.begin())


@fault("two machines for one order", JobState.SUCCEEDED, machines=2)
async def doubled(yard: YardRails) -> Job:
    yard.yard.twice = True
    yard.mood(seconds_before=1.0)
    job = await yard.held(await yard.begin())
    # Whichever of the two has it, nobody may take it for a stray one; the other one is.
    lease, [trainer] = await yard.lease(job), yard.rails.services.registry.trainers.values()
    assert lease.box_id not in {box.id for box in await trainer.list_owned()}
    assert len(await yard.yard.list_owned()) == 2
    return await yard.run_out(job)


@fault("an order without an answer, taken twice in the end", JobState.SUCCEEDED, machines=2)
async def ordered_twice(yard: YardRails) -> Job:
    yard.yard.doubt, yard.yard.blind, yard.yard.busy = SubmitUnsure("No answer."), 2, True
    job = await yard.run(await yard.begin(), lambda job: job.remote_id is not None)
    yard.yard.busy = False
    yard.yard.start_what_waits()
    return await yard.run_out(job)


@fault("an order without an answer, whose machine no list shows", JobState.SUCCEEDED)
async def known_by_its_lease(yard: YardRails) -> Job:
    yard.yard.doubt, yard.yard.blind = SubmitUnsure("No answer."), 99
    job = await yard.run(await yard.begin(), lambda job: job.submitting_since is not None)

    async def has_begun() -> bool:
        lease = await yard.lease(job)
        return lease is not None and lease.box_id is not None

    await yard.wait(has_begun)
    return await yard.run_out(job)


@fault("no machine is free at first", JobState.SUCCEEDED)
async def crowded(yard: YardRails) -> Job:
    yard.yard.refusal = Unavailable("Nothing is free.")
    return await yard.run_out(await yard.begin())


@fault("the machine never starts", JobState.FAILED, told="didn't begin within 1 minutes and was given back")
async def never_starts(yard: YardRails) -> Job:
    yard.yard.busy = True
    job = await yard.run(await yard.begin(), lambda job: job.remote_id is not None)
    yard.rails.clock.move(61)
    return await yard.run_out(job)


@fault("the machine starts and its agent never comes", JobState.FAILED, told="didn't begin within")
async def never_claims(yard: YardRails) -> Job:
    yard.yard.env["DARKROOM_AGENT_URL"] = "http://127.0.0.1:1/agent"
    job = await yard.run(await yard.begin(), lambda job: job.remote_id is not None)
    yard.rails.clock.move(61)
    return await yard.run_out(job)


@fault("the machine dies in the middle", JobState.LOST, told="ended in the middle of its work", steps=4000)
async def dies(yard: YardRails) -> Job:
    job = await yard.held(await yard.begin())
    [one] = yard.yard.built
    await one.machine.destroy()
    yard.rails.clock.move(120)
    return await yard.run_out(job)


@fault("the machine is gone in the middle", JobState.LOST, told="ended in the middle of its work", steps=4000)
async def vanishes(yard: YardRails) -> Job:
    job = await yard.held(await yard.begin())
    await yard.yard.destroy(job.remote_id)
    yard.rails.clock.move(120)
    return await yard.run_out(job)


@fault("the agent's work is killed", JobState.LOST, told="ended in the middle of its work", steps=4000)
async def worker_killed(yard: YardRails) -> Job:
    job = await yard.held(await yard.begin())

    async def trains() -> bool:
        lease = await yard.lease(job)
        return lease.progress is not None and lease.progress.step is not None

    await yard.wait(trains)
    [one] = yard.yard.built
    agents = [pid for pid in one.machine.pids if "darkroom-agent.pyz" in words(pid)]
    # The youngest is the one that works; its parent outlives it and ends the machine.
    os.kill(max(agents), signal.SIGKILL)
    await yard.wait(one.machine.ended.is_set)
    assert one.machine.shut_down
    yard.rails.clock.move(120)
    return await yard.run_out(job)


@fault("the agent's longest time is over", JobState.LOST, told="ended in the middle of its work", max_seconds=4)
async def overruns(yard: YardRails) -> Job:
    yard.mood(Trouble.HANG)
    job = await yard.held(await yard.begin())
    [one] = yard.yard.built
    await yard.wait(one.machine.ended.is_set)
    assert one.machine.shut_down
    # The bot itself would give the job up as well; here it is told that the machine is no more.
    yard.rails.clock.move(120)
    return await yard.run_out(job)


@fault("out of memory", JobState.FAILED, told="memory")
async def out_of_memory(yard: YardRails) -> Job:
    yard.mood(Trouble.OUT_OF_MEMORY)
    return await yard.run_out(await yard.begin())


@fault("exit code 0 and no file", JobState.FAILED, told="left no model")
async def no_file(yard: YardRails) -> Job:
    yard.mood(Trouble.NO_FILE)
    return await yard.run_out(await yard.begin())


@fault("half a file", JobState.FAILED, told="can't be used")
async def half_a_file(yard: YardRails) -> Job:
    yard.mood(Trouble.CUT_FILE)
    return await yard.run_out(await yard.begin())


@fault("canceled before it began", JobState.CANCELED)
async def canceled_early(yard: YardRails) -> Job:
    yard.yard.busy = True
    job = await yard.run(await yard.begin(), lambda job: job.remote_id is not None)
    await yard.rails.training.cancel(job.owner_id, job.id)
    return await yard.run_out(job)


@fault("canceled in the middle", JobState.CANCELED, steps=4000)
async def canceled(yard: YardRails) -> Job:
    job = await yard.held(await yard.begin())
    await yard.rails.training.cancel(job.owner_id, job.id)
    return await yard.run_out(job)


@fault("canceled while the machine does not listen", JobState.CANCELED, steps=4000)
async def canceled_in_silence(yard: YardRails) -> Job:
    job = await yard.held(await yard.begin())
    [one] = yard.yard.built
    for pid in one.machine.pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    await yard.rails.training.cancel(job.owner_id, job.id)
    job = await yard.step(job)
    yard.rails.clock.move(61)
    return await yard.run_out(job)


@fault("the upload is cut in the middle", JobState.SUCCEEDED)
async def upload_cut(yard: YardRails) -> Job:
    async with CuttingProxy(yard.port) as proxy:
        yard.yard.env["DARKROOM_URL"] = f"http://127.0.0.1:{proxy.port}"
        job = await yard.run_out(await yard.begin())
        assert proxy.cuts == 2
    return job


@fault("the bot is down for the whole training", JobState.SUCCEEDED)
async def bot_down(yard: YardRails) -> Job:
    yard.mood(seconds_before=1.0)
    job = await yard.held(await yard.begin())

    async def has_its_photos() -> bool:
        lease = await yard.lease(job)
        return lease.progress is not None and lease.progress.phase not in {"getting ready", "fetching the photos"}

    await yard.wait(has_its_photos)
    [one] = yard.yard.built
    await yard.switch_off()
    await yard.wait(lambda: "the work has ended: done" in one.machine.log)
    await yard.wait(lambda: "trying again" in one.machine.log)
    await yard.switch_on()
    yard.rails.clock.time = max(yard.rails.clock.time, job.next_at)
    return await yard.run_out(await yard.rails.job(job.id))


@fault("the machine can't be destroyed at first", JobState.SUCCEEDED)
async def stuck(yard: YardRails) -> Job:
    # More often than anything else is tried.
    yard.yard.stuck = 15
    return await yard.run_out(await yard.begin())


@fault("the photos are damaged on the way", JobState.FAILED, told="never arrived at the machine")
async def damaged_photos(yard: YardRails) -> Job:
    yard.yard.busy = True
    job = await yard.run(await yard.begin(), lambda job: job.remote_id is not None)
    archive = yard.folder / "data" / "work" / job.id / "archive.zip"
    archive.write_bytes(archive.read_bytes()[:-10] + b"0123456789")
    yard.yard.busy = False
    return await yard.run_out(job)


def words(pid: int) -> str:
    """Return the command line of a process."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""
