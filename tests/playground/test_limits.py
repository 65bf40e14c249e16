import pytest

from tests.playground.wire import wired
from tests.playing import running_playground

MIB = 1024 * 1024
V2 = 1 << 15


def button(number=0, **changes):
    return {"type": 2, "style": 1, "label": "Go", "custom_id": f"go:{number}"} | changes


def row(*children):
    return {"type": 1, "components": list(children)}


def menu(**changes):
    return {"type": 3, "custom_id": "m", "options": [{"label": "a", "value": "a"}]} | changes


def text(content="x"):
    return {"type": 10, "content": content}


def options(count):
    return [{"label": f"o{n}", "value": f"{n}"} for n in range(count)]


def gallery(count, url="https://example.org/a.png"):
    return {"type": 12, "items": [{"media": {"url": url}} for _ in range(count)]}


LONG = "BASE_TYPE_MAX_LENGTH"
BAD = "BASE_TYPE_BAD_LENGTH"
NEEDED = "BASE_TYPE_REQUIRED"
CHOICES = "BASE_TYPE_CHOICES"
OLD = [
    ({"content": "x" * 2001}, "content", LONG),
    ({"content": "x", "nonce": "n" * 26}, "nonce", LONG),
    ({"embeds": [{"title": "x"}] * 11}, "embeds", LONG),
    ({"embeds": [{"title": "x" * 257}]}, "embeds/0/title", LONG),
    ({"embeds": [{"description": "x" * 4096}, {"description": "x" * 2000}]}, "embeds", "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds/0/fields", LONG),
    ({"components": [row(button(n)) for n in range(6)]}, "components", BAD),
    ({"components": [text()]}, "components/0/type", CHOICES),
    ({"components": [row(*(button(n) for n in range(6)))]}, "components/0/components", BAD),
    ({"components": [row()]}, "components/0/components", BAD),
    ({"components": [row(button(), menu())]}, "components/0/components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    (
        {"components": [row(button(), button())]},
        "components/0/components/1/custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    ({"components": [row(button(custom_id="x" * 101))]}, "components/0/components/0/custom_id", BAD),
    ({"components": [row(button(label="x" * 81))]}, "components/0/components/0/label", LONG),
    (
        {"components": [row({"type": 2, "style": 1, "custom_id": "a"})]},
        "components/0/components/0",
        "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED",
    ),
    (
        {"components": [row({"type": 2, "style": 1, "label": "a"})]},
        "components/0/components/0",
        "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
    ),
    ({"components": [row({"type": 2, "style": 5, "label": "a"})]}, "components/0/components/0/url", NEEDED),
    (
        {"components": [row(button(style=5, url="https://example.org"))]},
        "components/0/components/0",
        "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    ),
    ({"components": [row(menu(options=options(26)))]}, "components/0/components/0/options", BAD),
    ({"components": [row(menu(options=[]))]}, "components/0/components/0/options", BAD),
    ({"components": [row(menu(placeholder="x" * 151))]}, "components/0/components/0/placeholder", LONG),
    (
        {"components": [row(menu(options=options(1) * 2))]},
        "components/0/components/0/options/1/value",
        "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    (
        {"components": [row(menu(max_values=2))]},
        "components/0/components/0/max_values",
        "SELECT_COMPONENT_MAX_VALUES",
    ),
    ({"components": [row(menu(max_values=26))]}, "components/0/components/0/max_values", "NUMBER_TYPE_RANGE"),
]
NEW = [
    ({"content": "x", "components": [text()]}, "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
    ({"embeds": [{"title": "x"}]}, "embeds", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"),
    ({"components": [text() for _ in range(41)]}, "components", "COMPONENT_MAX_TOTAL_COMPONENTS"),
    ({"components": [text("x" * 2001)] * 2}, "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
    ({"components": [text("")]}, "components/0/content", NEEDED),
    ({"components": [gallery(11)]}, "components/0/items", BAD),
    ({"components": [gallery(0)]}, "components/0/items", BAD),
    (
        {"components": [gallery(1, "attachment://gone.png")]},
        "components/0/items/0/media/url",
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    ({"components": [{"type": 9, "components": [text()]}]}, "components/0/accessory", NEEDED),
    ({"components": [{"type": 9, "components": [text()] * 4, "accessory": button()}]}, "components/0/components", BAD),
    (
        {"components": [{"type": 9, "components": [text()], "accessory": text()}]},
        "components/0/accessory/type",
        CHOICES,
    ),
    ({"components": [{"type": 17, "components": []}]}, "components/0/components", BAD),
    (
        {"components": [{"type": 17, "components": [{"type": 17, "components": [text()]}]}]},
        "components/0/components/0/type",
        CHOICES,
    ),
    ({"components": [{"type": 14, "spacing": 3}]}, "components/0/spacing", "NUMBER_TYPE_RANGE"),
    ({"components": [{"type": 99}]}, "components/0/type", CHOICES),
    (
        {"components": [{"type": 13, "file": {"url": "https://example.org/a"}}]},
        "components/0/file/url",
        "UNFURLED_MEDIA_ITEM_ATTACHMENT_ONLY",
    ),
    (
        {"components": [{"type": 12, "items": [{"media": {"url": "https://a.b/c"}, "description": "x" * 1025}]}]},
        "components/0/items/0/description",
        LONG,
    ),
    (
        {"components": [{"type": 17, "accent_color": 1 << 24, "components": [text()]}]},
        "components/0/accent_color",
        "NUMBER_TYPE_RANGE",
    ),
]


@pytest.mark.parametrize(
    ("payload", "path", "code"), [*OLD, *(({"flags": V2} | p, path, code) for p, path, code in NEW)]
)
async def test_limits_refuse_a_message(payload, path, code):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.post(payload)
        assert (answer.status, answer.code) == (400, 50035)
        assert answer.complaint(path) == code
        assert server.messages() == []


@pytest.mark.parametrize(
    "payload",
    [
        {"content": "x" * 2000},
        {"components": [row(*(button(n) for n in range(5))), row(button(9, label="x" * 80))]},
        {"components": [row(menu(options=options(25), max_values=25))]},
        {"flags": V2, "components": [text("x" * 2000), text("y" * 2000)]},
        {"flags": V2, "components": [{"type": 17, "components": [text() for _ in range(39)]}]},
        {"flags": V2, "components": [gallery(10)]},
        {"flags": V2, "components": [{"type": 9, "components": [text()], "accessory": button(custom_id="x" * 100)}]},
    ],
)
async def test_limits_let_pass_what_is_just_allowed(payload):
    async with running_playground() as server, wired(server) as wire:
        assert (await wire.post(payload)).status == 200
        assert len(server.messages()) == 1


@pytest.mark.parametrize("payload", [{}, {"content": ""}, {"embeds": []}, {"flags": V2, "components": []}])
async def test_limits_refuse_an_empty_message(payload):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.post(payload)
        assert (answer.status, answer.code) == (400, 50006)


async def test_limits_refuse_more_than_ten_files():
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.post({}, files=[(f"{n}.png", b"x") for n in range(11)])
        assert answer.complaint("attachments") == LONG


@pytest.mark.parametrize("sizes", [[10 * MIB + 1], [9 * MIB] * 3])
async def test_limits_refuse_too_many_bytes(sizes):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.post({}, files=[(f"{n}.bin", bytes(size)) for n, size in enumerate(sizes)])
        assert (answer.status, answer.code) == (413, 40005)


async def test_limits_refuse_an_eleventh_file_by_edit():
    async with running_playground(told=False) as server, wired(server) as wire:
        posted = await wire.post({}, files=[(f"{n}.png", b"x") for n in range(10)])
        answer = await wire.edit(posted.body["id"], {}, files=[("more.png", b"x")])
        assert answer.complaint("attachments") == LONG
        assert len(server.messages()[0].attachments) == 10


async def test_limits_v2_cannot_be_taken_back():
    async with running_playground() as server, wired(server) as wire:
        posted = await wire.post({"flags": V2, "components": [text()]})
        answer = await wire.edit(posted.body["id"], {"content": "old", "flags": 0})
        assert answer.complaint("content") == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


async def test_limits_upgrade_to_v2_needs_the_content_emptied():
    async with running_playground() as server, wired(server) as wire:
        posted = await wire.post({"content": "old"})
        refused = await wire.edit(posted.body["id"], {"flags": V2, "components": [text()]})
        assert refused.complaint("content") == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
        done = await wire.edit(posted.body["id"], {"flags": V2, "components": [text("new")], "content": None})
        assert (done.status, done.body["content"]) == (200, "")


async def test_limits_refused_edit_changes_nothing():
    async with running_playground() as server, wired(server) as wire:
        posted = await wire.post({"flags": V2, "components": [text("before")]})
        answer = await wire.edit(
            posted.body["id"], {"components": [text("after"), gallery(1, "attachment://gone.png")]}
        )
        assert answer.status == 400
        message = server.messages()[0]
        assert message.components[0]["content"] == "before"
        assert len(message.versions) == 1


def command(**changes):
    return {"name": "draw", "description": "Draw", "type": 1} | changes


def option(**changes):
    return {"name": "prompt", "description": "Words", "type": 3} | changes


@pytest.mark.parametrize(
    ("commands", "path", "code"),
    [
        ([command(name="Draw")], "0/name", "APPLICATION_COMMAND_INVALID_NAME"),
        ([command(name="x" * 33)], "0/name", "APPLICATION_COMMAND_INVALID_NAME"),
        ([command(description="x" * 101)], "0/description", BAD),
        ([command(description="")], "0/description", NEEDED),
        ([command(options=[option(name=f"o{n}") for n in range(26)])], "0/options", LONG),
        ([command(options=[option(), option()])], "0/options", "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE"),
        (
            [command(options=[option(), option(name="b", required=True)])],
            "0/options/1",
            "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
        ),
        (
            [command(options=[option(choices=[{"name": f"{n}", "value": f"{n}"} for n in range(26)])])],
            "0/options/0/choices",
            LONG,
        ),
        (
            [command(options=[option(choices=[{"name": "a", "value": "a"}], autocomplete=True)])],
            "0/options/0",
            "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES",
        ),
        (
            [
                command(
                    options=[
                        option(name=f"o{n}", choices=[{"name": "n" * 100, "value": "v" * 100}] * 4) for n in range(11)
                    ]
                )
            ],
            "0",
            "APPLICATION_COMMAND_TOO_LARGE",
        ),
    ],
)
async def test_limits_refuse_commands(commands, path, code):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.call("PUT", f"/applications/{server.world.bot.id}/commands", commands)
        assert (answer.status, answer.code) == (400, 50035)
        assert answer.complaint(path) == code
        assert server.commands() == []


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        ([command(), command()], "APPLICATION_COMMANDS_DUPLICATE_NAME"),
        ([command(name=f"c{n}") for n in range(101)], "APPLICATION_COMMANDS_MAX"),
        ([{"name": f"Menu {n}", "type": 3} for n in range(16)], "APPLICATION_COMMANDS_MAX"),
    ],
)
async def test_limits_refuse_a_set_of_commands(commands, code):
    async with running_playground() as server, wired(server) as wire:
        answer = await wire.call("PUT", f"/applications/{server.world.bot.id}/commands", commands)
        assert answer.body["errors"]["_errors"][0]["code"] == code
