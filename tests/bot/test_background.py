"""Tasks that are meant to live for ever."""

import asyncio

import pytest

from bot import background
from bot.background import Background, unbroken


async def test_task_that_dies_is_started_again(monkeypatch, caplog):
    monkeypatch.setattr(background, "FIRST_PAUSE", 0.01)
    lives, alive = [], asyncio.Event()

    async def work():
        lives.append(len(lives))
        if len(lives) < 3:
            raise OSError("the disk is full")
        alive.set()
        await asyncio.Event().wait()

    tasks = Background()
    tasks.start("work", work)
    await asyncio.wait_for(alive.wait(), 10)
    await tasks.stop()

    assert len(lives) == 3
    assert caplog.text.count("task work died") == 2


async def test_stop_waits_for_what_a_task_does_at_its_end():
    begun, tidied = asyncio.Event(), []

    async def work():
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            tidied.append("work")

    tasks = Background()
    tasks.start("work", work)
    await begun.wait()
    await tasks.stop()

    assert tidied == ["work"]


async def test_second_task_of_a_name_is_refused():
    tasks = Background()
    tasks.start("work", asyncio.Event().wait)
    with pytest.raises(ValueError, match="'work' is running"):
        tasks.start("work", asyncio.Event().wait)
    await tasks.stop()


async def test_unbroken_work_ends_before_its_task_does():
    begun, go, done = asyncio.Event(), asyncio.Event(), []

    async def work() -> None:
        begun.set()
        await go.wait()
        done.append(True)

    task = asyncio.create_task(unbroken(work()))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [True]
