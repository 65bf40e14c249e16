"""Word from providers: verified, heard once, and a reason to look at the job at once."""

import asyncio
import hashlib
import hmac
from contextlib import asynccontextmanager

import aiohttp

from bot.training.job import JobState
from providers.base import WebhookHint
from providers.errors import WebhookRejected
from providers.registry import Registry
from tests.cogs.photos import foxes
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Till
from tests.fakes.till_adapter import TillImageMaker, TillTrainer
from tests.house import running_bot
from tests.playing import running_playground

KEY = b"what the till and we know"


class HearingTillTrainer(TillTrainer):
    """The till's trainer, polled once an hour, whose provider tells when something happens."""

    async def parse_webhook(self, headers, body):
        expected = hmac.new(KEY, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("X-Till-Signature", ""), expected):
            raise WebhookRejected("the signature is wrong")
        return WebhookHint(delivery_id=headers["X-Till-Delivery"], remote_id=body.decode())


@asynccontextmanager
async def waiting_training(tmp_path):
    """Bring a training to where the next poll is an hour away, and give a function that sends webhooks."""
    async with running_playground() as discord, Till() as till, aiohttp.ClientSession() as session:
        till.script = (QUEUED, RUNNING)
        trainer = HearingTillTrainer(till.url, poll_seconds=3600)
        registry = Registry(trainers={"till": trainer}, image_makers={"till": TillImageMaker(till.url)})
        data = tmp_path / "data"
        async with running_bot(discord, data, registry=registry, darkroom_web_port=0) as house:
            place = discord.person("alice").in_channel()
            await place.slash("draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody")
            await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
            await place.press(await place.slash("train"), "Train it")
            await place.wait_for(lambda m: "Waiting for its turn" in m.text)
            [order] = till.jobs.values()

            async def send(body=order.id, *, delivery="d1", key=KEY, to="till"):
                signature = hmac.new(key, body.encode(), hashlib.sha256).hexdigest()
                headers = {"X-Till-Signature": signature, "X-Till-Delivery": delivery}
                url = f"http://127.0.0.1:{house.services.web_port}/webhooks/{to}"
                async with session.post(url, data=body, headers=headers) as answer:
                    return answer.status

            yield house, till, send


async def polls_settle(till):
    """Wait until there was a poll and none has come for a moment, and return how many there were."""
    seen = 0
    while not seen or till.asked["poll"] != seen:
        seen = till.asked.get("poll", 0)
        await asyncio.sleep(0.1)
    return seen


async def test_webhook_makes_its_job_due_at_once(tmp_path):
    async with waiting_training(tmp_path) as (house, till, send):
        for order in till.jobs.values():
            order.looks[:] = [SUCCEEDED]
        till.script = (SUCCEEDED,)
        assert await send() == 204
        await house.discord.person("alice").in_channel().wait_for(lambda m: "Rusty is ready" in m.text)


async def test_webhook_that_comes_twice_is_heard_once(tmp_path):
    async with waiting_training(tmp_path) as (_house, till, send):
        before = await polls_settle(till)
        assert [await send(), await send(), await send()] == [204, 204, 204]
        assert await polls_settle(till) == before + 1


async def test_forged_webhook_is_refused_and_changes_nothing(tmp_path):
    async with waiting_training(tmp_path) as (_house, till, send):
        before = await polls_settle(till)
        assert await send(key=b"guessed") == 401
        assert await polls_settle(till) == before


async def test_webhook_of_an_unknown_job_is_fine_and_changes_nothing(tmp_path):
    async with waiting_training(tmp_path) as (house, till, send):
        before = await polls_settle(till)
        assert await send("nosuchjob") == 204
        assert await polls_settle(till) == before
        [job] = await house.services.training.jobs(house.discord.person("alice").id)
        assert job.state in {JobState.QUEUED, JobState.RUNNING}


async def test_webhook_for_an_unknown_provider_is_not_found(tmp_path):
    async with waiting_training(tmp_path) as (_house, _till, send):
        assert await send(to="moonbase") == 404


async def test_health_tells_how_many_jobs_are_under_way(tmp_path):
    async with (
        waiting_training(tmp_path) as (house, _till, _send),
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{house.services.web_port}/health") as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"ok": True, "jobs_under_way": 1})
