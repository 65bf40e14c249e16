"""/admin settings: the panel, what it changes, who may change it, and what follows; by people in the playground."""

import pytest

from bot.errors import NotAllowed, WrongMoment
from bot.guild import Act, AdultPolicy, GuildSettings, RoleLimits
from bot.place import Place
from playground.components import walk
from playground.errors import PersonError
from playground.permissions import Permission
from tests.house import House, open_house

MANAGER = "mia"


async def opened(house: House, section: str | None = None):
    place = house.discord.person(MANAGER, manage_guild=True).in_channel()
    panel = await place.slash("admin settings")
    return place, panel if section is None else await place.select(panel, "Another section", section)


async def set_now(house: House) -> GuildSettings:
    return await house.services.guilds.settings(house.discord.guild.id)


async def test_panel_begins_with_where_and_who(tmp_path):
    async with open_house(tmp_path / "data") as house:
        _place, panel = await opened(house)

    assert panel.ephemeral
    assert "### Settings: Where and who" in panel.text
    assert [menu.placeholder for menu in panel.selects] == [
        "All channels",
        "Everybody",
        "Everybody",
        "Nobody besides",
        "Another section",
    ]


@pytest.mark.parametrize(
    "section", ["Where and who", "Providers", "Money and limits", "Content and photos", "Log and gallery"]
)
async def test_panel_has_a_section_for_everything(tmp_path, section):
    async with open_house(tmp_path / "data") as house:
        _place, panel = await opened(house, section)

    assert f"### Settings: {section}" in panel.text
    assert len(panel.text) < 4000


async def test_menus_set_channels_and_roles(tmp_path):
    async with open_house(tmp_path / "data") as house:
        artists = house.discord.add_role("artists")
        place, panel = await opened(house)
        await place.select(panel, "All channels", [house.discord.channel])
        for name in ("train_role_ids", "generate_role_ids", "manage_role_ids"):
            panel = await place.select(panel, f"admin.set:{name}", [artists])
        found = await set_now(house)

    assert found.channel_ids == (house.discord.channel.id,)
    assert found.train_role_ids == found.generate_role_ids == found.manage_role_ids == (artists.id,)


async def test_menus_clear_what_they_set(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house)
        await place.select(panel, "All channels", [house.discord.channel])
        await place.select(panel, "All channels", [])
        assert (await set_now(house)).channel_ids == ()


async def test_menus_set_providers_policy_and_channels(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house, "Providers")
        await place.select(panel, "All providers", "sketch")
        await place.select(panel, "The cheapest", "sketch")
        panel = await place.select(panel, "Another section", "Content and photos")
        await place.select(panel, "Adult pictures", "Only in age-restricted channels")
        panel = await place.select(panel, "Another section", "Log and gallery")
        await place.select(panel, "None: reports wait", [house.discord.channel])
        await place.select(panel, "No gallery", [house.discord.channel])
        found = await set_now(house)

    assert (found.allowed_providers, found.preferred_providers) == (("sketch",), ("sketch",))
    assert found.adult is AdultPolicy.AGE_RESTRICTED
    assert found.log_channel_id == found.gallery_channel_id == house.discord.channel.id


async def test_log_channel_that_is_closed_to_the_bot_is_pointed_out(tmp_path):
    async with open_house(tmp_path / "data") as house:
        closed = house.discord.add_channel("closed")
        house.discord.deny_bot(Permission.SEND_MESSAGES, channel=closed)
        place, panel = await opened(house, "Log and gallery")
        panel = await place.select(panel, "None: reports wait", [closed])

    assert f"in <#{closed.id}>." in panel.text
    assert "I lack Send Messages" in panel.text


async def test_limits_are_set_for_everybody_and_for_a_role(tmp_path):
    async with open_house(tmp_path / "data") as house:
        artists = house.discord.add_role("artists")
        place, panel = await opened(house, "Money and limits")
        form = await place.press(panel, "Change")
        await place.submit(form, person_usd_a_day="2,50", server_usd_a_month="$40", jobs_at_once="2")
        form = await place.select(panel, "Limits of a role", [artists])
        assert form.modal.title == "Limits of artists"
        panel = await place.submit(form, usd_a_day="8")
        found = await set_now(house)

    assert (found.person_usd_a_day, found.server_usd_a_month, found.jobs_at_once) == (2.5, 40, 2)
    assert found.role_limits == (RoleLimits(role_id=artists.id, usd_a_day=8),)
    assert "A person a day: $2.50\nThe server a month: $40.00\nJobs of a person at once: 2" in panel.text
    assert f"<@&{artists.id}>: $8.00 a day, no limit jobs at once" in panel.text


async def test_limits_of_a_role_go_when_they_are_emptied(tmp_path):
    async with open_house(tmp_path / "data") as house:
        artists = house.discord.add_role("artists")
        place, panel = await opened(house, "Money and limits")
        await place.submit(await place.select(panel, "Limits of a role", [artists]), usd_a_day="8")
        await place.submit(await place.select(panel, "Limits of a role", [artists]), usd_a_day="")
        assert (await set_now(house)).role_limits == ()


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("person_usd_a_day", "much", "“much” is not a number. Write it like 12.50."),
        ("person_usd_a_day", "-1", "That is from 0 to 100000."),
        ("jobs_at_once", "1.5", "Jobs are counted in whole numbers."),
        ("jobs_at_once", "0", "That is from 1 to 100."),
    ],
)
async def test_limits_that_are_no_numbers_change_nothing(tmp_path, field, text, says):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house, "Money and limits")
        answer = await place.submit(await place.press(panel, "Change"), **{field: text})
        assert [one.text for one in answer.followups] == [says]
        assert await set_now(house) == GuildSettings()


async def test_words_and_days_are_set_in_a_form(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house, "Content and photos")
        form = await place.press(panel, "Change words and days")
        panel = await place.submit(
            form, blocked_words="Voldemort, he who\nmust", adult_words="spicy", keep_photos_days="3"
        )
        found = await set_now(house)

    assert found.blocked_words == ("Voldemort", "he who", "must")
    assert (found.adult_words, found.keep_photos_days) == (("spicy",), 3)
    assert "go 3 days after their end" in panel.text


async def test_every_change_is_in_the_audit_log(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house)
        await place.select(panel, "All channels", [house.discord.channel])
        await place.select(panel, "All channels", [house.discord.channel])
        told = await place.slash("admin audit")

    assert f"{place.person.mention} set *channels* from – to <#{house.discord.channel.id}>" in told.text
    assert told.text.count("set *channels*") == 1


async def test_stranger_is_not_offered_admin_and_a_lent_panel_refuses_them(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        with pytest.raises(PersonError, match="no command /admin"):
            await bob.in_channel().slash("admin settings")
        house.discord.allow_command("admin", bob.user)
        answer = await bob.in_channel().slash("admin settings")

    assert answer.text == "Only people who manage this server may do that."


async def test_role_that_may_manage_opens_the_panel_and_cannot_appoint_others(tmp_path):
    async with open_house(tmp_path / "data") as house:
        helpers, others = house.discord.add_role("helpers"), house.discord.add_role("others")
        place, panel = await opened(house)
        await place.select(panel, "Nobody besides", [helpers])
        bob = house.discord.person("bob")
        house.discord.give(bob.user, helpers)
        house.discord.allow_command("admin", helpers)
        theirs = bob.in_channel()
        panel = await theirs.slash("admin settings")
        answer = await theirs.select(panel, "Nobody besides", [helpers, others])
        assert [one.text for one in answer.followups] == ["Only people with Manage Server may say who else manages."]
        await theirs.select(panel, "All channels", [house.discord.channel])
        found = await set_now(house)

    assert found.manage_role_ids == (helpers.id,)
    assert found.channel_ids == (house.discord.channel.id,)


async def test_service_asks_again_whether_somebody_manages(tmp_path):
    async with open_house(tmp_path / "data") as house:
        here = Place(channel_id=house.discord.channel.id, guild_id=house.discord.guild.id)
        with pytest.raises(NotAllowed):
            await house.services.guilds.change(1, here, blocked_words=("x",))
        with pytest.raises(WrongMoment, match="no server to manage"):
            await house.services.guilds.admit(1, Place(channel_id=1, guild_id=None, manages=True), Act.MANAGE)


async def test_panel_names_who_is_blocked(tmp_path):
    async with open_house(tmp_path / "data") as house:
        bob = house.discord.person("bob")
        place, _panel = await opened(house)
        await place.slash("admin block", person=bob)
        panel = await place.slash("admin settings")

    assert f"**Blocked:** {bob.mention}. /admin unblock lets them in again." in panel.text


async def test_menu_of_another_version_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place, panel = await opened(house)
        shown = house.discord.world.messages[panel.message.id]
        for _path, node in walk(shown.components):
            if node.get("custom_id") == "admin.set:channel_ids":
                node["custom_id"] = "admin.set:gone"
        answer = await place.select(panel, "All channels", [house.discord.channel])

    told = [one.text for one in answer.followups]
    assert told == ["This menu is from another version of the bot. Use /admin settings."]
