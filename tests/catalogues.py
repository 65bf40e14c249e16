"""What the bot says, found in its code and its commands, and the catalogues brought up to it.

`python -m tests.catalogues` adds to each `bot/locale/*.po` what is new and drops what is no longer said; a new language
begins with `python -m tests.catalogues LANGUAGE`.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from bot.texts import CATALOGUES
from tests.test_architecture import bot_with_cogs, commands_of

ROOT = Path(__file__).resolve().parents[1]
#: gettext's own, and which of their arguments are sentences.
KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "ngettext": (1, 2)}


def said_in_code() -> Iterator[tuple[Any, str]]:
    """Yield each sentence, or its two forms, with the file that says it."""
    for folder in ("bot", "cogs"):
        found = extract_from_dir(ROOT / folder, method_map=[("**.py", "python")], keywords=KEYWORDS)
        for file, _line, message, _comments, _context in found:
            yield message, f"{folder}/{file}"


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
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, ignore_obsolete=True, include_lineno=False)


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
