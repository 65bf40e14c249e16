"""/admin's other commands, and what a server's rules mean for its people; the till is the provider."""

from contextlib import asynccontextmanager

import pytest

from bot.consent import Depicted
from bot.guild import Act, AdultPolicy, RoleLimits
from bot.place import Place
from bot.store import adult
from bot.training.job import JobState
from playground.permissions import Permission
from tests.cogs.test_money import drafted, job_in, told
from tests.factories import Scene, house_with_model
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Till
from tests.fakes.till_adapter import till_registry
from tests.house import House, open_house, running_bot
from tests.playing import running_playground


@asynccontextmanager
async def market(tmp_path, *, looks=(QUEUED, RUNNING, RUNNING, RUNNING), **settings):
    async with running_playground() as discord, Till() as till:
        till.script = looks
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url), **settings) as house:
            yield house, till, manager(house)


def manager(house: House):
    return house.discord.person("mia", manage_guild=True).in_channel()


async def sets(house: House, **changes):
    """Let a manager set something, as the panel does."""
    mia = house.discord.person("mia", manage_guild=True)
    here = Place(channel_id=house.discord.channel.id, guild_id=house.discord.guild.id, manages=True)
    await house.services.guilds.change(mia.id, here, **changes)


async def depicts(scene: Scene, depicted: Depicted):
    async with scene.house.services.database.begin() as connection:
        await connection.exec_driver_sql("UPDATE loras SET depicted = ?", (depicted.value,))


async def train(place, name="Rusty"):
    return told(await place.press(await place.slash("train", draft=await drafted(place, name)), "Train it"))


async def tries(place, name="Rusty"):
    """Ask for a quote and return what comes of it."""
    return (await place.slash("train", draft=await drafted(place, name))).text


async def test_jobs_under_way_are_seen_and_stopped_by_a_manager(tmp_path):
    async with market(tmp_path) as (house, _till, mia):
        alice = house.discord.person("alice").in_channel()
        await train(alice)
        job = await job_in(house, alice, JobState.RUNNING)
        listed = await mia.slash("admin jobs")
        assert f"**Rusty** · Training · till · up to $0.25 · {alice.person.mention}" in listed.text
        [choice] = await mia.autocomplete("admin cancel", "job", "rus")
        assert (choice.value, choice.name) == (job.id, f"Rusty: training, training · {job.id}")
        listed = await mia.select(listed, "Stop a job", job.id)
        assert "Stopping" in listed.text
        await job_in(house, alice, JobState.CANCELED)
        assert (
            f"{mia.person.mention} stopped the job `{job.id}` of {alice.person.mention}"
            in (await mia.slash("admin audit")).text
        )
        assert (await mia.slash("admin jobs")).text.endswith("None.")
        assert (await mia.slash("admin cancel", job=job.id)).text == "It has ended already."


async def test_cancel_reaches_no_job_of_another_server(tmp_path):
    async with market(tmp_path) as (house, _till, _mia):
        alice = house.discord.person("alice").in_channel()
        await train(alice)
        job = await job_in(house, alice, JobState.RUNNING)
        elsewhere = house.discord.add_guild("Elsewhere")
        lobby = house.discord.add_channel("lobby", guild=elsewhere)
        eve = house.discord.person("eve", guild=elsewhere, manage_guild=True).in_channel(lobby)
        refused = await eve.slash("admin cancel", job=job.id)
        assert refused.text == "There is no such job in this server. /admin jobs lists them."
        assert (await eve.slash("admin jobs")).text.endswith("None.")


async def test_pause_lets_nothing_begin_and_tells_why(tmp_path):
    async with market(tmp_path) as (house, till, mia):
        alice = house.discord.person("alice").in_channel()
        quote = await alice.slash("train", draft=await drafted(alice, "Rusty"))
        answer = await mia.slash("admin pause", reason="The budget of the month is spent.")
        assert answer.text == "New jobs are paused in this server. /admin resume ends that."
        says = "New jobs are paused in this server: The budget of the month is spent. What is under way goes on."
        assert says in told(await alice.press(quote, "Train it"))
        assert says in await tries(alice, "Ruby")
        assert not till.bill
        assert "New ones are paused" in (await mia.slash("admin jobs")).text
        assert (await mia.slash("admin resume")).text == "New jobs may begin in this server again."
        assert (await mia.slash("admin resume")).text == "Nothing is paused in this server."
        await alice.press(quote, "Train it")
        await job_in(house, alice, JobState.RUNNING)


async def test_blocked_person_is_told_why_and_until_when(tmp_path):
    async with market(tmp_path) as (house, _till, mia):
        bob = house.discord.person("bob")
        answer = await mia.slash("admin block", person=bob, reason="Too many pictures.", days=3)
        assert answer.text.startswith(f"{bob.mention} is blocked until <t:")
        assert not answer.message.pinged
        refused = (await bob.in_channel().slash("draft show")).text
        assert refused.startswith("You are blocked from using me in this server until <t:")
        assert "Too many pictures." in refused
        assert "You have no jobs yet." in (await bob.in_channel().slash("jobs")).text
        assert (await mia.slash("admin unblock", person=bob)).text == f"{bob.mention} may use me here again."
        assert (await mia.slash("admin unblock", person=bob)).text == "They are not blocked in this server."
        assert "Train Ruby" in await tries(bob.in_channel(), "Ruby")
        log = (await mia.slash("admin audit")).text
        assert f"blocked {bob.mention}: Too many pictures. (until <t:" in log
        assert f"unblocked {bob.mention}" in log


async def test_nobody_blocks_themselves(tmp_path):
    async with open_house(tmp_path / "data") as house:
        mia = manager(house)
        assert (await mia.slash("admin block", person=mia.person)).text == "You cannot block yourself."


async def test_usage_is_drawn_with_words_for_those_who_hear_it(tmp_path):
    async with market(tmp_path, looks=(SUCCEEDED,)) as (house, _till, mia):
        alice = house.discord.person("alice").in_channel()
        await train(alice)
        await alice.wait_for(lambda m: "Rusty is ready" in m.text)
        seen = await mia.slash("admin usage", days=7)

    assert "### Spent in the last 7 days: $0.50" in seen.text
    assert "Begun: 1 training and 0 orders of pictures." in seen.text
    assert f"**1** {alice.person.mention} $0.50" in seen.text
    [picture] = seen.images
    assert picture.startswith(b"\x89PNG")
    [gallery] = [node for node in seen.message.components[0]["components"] if node["type"] == 12]
    assert "By provider: Till $0.50." in gallery["items"][0]["description"]


async def test_usage_says_plainly_that_nothing_was_spent(tmp_path):
    async with open_house(tmp_path / "data") as house:
        seen = await manager(house).slash("admin usage")

    assert "### Spent in the last 30 days: $0.00\nNothing was spent." in seen.text
    assert not seen.images


async def test_audit_is_paged(tmp_path):
    async with open_house(tmp_path / "data") as house:
        mia = manager(house)
        for number in range(12):
            await sets(house, jobs_at_once=number + 1)
        newest = await mia.slash("admin audit")
        older = await mia.press(newest, "Older")

    assert "### Audit log, page 1 of 2" in newest.text
    assert "set *jobs at once* from 11 to 12" in newest.text
    assert "set *jobs at once* from – to 1" in older.text
    assert older.find_button("Older").disabled


async def test_audit_of_a_new_server_is_empty(tmp_path):
    async with open_house(tmp_path / "data") as house:
        assert (await manager(house).slash("admin audit")).text == "Nothing was done by managers here yet."


async def test_diagnose_names_what_is_missing_and_what_for(tmp_path):
    async with open_house(tmp_path / "data") as house:
        mia = manager(house)
        good = await mia.slash("admin diagnose")
        house.discord.deny_bot(Permission.ATTACH_FILES)
        bad = await mia.slash("admin diagnose")
        thread = mia.person.in_channel(house.discord.add_thread("talk"))
        house.discord.deny_bot(Permission.SEND_MESSAGES_IN_THREADS)
        inside = await thread.slash("admin diagnose")

    assert "### I may do all that I need in this channel" in good.text
    assert "✅ **View Channel** to see the channel at all" in good.text
    assert "### I lack Attach Files in this channel" in bad.text
    assert "❌ **Attach Files** to post pictures" in bad.text
    assert "❌ **Send Messages in Threads** to post in threads" in inside.text


async def test_diagnose_knows_the_settings(tmp_path):
    async with open_house(tmp_path / "data") as house:
        other = house.discord.add_channel("other")
        house.discord.deny_bot(Permission.VIEW_CHANNEL, channel=other)
        await sets(house, channel_ids=(other.id,), log_channel_id=other.id, gallery_channel_id=1, pause_reason="Later.")
        seen = (await manager(house).slash("admin diagnose")).text

    assert "❌ The settings do not let people use me here" in seen
    assert "⚠️ New jobs are paused: Later." in seen
    assert f"❌ Log channel <#{other.id}>: I lack View Channel" in seen
    assert "❌ Gallery: the channel is gone, or I cannot see it." in seen


async def test_only_some_channels_may_be_used_with_their_threads(tmp_path):
    async with market(tmp_path) as (house, _till, _mia):
        studio = house.discord.add_channel("studio")
        await sets(house, channel_ids=(studio.id,))
        alice = house.discord.person("alice")
        inside = alice.in_channel(house.discord.add_thread("talk", channel=studio))
        assert "Train Ruby" in await tries(inside, "Ruby")
        draft = (await inside.autocomplete("train", "draft"))[0].value
        refused = await alice.in_channel().slash("train", draft=draft)
        assert refused.text == f"I may not be used in this channel. Use <#{studio.id}>."


async def test_only_some_roles_may_train(tmp_path):
    async with market(tmp_path) as (house, _till, _mia):
        artists = house.discord.add_role("artists")
        await sets(house, train_role_ids=(artists.id,))
        alice = house.discord.person("alice").in_channel()
        refused = await tries(alice)
        only = f"Only people with the role <@&{artists.id}> may train in this server."
        assert refused == f"{only} Ask somebody who manages this server."
        house.discord.give(alice.person.user, artists)
        assert "Train Ruby" in await tries(alice, "Ruby")


async def test_only_allowed_providers_are_offered(tmp_path):
    async with market(tmp_path) as (house, _till, _mia):
        await sets(house, allowed_providers=("fal",))
        refused = await tries(house.discord.person("alice").in_channel())
        assert "not allowed in this server" in refused


async def test_limits_of_a_server_hold_besides_the_operators(tmp_path):
    async with market(tmp_path, darkroom_person_usd_a_day=10.0) as (house, till, _mia):
        artists = house.discord.add_role("artists")
        await sets(house, person_usd_a_day=0.1, role_limits=(RoleLimits(role_id=artists.id, usd_a_day=0.3),))
        alice = house.discord.person("alice").in_channel()
        refused = await train(alice)
        assert "you may spend $0.10 a day in this server" in refused
        assert "ask somebody who manages this server for a higher limit" in refused
        house.discord.give(alice.person.user, artists)
        assert "is being trained" in await train(alice, "Ruby")
        assert len(till.bill) <= 1
        await sets(house, person_usd_a_day=None, role_limits=(), server_usd_a_month=0.3)
        bob = house.discord.person("bob").in_channel()
        assert "this server may spend $0.30 a month here" in await train(bob, "Fox")


async def test_jobs_at_once_are_counted_in_the_server(tmp_path):
    async with market(tmp_path) as (house, _till, _mia):
        await sets(house, jobs_at_once=1)
        alice = house.discord.person("alice").in_channel()
        await train(alice)
        assert "You have 1 job under way. 1 at once is allowed here." in await train(alice, "Ruby")


async def test_unwanted_words_are_found_in_names_captions_and_prompts(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await sets(scene.house, blocked_words=("Voldemort",))
        place = scene.owner.in_channel()
        refused = await place.slash("generate", model="Rusty", prompt="rustyfox as VOLDEMÓRT, in snow")
        says = "The word “Voldemort” is not wanted in this server. Say it without it."
        assert refused.text == says
        fine = await place.slash("generate", model="Rusty", prompt="rustyfox and a voldemortish hat")
        assert "Drawing" in fine.text


@pytest.mark.parametrize("part", ["name", "caption"])
async def test_unwanted_words_stop_a_training(tmp_path, part):
    async with market(tmp_path) as (house, till, _mia):
        await sets(house, blocked_words=("lord fox",))
        alice = house.discord.person("alice").in_channel()
        draft = await drafted(alice, "Lord Fox" if part == "name" else "Rusty")
        if part == "caption":
            async with house.services.database.begin() as connection:
                await connection.exec_driver_sql("UPDATE photos SET caption = 'my LORD  fox at home'")
        answer = told(await alice.press(await alice.slash("train", draft=draft), "Train it"))
        assert "The word “lord fox” is not wanted in this server." in answer
        assert not till.bill


async def test_adult_words_are_kept_where_adults_are(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        house, prompt = scene.house, "rustyfox, nsfw"
        await depicts(scene, Depicted.NOBODY)
        grown = house.discord.add_channel("grown", nsfw=True)
        everywhere, there = scene.owner.in_channel(), scene.owner.in_channel(grown)
        thread = scene.owner.in_channel(house.discord.add_thread("talk", channel=grown))
        what = "The word “nsfw” makes this prompt adult."
        never = await there.slash("generate", model="Rusty", prompt=prompt)
        assert never.text == f"{what} Adult pictures are not made in this server."
        await sets(house, adult=AdultPolicy.AGE_RESTRICTED)
        here = await everywhere.slash("generate", model="Rusty", prompt=prompt)
        assert here.text == f"{what} In this server it may only be used in age-restricted channels."
        alone = await scene.owner.dm().slash("generate", model="Rusty", prompt=prompt)
        assert alone.text == f"{what} Adult pictures are not made in direct messages."
        assert "Drawing" in (await there.slash("generate", model="Rusty", prompt=prompt)).text
        assert "Drawing" in (await thread.slash("generate", model="Rusty", prompt=prompt)).text


async def test_marked_model_is_kept_where_adults_are(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await depicts(scene, Depicted.NOBODY)
        place = scene.owner.in_channel()
        marked = await place.slash("models adult", model="Rusty")
        assert marked.text.startswith("**Rusty** is marked as adult")
        refused = await place.slash("generate", model="Rusty", prompt="rustyfox reads")
        assert refused.text == "This model is marked as adult. Adult pictures are not made in this server."
        await place.slash("models adult", model="Rusty", adult=False)
        assert "Drawing" in (await place.slash("generate", model="Rusty", prompt="rustyfox reads")).text


async def test_model_of_a_child_is_never_adult(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        await sets(scene.house, adult=AdultPolicy.AGE_RESTRICTED, adult_words=("spicy",))
        await depicts(scene, Depicted.CHILD)
        there = scene.owner.in_channel(scene.house.discord.add_channel("grown", nsfw=True))
        refused = await there.slash("generate", model="Rusty", prompt="rustyfox, spicy")
        assert refused.text.endswith("Nothing adult is ever made with this model.")
        marked = await there.slash("models adult", model="Rusty")
        assert marked.text == "**Rusty** is a model of a child, which is never adult."


async def test_manager_marks_a_shared_model_for_their_server_alone(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        owner, mia = scene.owner.in_channel(), manager(scene.house)
        await owner.slash("models share", model="Rusty")
        bob = scene.house.discord.person("bob").in_channel()
        assert (
            await bob.slash("models adult", model="Rusty")
        ).text == "Only people who manage this server may do that."
        await mia.slash("models adult", model="Rusty")
        still = await owner.slash("models adult", model="Rusty", adult=False)
        assert still.text.startswith("**Rusty** is not marked as adult by you.")
        async with scene.house.services.database.begin() as connection:
            assert await adult.is_marked(connection, scene.lora.id, scene.house.discord.guild.id)
            assert not await adult.is_marked(connection, scene.lora.id, None)
        assert f"marked the model `{scene.lora.id}` as adult" in (await mia.slash("admin audit")).text


async def test_block_ends_by_itself(tmp_path):
    async with open_house(tmp_path / "data") as house:
        mia, bob = manager(house), house.discord.person("bob")
        await mia.slash("admin block", person=bob, days=1)
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("UPDATE blocks SET until = 1")
        here = Place(channel_id=house.discord.channel.id, guild_id=house.discord.guild.id)
        await house.services.guilds.admit(bob.id, here, Act.TRAIN)
