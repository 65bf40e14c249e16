"""What log channels are told: reports with their buttons, doubts, outages, stray machines; each once, whatever dies."""

import asyncio

import pytest

from bot.events import ProviderTrouble, StrayFate, StrayMachine
from bot.place import Place
from bot.training.job import JobState
from playground.permissions import Permission
from playground.server import Playground
from tests.cogs.test_money import drafted, job_in, market
from tests.factories import Scene, house_with_model, moved_in
from tests.house import House, open_house, running_bot
from tests.playing import running_playground


def here(house: House, channel=None, *, manages=True) -> Place:
    channel = channel or house.discord.channel
    return Place(channel_id=channel.id, guild_id=house.discord.guild.id, manages=manages)


async def with_log_channel(house: House):
    """Make a channel that only managers see the log channel, and give a manager there."""
    log = house.discord.add_channel("log")
    house.discord.overwrite(log, house.discord.guild.id, deny=Permission.VIEW_CHANNEL)
    house.discord.overwrite(log, house.discord.world.bot.id, allow=Permission.VIEW_CHANNEL)
    mia = house.discord.person("mia", manage_guild=True)
    house.discord.overwrite(log, mia.id, allow=Permission.VIEW_CHANNEL)
    await house.services.guilds.change(mia.id, here(house), log_channel_id=log.id)
    return mia.in_channel(log)


async def gallery_of(scene: Scene, place):
    return await place.wait_for(lambda m: m.has_button("Again") and m.has_button("Report"))


async def report(scene: Scene, name="bob", reason="That is my dog."):
    place = scene.house.discord.person(name).in_channel()
    form = await place.press(await gallery_of(scene, place), "Report")
    return await place.submit(form, reason=reason)


async def reported(place):
    return await place.wait_for(lambda m: "### Pictures were reported" in m.text and not m.ephemeral)


async def test_report_reaches_the_log_channel_with_buttons(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        told = await report(scene)
        seen = await reported(log)
        bob = scene.house.discord.person("bob")

    assert told.text == "Thank you. The people who look after this have it now, with your name."
    assert f"{bob.mention} reports pictures of {scene.owner.mention}.\n“That is my dog.”" in seen.text
    assert [button.label for button in seen.buttons] == [
        "Delete the pictures",
        "Block the person",
        "Dismiss",
        "See them",
    ]
    assert not seen.pinged


async def test_reported_pictures_are_deleted_by_a_manager(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        everybody = scene.house.discord.person("bob").in_channel()
        standing = await gallery_of(scene, everybody)
        await report(scene)
        notice = await reported(log)
        seen = await log.press(notice, "Delete the pictures")
        assert f"{log.person.mention} deleted the pictures." in seen.text
        await log.wait_for(lambda m: m.id == notice.id and "deleted the pictures" in m.text and not m.buttons)
        assert standing.id not in [m.id for m in everybody.sees()]
        job_id = await reported_job(scene)
        gallery = await scene.house.services.generating.gallery(job_id, with_files=False)
        assert not gallery.pictures
        assert f"deleted the pictures of the job `{job_id}` after a report" in (await log.slash("admin audit")).text


async def reported_job(scene: Scene) -> str:
    async with scene.house.services.database.begin() as connection:
        return (await connection.exec_driver_sql("SELECT job_id FROM reports")).scalar_one()


async def test_person_is_blocked_from_the_report(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        await report(scene)
        seen = await log.press(await reported(log), "Block the person")
        assert f"{log.person.mention} blocked the person." in seen.text
        refused = await scene.owner.in_channel().slash("generate", model="Rusty")
        assert refused.text.startswith("You are blocked from using me in this server.")


async def test_report_is_settled_once(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        await report(scene)
        listed = await log.slash("admin reports")
        opened = await log.select(listed, "Open a report", listed.selects[0].options[0].value)
        await log.press(await reported(log), "Dismiss")
        again = await log.press(opened, "Block the person")
        assert [one.text for one in again.followups] == ["Somebody has settled this report already."]
        assert (await log.slash("admin reports")).text == "No report waits for you."


async def test_nobody_else_settles_a_report(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        await report(scene)
        notice = await reported(log)
        bob = scene.house.discord.person("bob")
        scene.house.discord.overwrite(log.channel, bob.id, allow=Permission.VIEW_CHANNEL)
        refused = await bob.in_channel(log.channel).press(notice, "Delete the pictures")
        assert [one.text for one in refused.followups] == ["Only people who manage this server may do that."]
        assert (await log.slash("admin reports")).text.count("reports pictures of") == 1


async def test_report_without_a_log_channel_waits_and_says_so(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        told = await report(scene)
        assert told.text.endswith("They have no channel for reports, so tell one of them: /admin reports shows it.")
        mia = scene.house.discord.person("mia", manage_guild=True).in_channel()
        listed = await mia.slash("admin reports")
        assert "That is my dog." in listed.text
        log = await with_log_channel(scene.house)
        await reported(log)


async def test_report_from_a_direct_message_goes_to_the_operator(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        job_id = await picture_job(scene)
        alone = Place(channel_id=1, guild_id=None)
        filed = await scene.house.services.reports.file(scene.owner.id, job_id, "hm", alone)
        assert not filed.reaches_channel
        assert filed.report.guild_id is None


async def picture_job(scene: Scene) -> str:
    async with scene.house.services.database.begin() as connection:
        found = await connection.exec_driver_sql("SELECT id FROM jobs WHERE kind = 'pictures' AND parent_id IS NULL")
        return found.scalar_one()


async def test_report_is_posted_once_though_the_answer_was_lost_and_the_bot_restarted(trained_folder, tmp_path):
    async with running_playground() as discord:
        owner = await moved_in(trained_folder, tmp_path / "data", discord)
        async with running_bot(discord, tmp_path / "data") as house:
            [lora] = await house.services.library.usable(owner.id, here(house))
            scene = Scene(house=house, owner=owner, lora=lora)
            log = await with_log_channel(house)
            lost = discord.faults.reset(
                method="POST", path=f"/channels/{log.channel.id}/messages", when="after", times=9
            )
            await report(scene)
            await log.wait_for(lambda m: "### Pictures were reported" in m.text)
            assert lost
        await discord.bot_gone()
        discord.faults.clear()
        async with running_bot(discord, tmp_path / "data") as house:
            await posted(house)
            seen = await log.press(await reported(log), "Dismiss")
            assert "dismissed it." in seen.text
        assert len([m for m in log.sees() if "### Pictures were reported" in m.text]) == 1


async def posted(house: House):
    """Wait until no notice waits for a log channel."""
    for _ in range(200):
        if not await house.services.notices.due():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("notices wait for ever")


async def test_doubt_about_a_paid_order_reaches_the_log_channel_and_is_settled_there(tmp_path):
    async with market(tmp_path, findable=False) as (house, till, place):
        log = await with_log_channel(house)
        till.plan("submit")
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        notice = await log.wait_for(lambda m: "Nobody knows whether Till took an order" in m.text)
        told = await log.press(notice, "It did not run")
        assert "It is sent once more" in " ".join([told.text, *(one.text for one in told.followups)])
        await log.wait_for(lambda m: m.id == notice.id and m.text.endswith("That is settled.") and not m.buttons)
        await place.wait_for(lambda m: "Rusty is ready" in m.text)
        assert "said what became of the job" in (await log.slash("admin audit")).text


async def test_doubt_is_not_settled_from_another_server(tmp_path):
    async with market(tmp_path, findable=False) as (house, till, place):
        till.plan("submit")
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        job = await job_in(house, place, JobState.UNCERTAIN)
        elsewhere = Place(channel_id=1, guild_id=house.discord.guild.id + 1, manages=True)
        with pytest.raises(Exception, match="an admin of this server"):
            await house.services.training.settle_doubt(7, job.id, elsewhere, remote_id=None)


async def test_outage_is_told_to_servers_that_wait_and_taken_back(tmp_path):
    async with market(tmp_path, looks=[]) as (house, _till, place):
        log = await with_log_channel(house)
        await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
        house.services.news.warn_operator(ProviderTrouble(provider="till", lost=True))
        notice = await log.wait_for(lambda m: "### Till is out of reach" in m.text)
        house.services.news.warn_operator(ProviderTrouble(provider="till", lost=False))
        await log.wait_for(lambda m: m.id == notice.id and "### Till answers again" in m.text)


async def test_stray_machine_is_told_to_the_operator_alone(tmp_path):
    async with (
        running_playground() as discord,
        running_bot(discord, tmp_path / "data", darkroom_owner_guild=discord.guild.id) as house,
    ):
        log = await with_log_channel(house)
        warning = StrayMachine(provider="RunPod", name="darkroom-x", box_id="pod1", fate=StrayFate.STAYS)
        house.services.news.warn_operator(warning)
        house.services.news.warn_operator(warning)
        seen = await log.wait_for(lambda m: "`pod1` (darkroom-x)" in m.text)
        await posted(house)
        assert "look at the provider's page" in seen.text
        assert len([m for m in log.sees() if "pod1" in m.text]) == 1


async def test_closed_log_channel_keeps_its_notices_and_nobody_elses(tmp_path):
    async with open_house(tmp_path / "data") as house:
        log = await with_log_channel(house)
        elsewhere = house.discord.add_guild("Elsewhere")
        lobby = house.discord.add_channel("lobby", guild=elsewhere)
        eve = house.discord.person("eve", guild=elsewhere, manage_guild=True)
        there = Place(channel_id=lobby.id, guild_id=elsewhere.id, manages=True)
        await house.services.guilds.change(eve.id, there, log_channel_id=lobby.id)
        house.discord.deny_bot(Permission.SEND_MESSAGES, channel=log.channel)
        drafted_ = await house.services.deployment.draft("Hello.")
        await house.services.deployment.announce(1, drafted_.id)
        await eve.in_channel(lobby).wait_for(lambda m: "Hello." in m.text)
        await waiting_only_for(house, house.discord.guild.id)


async def waiting_only_for(house: House, guild_id: int):
    for _ in range(200):
        if [notice.guild_id for notice, _channel in await house.services.notices.due()] == [guild_id]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("others wait too")


async def test_deleted_notice_is_not_posted_again(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        log = await with_log_channel(scene.house)
        await report(scene)
        notice = await reported(log)
        discord: Playground = scene.house.discord
        discord.delete_message(discord.world.messages[notice.id])
        listed = await log.slash("admin reports")
        opened = await log.select(listed, "Open a report", listed.selects[0].options[0].value)
        await log.press(opened, "Dismiss")
        await posted(scene.house)
        assert len([m for m in log.sees() if "### Pictures were reported" in m.text]) == 1  # the manager's own answer
