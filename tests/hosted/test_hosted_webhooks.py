"""Word from Replicate and fal at the bot's own address: polls are an hour apart here, so only word moves a job."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.hosted.town import resident

HOUR = 3600.0


@asynccontextmanager
async def waiting(tmp_path, provider, base_model):
    """Bring a training to where it waits for its next poll, and give its id at the provider."""
    async with resident(tmp_path, configured=[provider], poll_seconds=HOUR) as alice:
        alice.town.replicate.busy = alice.town.fal.busy = True
        await alice.draft(base_model)
        await alice.place.press(await alice.place.slash("train"), "Train it")
        await alice.place.wait_for(lambda m: "Waiting for its turn" in m.text)
        jobs = alice.town.replicate.jobs if provider == "replicate" else alice.town.fal.requests
        [remote_id] = jobs
        alice.town.replicate.busy = alice.town.fal.busy = False
        yield alice, remote_id


async def test_word_of_replicate_makes_the_job_due_at_once(tmp_path):
    async with waiting(tmp_path, "replicate", "flux.1-dev") as (alice, remote_id):
        looks = looks_at(alice.town.replicate, remote_id)
        assert await alice.knock("/webhooks/replicate", *alice.town.replicate.webhook(remote_id)) == 204
        async with asyncio.timeout(40):
            while looks_at(alice.town.replicate, remote_id) == looks:  # noqa: ASYNC110 - the other side has no event
                await asyncio.sleep(0.01)


async def test_word_in_replicate_s_name_is_refused(tmp_path):
    async with waiting(tmp_path, "replicate", "flux.1-dev") as (alice, remote_id):
        headers, body = alice.town.replicate.webhook(remote_id)
        late = alice.town.replicate.webhook(remote_id, at=time.time() - 3600)
        assert await alice.knock("/webhooks/replicate", headers, body + b" ") == 401
        assert await alice.knock("/webhooks/replicate", {}, body) == 401
        assert await alice.knock("/webhooks/replicate", *late) == 401
        assert await alice.knock("/webhooks/nobody", headers, body) == 404


async def test_word_of_replicate_that_is_replayed_moves_nothing_again(tmp_path):
    async with waiting(tmp_path, "replicate", "flux.1-dev") as (alice, remote_id):
        word = alice.town.replicate.webhook(remote_id)
        assert await alice.knock("/webhooks/replicate", *word) == 204
        looks = await settled(alice.town.replicate, remote_id)
        assert await alice.knock("/webhooks/replicate", *word) == 204
        assert await settled(alice.town.replicate, remote_id) == looks


async def test_word_of_fal_makes_the_job_due_at_once(tmp_path):
    async with waiting(tmp_path, "fal", "flux.2-dev") as (alice, remote_id):
        looks = len(alice.town.fal.asked("poll"))
        assert await alice.knock("/webhooks/fal-flux2", *fal_word(alice, remote_id)) == 204
        async with asyncio.timeout(40):
            while len(alice.town.fal.asked("poll")) == looks:  # noqa: ASYNC110 - the other side has no event
                await asyncio.sleep(0.01)


async def test_word_in_fal_s_name_is_refused(tmp_path):
    async with waiting(tmp_path, "fal", "flux.2-dev") as (alice, remote_id):
        stranger = fal_word(alice, remote_id, key=Ed25519PrivateKey.generate())
        headers, body = fal_word(alice, remote_id)
        assert await alice.knock("/webhooks/fal-flux2", *stranger) == 401
        assert await alice.knock("/webhooks/fal-flux2", headers, body + b" ") == 401


def fal_word(alice, remote_id, **how):
    body = json.dumps({"request_id": remote_id, "status": "OK", "payload": {}}).encode()
    return alice.town.fal.signed(body, at=int(time.time()), **how), body


def looks_at(fake, remote_id):
    return sum(one.method == "GET" and one.path.endswith(remote_id) for one in fake.exchanges)


async def settled(fake, remote_id):
    """Wait until no look has come for a moment, and return how many there were."""
    looks = -1
    while looks != (looks := looks_at(fake, remote_id)) or looks == 0:  # noqa: ASYNC110 - nothing tells of silence
        await asyncio.sleep(0.15)
    return looks
