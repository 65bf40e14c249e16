"""The house as the code keeps it: what may import what, and what every module, command and error owes its reader."""

import ast
import functools
import importlib
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from importlib.metadata import packages_distributions
from pathlib import Path

import discord
import pytest

import cogs
from bot.app import opened_services
from bot.client import DarkroomBot
from bot.errors import BotError
from bot.settings import Settings
from providers.errors import ProviderError

ROOT = Path(__file__).resolve().parents[1]
OWN = ("cogs", "bot", "providers", "playground")
MIGRATIONS = "bot/store/migrations/"

#: Who may import whom, inside the project.
MAY_IMPORT = {
    "cogs": {"cogs", "bot", "providers"},
    "bot": {"bot", "providers"},
    "providers": {"providers"},
    "playground": {"playground"},
}
#: The one module that puts a playground and the bot together.
MEETING_PLACE = "bot/demo.py"

#: Libraries that stay where they belong.
PLACES = {
    "discord": ("cogs/*", "bot/client.py"),
    # bot/ground.py opens the session that bot/downloads.py uses; two cogs know what a broken connection raises.
    "aiohttp": (
        "playground/*",
        "providers/*",
        "bot/ground.py",
        "bot/adapters.py",
        "bot/demo.py",
        "bot/doctor.py",
        "bot/downloads.py",
        "bot/web/*",
        "cogs/answer_calls.py",
        "cogs/status.py",
    ),
    "sqlalchemy": ("bot/store/*", "bot/*"),
    "alembic": ("bot/store/*",),
    "babel": ("bot/texts.py",),
    "aiosqlite": ("bot/store/database.py",),
    "obstore": ("bot/blobs.py", "providers/gpu/mailbox.py"),
    "pydantic_settings": ("bot/settings.py", "bot/demo.py"),
    "pillow_heif": ("bot/photo_workers.py",),
    "rich": ("bot/demo.py", "playground/demo.py"),
    "safetensors": ("providers/*", "playground/replicate_goods.py"),
    "numpy": (
        "bot/photo*.py",
        "providers/sketch/*",
        "playground/canvas.py",
        "playground/fox.py",
        "playground/replicate_goods.py",
        "playground/sample_photos.py",
    ),
    "PIL": (
        "bot/photo*.py",
        "bot/contact_sheet.py",
        "bot/loss_curve.py",
        "bot/usage_chart.py",
        "bot/sheet_picture.py",
        "providers/image_files.py",
        "providers/*/image_maker.py",
        "providers/sketch/pictures.py",
        "playground/canvas.py",
        "playground/fox.py",
        "playground/replicate_goods.py",
        "playground/sample_photos.py",
    ),
}
#: All that code outside bot/store may take from SQLAlchemy: an open connection to hand on, and what its use raises.
CONNECTION_ONLY = {"AsyncConnection", "IntegrityError", "SQLAlchemyError"}

#: Imported without being named in pyproject.toml, with the reason.
COMES_ALONG = {
    "yarl": "the type of aiohttp's addresses, in discord.py's own signatures",
    "httpx": "the transport of the replicate and together packages, in their own signatures",
}
#: Named in pyproject.toml without being imported, with the reason.
NOT_IMPORTED: dict[str, str] = {}

VAGUE = {"utils", "util", "helpers", "helper", "managers", "manager", "constants", "misc", "common"}
LONGEST_MODULE = 450
LONGEST_FUNCTION = 60
LONGEST_DESCRIPTION = 100


def sources(*folders):
    paths = [path for folder in folders or OWN for path in sorted((ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


SOURCES = sources()


@functools.cache
def tree(text):
    return ast.parse(text)


@functools.cache
def imports(text):
    """Return (module, name) for everything imported anywhere in a module; `from . import x` as ('.', 'x')."""
    found = set()
    for node in ast.walk(tree(text)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {("." * node.level + (node.module or ""), alias.name) for alias in node.names}
    return found


def top(module):
    return module.split(".")[0]


def functions(text):
    return [node for node in ast.walk(tree(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_house_is_where_this_test_looks():
    assert {path.split("/")[0] for path in SOURCES} == set(OWN)
    assert len(SOURCES) > 100


def test_imports_run_one_way():
    wrong = [
        f"{path} imports {module}"
        for path, text in SOURCES.items()
        for module, _ in imports(text)
        if top(module) in {*OWN, "tests", "benchmarks"}
        and top(module) not in MAY_IMPORT[path.split("/")[0]]
        and (path, top(module)) != (MEETING_PLACE, "playground")
    ]
    assert wrong == []


def test_imports_are_absolute():
    assert [path for path, text in SOURCES.items() if any(module.startswith(".") for module, _ in imports(text))] == []


@pytest.mark.parametrize("library", PLACES)
def test_libraries_stay_where_they_belong(library):
    users = [path for path, text in SOURCES.items() if library in {top(module) for module, _ in imports(text)}]
    assert [path for path in users if not any(fnmatch(path, place) for place in PLACES[library])] == []


def test_outside_the_store_nobody_speaks_sql():
    wrong = [
        f"{path} takes {name or module} from SQLAlchemy"
        for path, text in SOURCES.items()
        if not path.startswith("bot/store/")
        for module, name in imports(text)
        if top(module) == "sqlalchemy" and name not in CONNECTION_ONLY
    ]
    assert wrong == []


def test_bot_side_of_sketch_loads_neither_numpy_nor_pillow():
    told = (
        "import sys, providers.sketch.trainer, providers.sketch.image_maker; print({'numpy', 'PIL'} & {*sys.modules})"
    )
    process = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "set()"


def declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in project["dependencies"]}


def imported_distributions():
    """Return the distributions that the four packages import, each by the names it goes by."""
    modules = {top(module) for text in SOURCES.values() for module, _ in imports(text)} - set(OWN) - {""}
    foreign = modules - sys.stdlib_module_names - set(COMES_ALONG)
    known = packages_distributions()
    return {module: {name.lower().replace("_", "-") for name in known.get(module, [module])} for module in foreign}


def test_dependencies_are_all_declared():
    assert {module: names for module, names in imported_distributions().items() if not names & declared()} == {}


def test_dependencies_are_all_used():
    used = set().union(*imported_distributions().values())
    assert declared() - used - set(NOT_IMPORTED) == set()


def test_modules_have_a_docstring_of_their_own():
    docstrings = {path: ast.get_docstring(tree(text)) for path, text in SOURCES.items()}
    assert [path for path, text in docstrings.items() if not text] == []
    assert [text for text, count in Counter(docstrings.values()).items() if count > 1] == []


def test_modules_are_named_for_what_they_own():
    assert [path for path in SOURCES if VAGUE & set(Path(path).with_suffix("").parts)] == []


def test_modules_are_short_enough_to_read():
    lengths = {path: text.count("\n") for path, text in SOURCES.items()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_functions_are_short_enough_to_read():
    long = {
        f"{path}: {function.name}": function.end_lineno - function.lineno + 1
        for path, text in SOURCES.items()
        # A migration is one long list and is never changed once it is out.
        if not path.startswith(MIGRATIONS)
        for function in functions(text)
        if function.end_lineno - function.lineno + 1 > LONGEST_FUNCTION
    }
    assert long == {}


def comments(text):
    return [
        (token.start[0], token.string)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type is tokenize.COMMENT
    ]


def test_exceptions_from_the_rules_have_a_code_and_a_reason():
    form = re.compile(
        r"# (ruff: )?noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*( - \S.{4,})?|# type: ignore\[[a-z-, ]+\]( {1,2}# \S.{4,})?"
    )
    bare = []
    for path, text in sources(*OWN, "tests", "benchmarks").items():
        said = dict(comments(text))
        for line, comment in said.items():
            found = form.fullmatch(comment)
            if re.match(r"# (ruff: )?noqa|# type: ?ignore", comment) and not (
                # The reason stands behind the code, or in a comment on the line above.
                found and (found[3] or found[4] or line - 1 in said)
            ):
                bare.append(f"{path}:{line}: {comment}")
    assert bare == []


def drawn_tree(docstring):
    """Return the classes of the tree in a docstring, each with its depth."""
    rows = [re.match(r"(    [│├└─ ]*)(\w+)( |$)", line) for line in docstring.splitlines()]
    return {row[2]: len(row[1]) // 4 - 1 for row in rows if row}


def real_tree(error, depth=0):
    tree = {error.__name__: depth}
    for child in error.__subclasses__():
        # One with an underscore stays inside its module, where its kind is all that matters to others.
        if not child.__name__.startswith("_"):
            tree |= real_tree(child, depth + 1)
    return tree


def without_tests(error):
    for child in error.__subclasses__():
        if child.__module__.startswith("tests."):
            pytest.fail(f"{child} belongs to a test and hides in the tree")
        without_tests(child)


@pytest.mark.parametrize(("error", "package"), [(BotError, "bot"), (ProviderError, "providers")])
def test_errors_are_drawn_in_their_tree(error, package):
    for path in SOURCES:
        if path.startswith(f"{package}/") and not path.startswith(MIGRATIONS) and not path.endswith("__main__.py"):
            importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    without_tests(error)
    assert drawn_tree(importlib.import_module(f"{package}.errors").__doc__) == real_tree(error)


OWNER_GUILD = discord.Object(1)


def commands_of(bot):
    """Return what the bot tells Discord of its commands, those of the owner's server too."""
    found = [*bot.tree.get_commands(), *bot.tree.get_commands(guild=OWNER_GUILD)]
    return [command.to_dict(bot.tree) for command in found]


@asynccontextmanager
async def bot_with_cogs(folder):
    settings = Settings(_env_file=None, darkroom_data_dir=folder, darkroom_owner_guild=OWNER_GUILD.id)
    async with opened_services(settings) as services, DarkroomBot(services) as bot:
        await cogs.setup(bot)
        yield bot


@pytest.fixture
async def told(tmp_path):
    """Return what the bot would tell Discord of its commands."""
    async with bot_with_cogs(tmp_path / "data") as bot:
        return commands_of(bot)


CHAT_INPUT, SUBCOMMAND_GROUP = 1, 2


def described(command, before=""):
    """Return a command and all below it, options included, as (full name, its payload)."""
    name = f"{before} {command['name']}".strip()
    return [(name, command), *(found for option in command.get("options", []) for found in described(option, name))]


def test_commands_and_options_are_described_in_100_characters(told):
    spoken = [found for command in told if command["type"] == CHAT_INPUT for found in described(command)]
    assert len(spoken) > 20
    assert [name for name, payload in spoken if not 0 < len(payload["description"]) <= LONGEST_DESCRIPTION] == []


def test_commands_have_names_of_their_own(told):
    names = Counter((command["type"], name) for command in told for name, _ in described(command))
    assert [name for name, count in names.items() if count > 1] == []


def drawn_controls():
    """Return the verbs of all buttons, menus and forms that cogs/ draws, as (what comes back, verb)."""
    comes_back = {
        "button": "press",
        "menu": "choice",
        "people_menu": "choice",
        "role_menu": "choice",
        "channel_menu": "choice",
        "Form": "form",
    }
    return {
        (comes_back[node.func.id], node.args[0].value)
        for path, text in SOURCES.items()
        if path.startswith("cogs/")
        for node in ast.walk(tree(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in comes_back
        if node.args and isinstance(node.args[0], ast.Constant)
    }


async def test_controls_all_have_somebody_who_handles_them(tmp_path):
    async with bot_with_cogs(tmp_path / "data") as bot:
        handled = {mark for cog in bot.cogs.values() if hasattr(cog, "handlers") for mark in cog.handlers()}
    assert len(drawn_controls()) > 15
    assert drawn_controls() - handled == set()


async def test_client_asks_for_no_privileged_intent_and_no_mentions(tmp_path):
    async with bot_with_cogs(tmp_path / "data") as bot:
        intents, mentions = bot.intents, bot.allowed_mentions
    assert (intents.members, intents.presences, intents.message_content) == (False, False, False)
    assert mentions.to_dict() == {"parse": []}
