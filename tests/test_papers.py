"""The papers are held to the code where a machine can do it: commands, dependencies, deviations, links."""

import re
import tomllib
from pathlib import Path

import pytest

from providers.prices import PRICES
from tests.openapi import DEVIATIONS
from tests.test_architecture import CHAT_INPUT, SOURCES, bot_with_cogs, commands_of

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PAPERS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "docs/architecture.md",
        "docs/providers.md",
        "docs/servers.md",
        "docs/adding-a-provider.md",
        "docs/features.md",
    )
]


def rows(paper):
    """Return the first cells of all tables."""
    return [line.split("|")[1].strip() for line in paper.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("command", ["pip install uv && uv run darkroom demo", "pip install uv && uv run pytest"])
def test_readme_has_each_command_in_a_block_of_its_own(command):
    assert f"\n```\n{command}\n```\n" in README


async def test_readme_lists_every_command(tmp_path):
    async with bot_with_cogs(tmp_path / "data") as bot:
        commands = commands_of(bot)
    real = set()
    for command in commands:
        if command["type"] != CHAT_INPUT:
            real.add(f"Apps → {command['name']}")
            continue
        below = [option["name"] for option in command["options"] if option["type"] in (1, 2)]
        real |= {f"/{command['name']} {name}" for name in below} or {f"/{command['name']}"}
    listed = set()
    for cell in rows(README):
        first, *others = re.findall(r"`([^`]+)`", cell) or [cell.strip("*")]
        listed |= {first} | {f"{first.split()[0]} {other}" for other in others}
    assert listed - {"command"} == real


def test_architecture_has_a_line_for_every_dependency():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = [
        *pyproject["project"]["dependencies"],
        *(d for group in pyproject["dependency-groups"].values() for d in group),
    ]
    names = {re.match(r"[\w.-]+", line)[0] for line in lines}
    table = ARCHITECTURE.split("## Dependencies")[1].split("##")[0]
    assert set(rows(table)) - {"package"} == names


def test_architecture_gives_the_reason_of_every_deviation():
    assert why_cells(ARCHITECTURE.split("`DEVIATIONS`")[1]) == [reason for _side, _where, reason in DEVIATIONS]


def why_cells(table):
    cells = [line.split("|")[3].strip() for line in table.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell != "why"]


def test_architecture_names_every_package():
    packages = {Path(path).parent.as_posix() for path in SOURCES if path.endswith("/__init__.py")}
    assert len(packages) > 8
    assert [name for name in packages - {"bot", "providers"} if f"`{name}/`" not in ARCHITECTURE] == []


def test_providers_page_has_today_s_prices():
    page = (ROOT / "docs" / "providers.md").read_text()
    assert [
        name for name, p in PRICES.items() if f"| `{name}` | {p.usd:g} per {p.unit} | {p.as_of} |" not in page
    ] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: path.name)
def test_papers_link_to_what_is_there(paper):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", paper.read_text())
    assert [link for link in links if not (paper.parent / link).exists()] == []


def test_features_name_tests_that_there_are():
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "features.md").read_text())
    assert len(named) > 50
    assert [f"{path}::{test}" for path, test in named if f"def {test}(" not in (ROOT / path).read_text()] == []


def test_features_give_a_test_or_a_reason_in_each_row():
    lines = [line for line in (ROOT / "docs" / "features.md").read_text().splitlines() if line.startswith("| ")]
    rows_ = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if not line.startswith("| feature")
    ]
    lacking = [row[0] for row in rows_ if row[2] != "no" and "::test_" not in row[3]]
    assert lacking == []
    assert [row[0] for row in rows_ if row[2] == "no" and len(row[3]) < 20] == []
