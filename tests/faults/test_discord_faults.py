"""What a person sees, and what holds, when Discord or the way to it fails."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import StartupError
from bot.store import cards
from bot.training.job import JobKind, JobState
from playground.permissions import Permission
from playground.server import Playground
from tests.factories import NOWHERE
from tests.fakes.till import QUEUED, RUNNING, Look, Till
from tests.faults.stage import EDIT, POST, breath, performing, stage
from tests.playing import running_playground

ACKNOWLEDGEMENT = ("POST", "/interactions/*/*/callback")
ANSWER = ("PATCH", "/webhooks/*/*/messages/@original")
SECOND = Look(status="running", step=2, total=3, loss=0.4)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One misfortune of one request."""

    kind: str
    status: int = 0
    when: str = "before"

    def strike(self, discord: Playground, method: str, path: str) -> Any:
        if self.kind == "rate limit":
            return discord.faults.rate_limit(0.02, method=method, path=path)
        if self.kind == "ban":
            return discord.faults.rate_limit(0.02, method=method, path=path, via=False)
        if self.kind == "reset":
            return discord.faults.reset(method=method, path=path, when=self.when)
        return discord.faults.answer(self.status, method=method, path=path, when=self.when)

    def __str__(self) -> str:
        return f"{self.kind} {self.status or ''} {self.when}".replace("  ", " ")


TROUBLES = [
    Fault(kind="rate limit"),
    Fault(kind="ban"),
    *(Fault(kind="answer", status=code, when=when) for code in (500, 502, 503) for when in ("before", "after")),
    *(Fault(kind="reset", when=when) for when in ("before", "after")),
]
EVERY_TROUBLE = pytest.mark.parametrize("trouble", TROUBLES, ids=str)


# ---------------------------------------------------------------------- cards and last words
@EVERY_TROUBLE
async def test_trouble_at_card_edit_and_last_word_shows_each_once(tmp_path, trouble):
    async with stage(tmp_path) as s:
        posting = trouble.strike(s.discord, *POST)
        card = await s.running()
        assert not posting.left
        editing = trouble.strike(s.discord, *EDIT)
        s.go_on(SECOND)
        assert (await s.place.wait_for(lambda m: "step 2 of 3" in m.text)).id == card.id
        await s.until(lambda _jobs: not editing.left)
        last_word = trouble.strike(s.discord, *POST)
        s.go_on()
        await s.assert_sound()
        assert not last_word.left


async def test_discord_out_of_order_for_a_while_is_waited_for(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        outage = s.discord.faults.answer(503, method="*", path="/channels/*", times=1000)
        s.go_on()
        await s.until(lambda jobs: len(jobs) == 2 and all(job.cleaned for job in jobs))
        assert not [m for m in s.bot_says() if "is ready" in m.text]
        outage.left = 0
        await s.assert_sound()


async def test_limit_for_old_messages_delays_the_edit(tmp_path):
    async with stage(tmp_path) as s:
        card = await s.running()
        limit = s.discord.faults.rate_limit(6.0, method=EDIT[0], path=EDIT[1], code=30046, times=12)
        s.go_on(SECOND)
        assert (await s.place.wait_for(lambda m: "step 2 of 3" in m.text)).id == card.id
        assert not limit.left
        s.go_on()
        await s.assert_sound()


async def test_old_card_is_edited_seldom(tmp_path, monkeypatch):
    monkeypatch.setattr("cogs.status.OLD", timedelta(0))
    async with stage(tmp_path, looks=(QUEUED,)) as s:
        await s.train()
        await s.place.wait_for(lambda m: "Training Rusty" in m.text)
        edits = len(s.discord.requests(*EDIT))
        for step in range(1, 20):
            polls = s.till.asked.get("poll", 0)
            s.go_on(Look(status="running", step=step, total=20, loss=0.4))
            await s.until(lambda _jobs, polls=polls: s.till.asked.get("poll", 0) > polls + 1)
        assert len(s.discord.requests(*EDIT)) <= edits + 1


# ---------------------------------------------------------------------- answers to a person
@EVERY_TROUBLE
async def test_trouble_at_the_acknowledgement_begins_one_training_or_says_that_there_is_none(tmp_path, trouble):
    async with stage(tmp_path) as s:
        quote = await s.quote()
        struck = trouble.strike(s.discord, *ACKNOWLEDGEMENT)
        answer = await s.place.press(quote, "Train it")
        assert not struck.left
        if trouble.kind == "ban":
            assert "nothing was changed" in answer.text
            assert not await s.jobs()
            return
        assert "is being trained" in answer.text
        await s.place.wait_for(lambda m: "step 1 of 3" in m.text)
        s.go_on()
        await s.assert_sound()
        assert not [m for m in s.alice.dm().sees() if m.author_is_bot]


@EVERY_TROUBLE
async def test_trouble_at_a_commands_acknowledgement_or_answer_leaves_one_answer(tmp_path, trouble):
    async with stage(tmp_path) as s:
        for number, call in enumerate((ACKNOWLEDGEMENT, ANSWER), 1):
            struck = trouble.strike(s.discord, *call)
            answer = await s.place.slash("jobs")
            assert not struck.left
            assert ("nothing was changed" if trouble.kind == "ban" else "/draft new") in answer.text
            assert len([m for m in s.place.sees() if m.author_is_bot]) == number
        assert not [m for m in s.alice.dm().sees() if m.author_is_bot]


@EVERY_TROUBLE
async def test_trouble_at_a_follow_up_does_not_say_it_twice(tmp_path, trouble):
    async with stage(tmp_path, darkroom_person_usd_a_day=0.1) as s:
        quote = await s.quote()
        struck = trouble.strike(s.discord, "POST", "/webhooks/*/*")
        await s.place.press(quote, "Train it", wait=False)
        await s.until(lambda _jobs: not struck.left)
        said = await _said(s, "you may spend $0.10 a day")
        lost = trouble.when == "before" and trouble.kind in ("answer", "reset")
        assert len(said) == (0 if lost else 1)
        assert not await s.jobs()


async def test_answer_that_finds_no_way_comes_once_by_direct_message(tmp_path):
    async with stage(tmp_path) as s:
        s.discord.faults.answer(403, method="PATCH", path="/webhooks/*", times=1000)
        s.discord.faults.answer(500, method=POST[0], path=POST[1], when="after")
        await s.place.slash("cancel", wait=False)
        await s.alice.dm().wait_for(lambda m: "Nothing of yours is under way" in m.text)
        assert len(await _said(s, "Nothing of yours is under way")) == 1


async def _said(s, text):
    """Return what the bot told alice, wherever, once it has nothing more to say."""
    before = -1
    while before != len(s.discord.exchanges):
        before = len(s.discord.exchanges)
        await asyncio.sleep(0.15)
    return [m for where in (s.place, s.alice.dm()) for m in where.sees() if m.author_is_bot and text in m.text]


# ---------------------------------------------------------------------- the gateway
async def test_cut_connection_is_resumed_during_a_training(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.gateway.drop()
        s.go_on()
        await s.assert_sound()
        await s.discord.world.until(lambda: s.discord.gateway.counts["resumes"] == 1, what="a RESUME")
        assert "No jobs" in (answer := await s.place.slash("jobs")).text or "Rusty" in answer.text


async def test_press_while_the_connection_is_cut_is_heard_after_the_resume(tmp_path):
    async with stage(tmp_path) as s:
        quote = await s.quote()
        s.discord.gateway.drop()
        answer = await s.place.press(quote, "Train it")
        assert "is being trained" in answer.text
        assert s.discord.gateway.counts["resumes"] == 1
        s.go_on()
        await s.assert_sound()


@pytest.mark.parametrize("resumable", [True, False], ids=["resumable", "not resumable"])
async def test_invalid_session_is_replaced_during_a_training(tmp_path, resumable):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.gateway.invalidate(resumable=resumable)
        what = "resumes" if resumable else "identifies"
        wanted = s.discord.gateway.counts[what] + 1
        await s.discord.world.until(lambda: s.discord.gateway.counts[what] == wanted, what="the next session")
        assert "Rusty" in (await s.place.slash("jobs")).text
        s.go_on()
        await s.assert_sound()


async def test_discord_that_is_not_there_at_first_is_waited_for(tmp_path, caplog):
    discord = Playground()
    async with running_playground() as other, Till() as till:
        discord.port = other.port
        discord.gateway.url = other.gateway_url
        await other.stop()
        async with performing(discord, till, tmp_path) as s:
            async with asyncio.timeout(40):
                while caplog.text.count("the connection to Discord died") < 2:
                    await breath()
            await discord.start()
            try:
                await discord.bot_connected()
                s.till.script = (QUEUED, RUNNING)
                await s.running()
                s.go_on()
                await s.assert_sound()
            finally:
                await discord.stop()


async def test_event_that_discord_py_cannot_read_costs_one_session_and_no_job(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        identifies = s.discord.gateway.counts["identifies"]
        s.discord.gateway.dispatch("CHANNEL_CREATE", {"nonsense": True}, guild_id=s.discord.guild.id)
        s.go_on()
        await s.discord.world.until(
            lambda: s.discord.gateway.counts["identifies"] == identifies + 1, what="a new session"
        )
        await s.discord.bot_connected()
        await s.assert_sound()
        assert "Rusty" in (await s.place.slash("jobs")).text


async def test_revoked_token_ends_the_bot_with_one_readable_line(tmp_path, caplog):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.gateway.token = s.discord.rest.token = "another.token"
        await s.discord.gateway.close_connections(4004, "Authentication failed.")
        with pytest.raises(StartupError, match="Discord does not take DISCORD_TOKEN"):
            await s.connection
        assert "Traceback" not in caplog.text
        [job] = await s.jobs()
        assert job.state is JobState.RUNNING


# ---------------------------------------------------------------------- what vanishes
async def test_deleted_card_is_made_anew_and_the_last_word_said(tmp_path):
    async with stage(tmp_path) as s:
        card = await s.running()
        s.discord.delete_message(s.discord.world.messages[card.id])
        s.go_on()
        await s.assert_sound()


async def test_deleted_channel_moves_card_and_last_word_to_direct_messages(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.delete_channel(s.discord.channel)
        s.go_on()
        await s.assert_sound(s.alice.dm())


async def test_deleted_channel_is_no_reason_to_give_up_while_discord_is_in_trouble(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.delete_channel(s.discord.channel)
        s.discord.faults.answer(503, method="POST", path="/users/@me/channels", times=2)
        s.go_on()
        await s.assert_sound(s.alice.dm())


async def test_lost_permission_moves_card_and_last_word_to_direct_messages(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.deny_bot(Permission.SEND_MESSAGES)  # 50013 on the last word; the card may still be edited
        s.go_on()
        await s.settled()
        dm = s.alice.dm()
        assert len([m for m in s.bot_says(dm) if "Rusty is ready" in m.text]) == 1
        assert not [m for m in s.bot_says() if "Rusty is ready" in m.text]


@pytest.mark.parametrize("lost", ["guild deleted", "bot removed"])
async def test_job_goes_on_without_its_server(tmp_path, lost):
    async with stage(tmp_path) as s:
        await s.running()
        if lost == "guild deleted":
            s.discord.delete_channel(s.discord.channel)
        s.discord.remove_bot()
        s.go_on()
        await s.settled()
        training = next(job for job in await s.jobs() if job.kind is JobKind.TRAINING)
        assert training.state is JobState.SUCCEEDED
        async with s.services.database.begin() as connection:
            card = await cards.get(connection, training.id)
        assert card.given_up
        assert len(s.till.bill) == 2
        [lora] = await s.services.library.usable(s.alice.id, NOWHERE)
        assert lora.name == "Rusty"


async def test_server_that_is_only_out_of_order_keeps_its_card(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.discord.outage()
        s.go_on()
        await s.assert_sound()


async def test_closed_direct_messages_give_the_card_up_with_a_record(tmp_path):
    async with stage(tmp_path) as s:
        await s.running()
        s.alice.block_dms()
        s.discord.deny_bot(Permission.VIEW_CHANNEL)
        s.go_on()
        await s.settled()
        training = next(job for job in await s.jobs() if job.kind is JobKind.TRAINING)
        async with s.services.database.begin() as connection:
            card = await cards.get(connection, training.id)
        assert "50007" in card.given_up
        assert training.state is JobState.SUCCEEDED
        assert len(s.till.bill) == 2
