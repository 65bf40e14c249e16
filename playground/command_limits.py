"""What Discord allows in application commands.

Source: https://docs.discord.com/developers/interactions/application-commands
"""

import re
from collections import Counter
from typing import Any

from playground.errors import FormErrors

Json = dict[str, Any]
Path = tuple[str | int, ...]
_NAME = re.compile(r"[-_'\w]{1,32}")
_MOST = {1: 100, 2: 15, 3: 15}  # chat input, user menu, message menu
_MAX_CHARACTERS = 8000
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2


def check_commands(commands: list[Json]) -> None:
    """Refuse a set of commands that Discord would refuse.

    Raises:
        ApiError: 50035.
    """
    found = FormErrors()
    kinds = Counter(command.get("type") or 1 for command in commands)
    for kind, most in _MOST.items():
        if kinds[kind] > most:
            found.add((), "APPLICATION_COMMANDS_MAX", f"Maximum number of application commands reached ({most}).")
    for key, count in Counter((c.get("type") or 1, c.get("name")) for c in commands).items():
        if count > 1:
            found.add((), "APPLICATION_COMMANDS_DUPLICATE_NAME", f"Application command names must be unique: {key[1]}.")
    for index, command in enumerate(commands):
        _check_command(command, (index,), found)
    found.refuse()


def _check_command(command: Json, path: Path, found: FormErrors) -> None:
    if (command.get("type") or 1) != 1:
        found.length((*path, "name"), command.get("name"), 1, 32)
        return
    _check_name(command, path, found)
    _check_options(command.get("options") or [], path, found, depth=0)
    if _characters(command) > _MAX_CHARACTERS:
        wording = f"Combined length of the command must be {_MAX_CHARACTERS} or fewer."
        found.add(path, "APPLICATION_COMMAND_TOO_LARGE", wording)


def _check_name(node: Json, path: Path, found: FormErrors) -> None:
    name = str(node.get("name", ""))
    if not _NAME.fullmatch(name) or name != name.lower():
        found.add((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    found.length((*path, "description"), node.get("description"), 1, 100)


def _check_options(options: list[Json], path: Path, found: FormErrors, *, depth: int) -> None:
    where = (*path, "options")
    if len(options) > 25:
        found.add(where, "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    optional_seen = False
    for index, option in enumerate(options):
        here = (*where, index)
        _check_name(option, here, found)
        kind = option.get("type")
        if kind in (SUBCOMMAND, SUBCOMMAND_GROUP):
            if depth > 1 or (kind == SUBCOMMAND_GROUP and depth > 0):
                found.add(here, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command option type invalid")
            _check_options(option.get("options") or [], here, found, depth=depth + 1)
            continue
        required = bool(option.get("required"))
        if required and optional_seen:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            found.add(here, code, "Required options must be placed before non-required options")
        optional_seen = optional_seen or not required
        _check_choices(option, here, found)
    for name, count in Counter(option.get("name") for option in options).items():
        if count > 1:
            found.add(where, "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATE", f"Option name is used twice: {name}")


def _check_choices(option: Json, path: Path, found: FormErrors) -> None:
    choices = option.get("choices") or []
    if len(choices) > 25:
        found.add((*path, "choices"), "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    if choices and option.get("autocomplete"):
        code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES"
        found.add(path, code, "Choices and autocomplete exclude each other.")
    for index, choice in enumerate(choices):
        found.length((*path, "choices", index, "name"), choice.get("name"), 1, 100)
        if isinstance(choice.get("value"), str):
            found.length((*path, "choices", index, "value"), choice["value"], 1, 100)


def _characters(node: Json) -> int:
    """Count the names, descriptions and values that share the limit of 8000."""
    own = len(str(node.get("name") or "")) + len(str(node.get("description") or ""))
    values = sum(len(str(c.get("name", ""))) + len(str(c.get("value", ""))) for c in node.get("choices") or [])
    return own + values + sum(_characters(option) for option in node.get("options") or [])
