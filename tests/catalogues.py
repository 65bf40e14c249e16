"""What the bot says, found in its code and its commands, and the catalogues brought up to it.

`python -m tests.catalogues` adds to each `bot/locale/*.po` what is new and drops what is no longer said; a new language
begins with `python -m tests.catalogues LANGUAGE`.
"""

import ast
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from bot.texts import CATALOGUES
from tests.test_architecture import bot_with_cogs, commands_of
from tests.worded import said_by_adapters

ROOT = Path(__file__).resolve().parents[1]
#: gettext's own, and how many of their arguments are sentences.
KEYWORDS = {"_": 1, "N_": 1, "ngettext": 2}
HEAD = """\
# What Darkroom says. `python -m tests.catalogues` adds what is new; CONTRIBUTING.md tells how to translate.
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def said_in_code() -> Iterator[tuple[str | tuple[str, ...], str]]:
    """Yield each sentence, or its two forms, with the file that says it.

    Babel's own extractor reads tokens, and up to Python 3.11 an f-string is a single one: what it holds is not found.
    """
    for folder in ("bot", "cogs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for said in _said(ast.parse(path.read_text(encoding="utf-8"))):
                yield said, path.relative_to(ROOT).as_posix()
    yield from said_by_adapters()


def _said(module: ast.Module) -> Iterator[str | tuple[str, ...]]:
    for call in ast.walk(module):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in KEYWORDS):
            continue
        forms = [one.value for one in call.args[: KEYWORDS[call.func.id]] if isinstance(one, ast.Constant)]
        if forms:
            yield forms[0] if len(forms) == 1 else tuple(forms)


async def said_by_commands() -> set[str]:
    """Return what Discord shows about the commands: descriptions, and the names of choices."""
    with tempfile.TemporaryDirectory() as folder:
        async with bot_with_cogs(Path(folder) / "data") as bot:
            described = commands_of(bot)
    return {text for command in described for text in _texts(command)}


def _texts(command: Any) -> Iterator[str]:
    if command.get("description"):
        yield command["description"]
    for choice in command.get("choices") or ():
        yield choice["name"]
    for option in command.get("options") or ():
        yield from _texts(option)


async def everything_said() -> Catalog:
    """Return a catalogue of all that the bot says, without translations."""
    catalog = Catalog(project="darkroom", fuzzy=False)
    for message, file in said_in_code():
        catalog.add(message, locations=[(file, None)])
    for text in sorted(await said_by_commands()):
        catalog.add(text, locations=[("commands", None)])
    return catalog


def write(catalog: Catalog, path: Path) -> None:
    """Write a catalogue; one that says the same is the same file, so it has no dates in its head."""
    with path.open("wb") as file:
        file.write(HEAD.format(language=catalog.locale, plurals=catalog.plural_forms).encode())
        write_po(
            file, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False, omit_header=True
        )


async def main() -> None:
    template = await everything_said()
    CATALOGUES.mkdir(exist_ok=True)
    for language in {*sys.argv[1:], *(path.stem for path in CATALOGUES.glob("*.po"))}:
        path = CATALOGUES / f"{language}.po"
        catalog = Catalog(locale=language, project="darkroom", fuzzy=False)
        if path.exists():
            with path.open("rb") as file:
                catalog = read_po(file, locale=language)
        catalog.update(template, no_fuzzy_matching=True)
        write(catalog, path)
        missing = [m.id for m in catalog if m.id and not (all(m.string) if m.pluralizable else m.string)]
        print(f"{path.name}: {len(catalog)} sentences, {len(missing)} not translated")  # noqa: T201 - its answer


if __name__ == "__main__":
    asyncio.run(main())
