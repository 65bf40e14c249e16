import asyncio

import pytest

from playground.clock import ManualClock
from playground.errors import PersonError
from playground.permissions import Permission
from playground.seen import Upload
from tests.playground.bots import connected
from tests.playing import running_playground


async def test_person_slash_gets_the_answer():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        outcome = await place.slash("draft new", name="Rusty", kind="person", photo=Upload("a.jpg", b"12345"))
        assert outcome.text == "Rusty person 5 100"
        assert outcome.ephemeral


@pytest.mark.parametrize(
    ("words", "options", "complaint"),
    [
        ("nothing", {}, "no command /nothing"),
        ("draft", {}, "choose one of"),
        ("draft old", {}, "no subcommand 'old'"),
        ("draft new", {"name": "Rusty"}, "needs the option 'kind'"),
        ("draft new", {"name": "Rusty", "kind": "person", "colour": "red"}, "no option 'colour'"),
        ("draft new", {"name": "Rusty", "kind": "robot"}, "does not offer 'robot'"),
        ("draft new", {"name": "R", "kind": "person"}, "2 to 12 characters"),
        ("draft new", {"name": 7, "kind": "person"}, "takes text"),
        ("draft new", {"name": "Rusty", "kind": "person", "photo": "a.jpg"}, "takes a file"),
        ("draft new", {"name": "Rusty", "kind": "person", "steps": 5}, "100 to 2000"),
        ("draft new", {"name": "Rusty", "kind": "person", "steps": "many"}, "a whole number"),
    ],
)
async def test_person_client_refuses_wrong_options(words, options, complaint):
    async with running_playground() as server, connected(server):
        with pytest.raises(PersonError, match=complaint):
            await server.person("alice").in_channel().slash(words, **options)


async def test_person_may_refer_to_people_and_channels():
    async with running_playground() as server, connected(server):
        bob = server.person("bob")
        outcome = await server.person("alice").in_channel().slash("whom", user=bob, place=server.channel)
        assert outcome.text == "bob general"


async def test_person_autocomplete_lists_suggestions():
    async with running_playground() as server, connected(server):
        choices = await server.person("alice").in_channel().autocomplete("draw", option="prompt", typed="ca")
        assert [(c.name, c.value) for c in choices] == [("ca!", "ca-value")]


async def test_person_context_menu_hands_over_the_message():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        said = await place.say("look", files=[Upload("a.png", b"1"), Upload("b.png", b"2")])
        assert (await place.context_menu("Add to draft", said)).text == "2 photos"


async def test_person_form_is_filled_in_and_sent():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        form = (await place.press(await place.slash("show"), "Form")).modal
        photos = [Upload("a.png", b"1"), Upload("b.png", b"22")]
        done = await place.submit(form, trigger="TOK", base_model="dev", Way="good", consent=True, photos=photos)
        assert done.text == "['TOK', 'dev', 'good'] True [1, 2]"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"trigger": "T"}, "2 to 10 characters"),
        ({"trigger": ""}, "must be filled in"),
        ({"base": "sdxl"}, "does not offer 'sdxl'"),
        ({"consent": "yes"}, "True or False"),
        ({"photos": []}, "must be filled in"),
        ({"photos": [Upload(f"{n}.png", b"1") for n in range(11)]}, "1 to 10, not 11"),
        ({"nonsense": 1}, "no field 'nonsense'"),
    ],
)
async def test_person_client_refuses_a_wrong_form(changes, complaint):
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        form = (await place.press(await place.slash("show"), "Form")).modal
        right = {"trigger": "TOK", "base": "dev", "way": "good", "consent": True, "photos": [Upload("a.png", b"1")]}
        with pytest.raises(PersonError, match=complaint):
            await place.submit(form, **(right | changes))


async def test_person_form_from_a_button_can_change_its_message():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("show")
        outcome = await place.submit(await place.press(shown, "Extras"), extras=["flip", "crop"])
        assert outcome.updated
        assert outcome.message.id == shown.message.id
        assert outcome.text == "extras ['flip', 'crop']"


async def test_person_deferred_answer_is_awaited_and_shows_its_picture():
    async with running_playground() as server, connected(server):
        outcome = await server.person("alice").in_channel().slash("draw", prompt="a robot")
        assert outcome.deferred
        assert outcome.text == "a robot"
        assert outcome.images == (b"\x89PNG...",)


async def test_person_deferred_answer_need_not_be_awaited():
    async with running_playground() as server, connected(server):
        held = server.faults.hold(method="PATCH", path="/webhooks/*")
        place = server.person("alice").in_channel()
        outcome = await place.slash("draw", prompt="a robot", wait=False)
        assert outcome.message.loading
        held.release()
        assert (await place.wait_for(lambda m: not m.loading)).text == "a robot"


@pytest.mark.parametrize(("button", "text"), [("Update", "updated"), ("Later", "later"), ("do:update", "updated")])
async def test_person_press_sees_the_message_change(button, text):
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        outcome = await place.press(await place.slash("show"), button)
        assert outcome.updated
        assert outcome.text == text


async def test_person_press_sees_a_followup():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        outcome = await place.press(await place.slash("show"), "Follow")
        assert outcome.text == "followed"
        assert [m.text for m in outcome.followups] == ["followed"]
        assert (await outcome.followup()).ephemeral


@pytest.mark.parametrize(
    ("button", "complaint"), [("Never", "is disabled"), ("Docs", "is a link"), ("Gone", "no button 'Gone'")]
)
async def test_person_cannot_press_what_cannot_be_pressed(button, complaint):
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("show")
        with pytest.raises(PersonError, match=complaint):
            await place.press(shown, button)


async def test_person_sees_no_ephemeral_message_of_others():
    async with running_playground() as server, connected(server):
        alice, bob = server.person("alice").in_channel(), server.person("bob").in_channel()
        whispered = await alice.slash("draft new", name="Rusty", kind="style")
        assert [m.text for m in alice.sees()] == ["Rusty style 0 100"]
        assert bob.sees() == []
        with pytest.raises(PersonError, match="somebody else only"):
            bob.look(whispered.message)


async def test_person_may_press_a_public_button_of_others():
    async with running_playground() as server, connected(server):
        shown = await server.person("alice").in_channel().slash("show")
        assert (await server.person("bob").in_channel().press(shown, "Whisper")).text == "psst"


async def test_person_cannot_press_on_a_deleted_message():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("show")
        server.delete_message(server.world.messages[shown.message.id])
        with pytest.raises(PersonError, match="is gone"):
            await place.press(shown, "Update")


async def test_person_command_for_managers_is_hidden_from_others():
    async with running_playground() as server, connected(server):
        with pytest.raises(PersonError, match="no command /manage"):
            await server.person("bob").in_channel().slash("manage")
        assert (await server.person("alice", manage_guild=True).in_channel().slash("manage")).text == "managed"


async def test_person_dm_with_files_reaches_the_bot():
    async with running_playground() as server, connected(server):
        place = server.person("alice").dm()
        await place.say(files=[Upload("a.jpg", b"123"), Upload("b.jpg", b"4567")])
        assert (await place.wait_for(lambda m: m.author_is_bot)).text == "got [3, 4]"


async def test_person_client_refuses_too_many_or_too_large_files():
    async with running_playground() as server:
        place = server.person("alice").dm()
        with pytest.raises(PersonError, match="10 files a message, not 11"):
            await place.say(files=[Upload(f"{n}.jpg", b"1") for n in range(11)])
        with pytest.raises(PersonError, match="10 MiB"):
            await place.say(files=[Upload("a.jpg", bytes(10 * 1024 * 1024 + 1))])


async def test_person_without_the_right_cannot_speak():
    async with running_playground() as server:
        alice = server.person("alice")
        server.overwrite(server.channel, alice.id, deny=Permission.SEND_MESSAGES)
        with pytest.raises(PersonError, match="SEND_MESSAGES"):
            await alice.in_channel().say("hello")


async def test_person_without_the_right_to_look_sees_nothing():
    async with running_playground() as server:
        await server.person("alice").in_channel().say("hello")
        bob = server.person("bob")
        assert [m.text for m in bob.in_channel().sees()] == ["hello"]
        server.overwrite(server.channel, bob.id, deny=Permission.VIEW_CHANNEL)
        assert bob.in_channel().sees() == []


async def test_person_wait_for_gives_up_with_a_sentence():
    async with running_playground() as server:
        with pytest.raises(PersonError, match="a message that fits"):
            await server.person("alice").dm().wait_for(lambda m: True, timeout=0.01)


async def test_person_press_fails_when_no_bot_is_there():
    async with running_playground() as server:
        place = server.person("alice").in_channel()
        async with connected(server):
            shown = await place.slash("show")
        await server.bot_gone()
        assert not server.gateway.online
        outcome = await place.press(shown, "Update")
        assert outcome.failed == "This interaction failed"
        assert place.look(shown.message).text == "hello"


async def test_person_old_buttons_work_after_the_bot_came_back():
    async with running_playground() as server:
        place = server.person("alice").in_channel()
        async with connected(server):
            shown = await place.slash("show")
        async with connected(server, sync=False):
            assert (await place.press(shown, "Update")).text == "updated"


async def test_person_select_takes_values_or_labels():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("menus")
        assert (await place.select(shown, "Colours", ["Red", "blue"])).text == "['red', 'blue']"


async def test_person_select_takes_people_and_channels():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("menus")
        assert (await place.select(shown, "People", [server.person("bob")])).text == "['bob']"
        assert (await place.select(shown, "Places", [server.channel])).text == "['general']"


@pytest.mark.parametrize(
    ("menu", "values", "complaint"),
    [
        ("Colours", ["green"], "does not offer 'green'"),
        ("Colours", [], "takes 1 to 2"),
        ("Off", ["x"], "is disabled"),
        ("Gone", ["x"], "no menu 'Gone'"),
    ],
)
async def test_person_client_refuses_a_wrong_selection(menu, values, complaint):
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        shown = await place.slash("menus")
        with pytest.raises(PersonError, match=complaint):
            await place.select(shown, menu, values)


async def test_person_context_menu_that_is_not_there_is_named():
    async with running_playground() as server, connected(server):
        place = server.person("alice").in_channel()
        said = await place.say("look")
        with pytest.raises(PersonError, match="no entry 'Remove'"):
            await place.context_menu("Remove", said)
        with pytest.raises(PersonError, match="no entry 'Add to draft'"):
            await place.context_menu("Add to draft", server.person("bob"))


async def test_person_autocomplete_of_a_silent_option_is_refused():
    async with running_playground() as server, connected(server):
        with pytest.raises(PersonError, match="no option 'name' that suggests"):
            await server.person("alice").in_channel().autocomplete("draft new", option="name", typed="x")


async def test_person_cannot_speak_in_a_deleted_channel():
    async with running_playground() as server:
        place = server.person("alice").in_channel()
        server.delete_channel(server.channel)
        with pytest.raises(PersonError, match="channel is gone"):
            await place.say("x")
        assert place.sees() == []


@pytest.mark.parametrize("text", ["", "x" * 2001])
async def test_person_client_refuses_empty_and_overlong_text(text):
    async with running_playground() as server:
        with pytest.raises(PersonError):
            await server.person("alice").dm().say(text)


async def test_person_cannot_look_into_another_channel():
    async with running_playground() as server:
        alice = server.person("alice")
        said = await alice.in_channel().say("here")
        with pytest.raises(PersonError, match="another channel"):
            alice.dm().look(said)


async def test_person_sees_no_commands_where_the_bot_is_not():
    async with running_playground() as server, connected(server):
        server.remove_bot()
        with pytest.raises(PersonError, match="there are: none"):
            await server.person("alice").in_channel().slash("show")


async def test_person_press_fails_when_the_bot_is_too_slow():
    clock = ManualClock()
    async with running_playground(clock=clock) as server:
        place = server.person("alice").in_channel()
        async with connected(server):
            shown = await place.slash("show")
            held = server.faults.hold(path="/interactions/*")
            pressing = asyncio.create_task(place.press(shown, "Update"))
            await held.arrived.wait()
            clock.advance(3)
            assert (await pressing).failed == "This interaction failed"
            held.release()
        assert place.look(shown.message).text == "hello"
