import asyncio

import pytest

from playground.clock import ManualClock
from playground.errors import PersonError
from playground.interactions import InteractionKind
from playground.permissions import Permission
from tests.playground.bots import PlainBot, connected
from tests.playground.wire import wired
from tests.playing import running_playground

COMMAND = {"id": "1", "name": "draw", "type": 1, "options": []}
EPHEMERAL = 64


def start(server, kind=InteractionKind.COMMAND, data=None, **more):
    alice = server.person("alice").user
    return server.interactions.start(kind, alice, server.channel, data or COMMAND, **more)


async def answer(wire, interaction, kind, data=None, **more):
    body = {"type": kind} | ({"data": data} if data is not None else {})
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    return await wire.call("POST", path, body, params={"with_response": "true"}, headers={}, **more)


async def by_token(wire, interaction, method, rest="", body=None, **more):
    path = f"/webhooks/{wire.server.world.bot.id}/{interaction.token}{rest}"
    return await wire.call(method, path, body, headers={}, **more)


async def test_interaction_answered_in_time_shows_the_message():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        done = await answer(wire, interaction, 4, {"content": "hello"})
        assert done.status == 200
        assert done.body["resource"]["message"]["content"] == "hello"
        assert done.body["interaction"]["response_message_id"] == str(interaction.original.id)


async def test_interaction_without_with_response_answers_204():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        done = await wire.call("POST", path, {"type": 4, "data": {"content": "x"}}, headers={})
        assert (done.status, done.body) == (204, None)


async def test_interaction_not_answered_in_three_seconds_fails_for_the_person():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, connected(server):
        place = server.person("alice").in_channel()
        waiting = asyncio.create_task(place.slash("silent"))
        await asyncio.sleep(0)
        clock.advance(2.9)
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.advance(0.2)
        assert (await waiting).failed == "The application did not respond"


async def test_interaction_answered_too_late_is_unknown():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        clock.advance(3.1)
        late = await answer(wire, interaction, 4, {"content": "late"})
        assert (late.status, late.code) == (404, 10062)
        assert server.messages() == []


async def test_interaction_answered_twice_is_refused():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 5)
        again = await answer(wire, interaction, 4, {"content": "again"})
        assert (again.status, again.code) == (400, 40060)


async def test_interaction_with_a_wrong_token_is_unknown():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        wrong = await wire.call("POST", f"/interactions/{interaction.id}/wrong/callback", {"type": 5}, headers={})
        assert wrong.code == 10062


async def test_interaction_refused_answer_may_be_given_again():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        assert (await answer(wire, interaction, 4, {"content": "x" * 2001})).code == 50035
        assert (await answer(wire, interaction, 4, {"content": "x"})).status == 200


@pytest.mark.parametrize(
    ("kind", "callback"),
    [
        (InteractionKind.COMMAND, 6),
        (InteractionKind.COMMAND, 7),
        (InteractionKind.COMMAND, 8),
        (InteractionKind.COMMAND, 1),
        (InteractionKind.AUTOCOMPLETE, 4),
        (InteractionKind.AUTOCOMPLETE, 5),
        (InteractionKind.MODAL_SUBMIT, 9),
        (InteractionKind.MODAL_SUBMIT, 7),
        (InteractionKind.COMPONENT, 8),
    ],
)
async def test_interaction_answer_that_does_not_fit_is_refused(kind, callback):
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server, kind)
        refused = await answer(wire, interaction, callback, {"content": "x", "choices": []})
        assert refused.complaint("type") == "BASE_TYPE_CHOICES"


async def test_interaction_deferred_answer_loads_until_it_is_edited():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        done = await answer(wire, interaction, 5, {"flags": EPHEMERAL})
        assert done.body["interaction"]["response_message_loading"]
        assert interaction.original.loading
        edited = await by_token(wire, interaction, "PATCH", "/messages/@original", {"content": "there"})
        assert edited.body["flags"] == EPHEMERAL
        assert not interaction.original.loading


async def test_interaction_first_followup_takes_the_place_of_the_loading_message():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 5, {"flags": EPHEMERAL})
        await by_token(wire, interaction, "POST", "", {"content": "first"})
        second = await by_token(wire, interaction, "POST", "", {"content": "second"})
        assert [(m.content, m.ephemeral) for m in server.messages()] == [("first", True), ("second", False)]
        assert second.body["id"] == str(interaction.followups[0].id)


async def test_interaction_followup_before_the_answer_is_refused():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        early = await by_token(wire, start(server), "POST", "", {"content": "early"})
        assert (early.status, early.code) == (404, 10015)


async def test_interaction_token_ends_after_fifteen_minutes():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 5)
        clock.advance(15 * 60 - 1)
        assert (await by_token(wire, interaction, "PATCH", "/messages/@original", {"content": "x"})).status == 200
        clock.advance(2)
        late = await by_token(wire, interaction, "POST", "", {"content": "late"})
        assert (late.status, late.code) == (401, 50027)


async def test_interaction_answer_can_be_read_and_deleted():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 4, {"content": "hello"})
        assert (await by_token(wire, interaction, "GET", "/messages/@original")).body["content"] == "hello"
        assert (await by_token(wire, interaction, "DELETE", "/messages/@original")).status == 204
        gone = await by_token(wire, interaction, "PATCH", "/messages/@original", {"content": "x"})
        assert (gone.status, gone.code) == (404, 10008)
        assert server.messages() == []


async def test_interaction_ephemeral_answer_is_out_of_reach_for_the_bot_token():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 4, {"content": "psst", "flags": EPHEMERAL})
        assert (await wire.edit(interaction.original.id, {"content": "x"})).code == 10008


async def test_interaction_token_of_another_application_is_unknown():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 5)
        assert (await wire.call("POST", f"/webhooks/1/{interaction.token}", {"content": "x"})).code == 10015


async def test_interaction_update_of_a_deleted_message_is_refused():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        posted = await wire.post({"content": "x", "components": []})
        source = server.world.messages[int(posted.body["id"])]
        interaction = start(server, InteractionKind.COMPONENT, {"custom_id": "a", "component_type": 2}, source=source)
        server.delete_message(source)
        assert (await answer(wire, interaction, 7, {"content": "y"})).code == 10008


async def test_interaction_in_a_deleted_channel_cannot_be_answered_with_a_message():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        server.delete_channel(server.channel)
        assert (await answer(wire, interaction, 4, {"content": "x"})).code == 10003


def text_field(**changes):
    return {"type": 18, "label": "Word", "component": {"type": 4, "custom_id": "w", "style": 1} | changes}


def modal(**changes):
    return {"custom_id": "m", "title": "Form", "components": [text_field()]} | changes


def labelled(component, **changes):
    return {"type": 18, "label": "L", "component": component} | changes


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (modal(title="x" * 46), "title"),
        (modal(title=""), "title"),
        (modal(custom_id="x" * 101), "custom_id"),
        (modal(components=[]), "components"),
        (modal(components=[text_field(custom_id=f"{n}") for n in range(6)]), "components"),
        (modal(components=[text_field(), text_field()]), "1/component/custom_id"),
        (modal(components=[text_field() | {"label": "x" * 46}]), "components/0/label"),
        (modal(components=[text_field() | {"description": "x" * 101}]), "components/0/description"),
        (modal(components=[text_field(max_length=4001)]), "components/0/component/max_length"),
        (modal(components=[text_field(max_length=5, value="123456")]), "components/0/component/value"),
        (modal(components=[text_field(placeholder="x" * 101)]), "components/0/component/placeholder"),
        (
            modal(components=[labelled({"type": 19, "custom_id": "f", "max_values": 11})]),
            "components/0/component/max_values",
        ),
        (
            modal(components=[labelled({"type": 21, "custom_id": "r", "options": [{"label": "a", "value": "a"}]})]),
            "components/0/component/options",
        ),
        (modal(components=[labelled({"type": 2, "custom_id": "b"})]), "components/0/component/type"),
        (modal(components=[{"type": 17, "components": []}]), "components/0/type"),
    ],
)
async def test_interaction_modal_over_the_limits_is_refused(data, path):
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        refused = await answer(wire, start(server), 9, data)
        assert (refused.status, refused.code) == (400, 50035)
        where = path if path.startswith("1/") else f"data/{path}"
        assert refused.complaint(where if where.startswith("data") else f"components/{where}")


@pytest.mark.parametrize(
    ("choices", "path"),
    [
        ([{"name": f"{n}", "value": f"{n}"} for n in range(26)], "data/choices"),
        ([{"name": "x" * 101, "value": "x"}], "data/choices/0/name"),
        ([{"name": "x", "value": "x" * 101}], "data/choices/0/value"),
    ],
)
async def test_interaction_suggestions_over_the_limits_are_refused(choices, path):
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        refused = await answer(wire, start(server, InteractionKind.AUTOCOMPLETE), 8, {"choices": choices})
        assert refused.complaint(path)


async def test_interaction_suggestions_that_never_come_fail_for_the_person():
    clock = ManualClock()
    async with running_playground(clock=clock) as server, connected(server) as bot:
        server.faults.hold(path="/interactions/*")
        waiting = asyncio.create_task(server.person("alice").in_channel().autocomplete("draw", option="prompt"))
        await asyncio.sleep(0)
        clock.advance(3)
        with pytest.raises(PersonError, match="Loading options failed"):
            await waiting
        assert bot.is_ready()


async def test_interaction_in_direct_messages_has_a_user_and_no_member():
    seen = []

    class Watching(PlainBot):
        async def on_interaction(self, interaction):
            seen.append((interaction.guild_id, interaction.user.name, interaction.context.dm_channel))

    async with running_playground() as server, connected(server, Watching()):
        assert (await server.person("alice").dm().slash("draft new", name="Rusty", kind="style")).text
        assert seen == [(None, "alice", True)]


async def test_interaction_names_the_permissions_of_bot_and_person():
    seen = []

    class Watching(PlainBot):
        async def on_interaction(self, interaction):
            seen.append((interaction.app_permissions.attach_files, interaction.permissions.manage_guild))

    async with running_playground() as server, connected(server, Watching()):
        await server.person("alice", manage_guild=True).in_channel().slash("show")
        server.deny_bot(Permission.ATTACH_FILES)
        await server.person("bob").in_channel().slash("show")
        assert seen == [(True, True), (False, False)]


async def test_interaction_refused_edit_leaves_the_message_loading():
    async with running_playground() as server, wired(server) as wire:
        await wire.gateway()
        interaction = start(server)
        await answer(wire, interaction, 5)
        gallery = {"type": 12, "items": [{"media": {"url": "attachment://gone.png"}}]}
        edit = {"flags": 1 << 15, "components": [gallery]}
        assert (await by_token(wire, interaction, "PATCH", "/messages/@original", edit)).status == 400
        assert interaction.original.loading
        assert not interaction.settled


async def test_interaction_ephemeral_answer_is_not_told_over_the_gateway():
    async with running_playground() as server, wired(server) as wire:
        ws = await wire.gateway(intents=1 << 9)
        for flags, text in ((EPHEMERAL, "psst"), (0, "loud")):
            await answer(wire, start(server), 4, {"content": text, "flags": flags})
        told = []
        while not told or told[-1][0] != "MESSAGE_CREATE":
            frame = await ws.receive_json(timeout=5)
            told.append((frame["t"], frame["d"].get("content")))
        assert told[-1] == ("MESSAGE_CREATE", "loud")
