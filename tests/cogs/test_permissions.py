"""Every command × role × place, really played; `python -m tests.permissions` prints the table."""

import pytest
import pytest_asyncio

from tests import permissions
from tests.test_architecture import CHAT_INPUT, bot_with_cogs, commands_of


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(trained_folder, tmp_path_factory):
    async with permissions.town(trained_folder, tmp_path_factory.mktemp("town") / "data") as town:
        return await permissions.played(town)


@pytest.mark.parametrize("name", permissions.expected())
def test_command_lets_in_just_who_may_use_it_there(found, name):
    assert found[name] == permissions.expected()[name]


async def test_table_has_every_command(tmp_path):
    async with bot_with_cogs(tmp_path / "data") as bot:
        commands = commands_of(bot)
    real = set()
    for command in commands:
        below = [option["name"] for option in command.get("options") or () if option["type"] in (1, 2)]
        if command["type"] != CHAT_INPUT:
            real.add(f"Apps: {command['name']}")
        else:
            real |= {f"/{command['name']} {name}" for name in below} or {f"/{command['name']}"}
    tried = {f"/{one.command}" for one in permissions.TRIES}
    tried |= {f"/{command}" for command in [*permissions.ON_ONESELF, *permissions.FORMS]}
    assert tried | {f"Apps: {menu}" for menu in permissions.MENUS} == real


def test_table_is_printed_a_line_a_command():
    printed = permissions.table(permissions.expected()).splitlines()
    assert len(printed) == len(permissions.expected()) + 2
    assert printed[2].startswith("/draft new")
