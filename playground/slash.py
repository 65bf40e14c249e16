"""A slash command as a person types it: finding it, and what the client checks in its options before it sends it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playground.errors import PersonError
from playground.seen import Upload

Json = dict[str, Any]
SUBCOMMAND, SUBCOMMAND_GROUP = 1, 2
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 8, 9, 10, 11


@dataclass(frozen=True, kw_only=True)
class Typed:
    """Hold a command with the names of its subcommands and the options that the last of them takes."""

    command: Json
    steps: tuple[Json, ...]
    options: tuple[Json, ...]

    def data(self, values: list[Json], resolved: Json) -> Json:
        """Give the data of the interaction."""
        options = values
        for step in reversed(self.steps):
            options = [{"type": step["type"], "name": step["name"], "options": options}]
        data: Json = {"id": self.command["id"], "name": self.command["name"], "type": 1, "options": options}
        if "guild_id" in self.command:
            data["guild_id"] = self.command["guild_id"]
        return data | ({"resolved": resolved} if resolved else {})


def find_command(commands: list[Json], words: str) -> Typed:
    """Find a command by its name and those of its subcommands, with spaces between.

    Raises:
        PersonError: There is none, or the words stop short of a subcommand.
    """
    names = words.split()
    here = [c for c in commands if c["type"] == 1 and c["name"] == names[0]]
    if not here:
        known = ", ".join(sorted("/" + c["name"] for c in commands if c["type"] == 1)) or "none"
        raise PersonError(f"there is no command /{names[0]}; there are: {known}")
    node, steps = here[0], []
    for name in names[1:]:
        inner = [
            o for o in node.get("options", []) if o["name"] == name and o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP)
        ]
        if not inner:
            raise PersonError(f"/{words}: there is no subcommand {name!r}")
        node = inner[0]
        steps.append(node)
    options = node.get("options", [])
    if any(o["type"] in (SUBCOMMAND, SUBCOMMAND_GROUP) for o in options):
        raise PersonError(f"/{words}: choose one of {[o['name'] for o in options]}")
    return Typed(command=here[0], steps=tuple(steps), options=tuple(options))


@dataclass(kw_only=True)
class Filled:
    """Collect the values of the options and what they refer to.

    `store` puts a file on the CDN; `describe` gives the resolved part for a person, role or channel.
    """

    store: Callable[[Upload], Json]
    describe: Callable[[Any], dict[str, tuple[str, Json]]]
    values: list[Json] = field(default_factory=list)
    resolved: Json = field(default_factory=dict)

    def add(self, option: Json, value: Any, *, focused: bool = False) -> None:
        """Take one option as the person typed it.

        Raises:
            PersonError: The client would refuse the value.
        """
        entry: Json = {"name": option["name"], "type": option["type"]}
        if focused:
            self.values.append(entry | {"value": str(value), "focused": True})
        else:
            self.values.append(entry | {"value": self._checked(option, value)})

    def _checked(self, option: Json, value: Any) -> Any:
        kind, name = option["type"], option["name"]
        if kind == ATTACHMENT:
            if not isinstance(value, Upload):
                raise PersonError(f"{name} takes a file, not {value!r}")
            shown = self.store(value)
            self.resolved.setdefault("attachments", {})[shown["id"]] = shown
            return shown["id"]
        if kind in (USER, CHANNEL, ROLE, MENTIONABLE):
            return self._refer(option, value)
        fits = {STRING: isinstance(value, str), BOOLEAN: isinstance(value, bool)}
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        fits |= {INTEGER: number and isinstance(value, int), NUMBER: number}
        if not fits[kind]:
            words = {STRING: "text", INTEGER: "a whole number", BOOLEAN: "True or False", NUMBER: "a number"}
            raise PersonError(f"{name} takes {words[kind]}, not {value!r}")
        return self._within(option, self._chosen(option, value))

    def _chosen(self, option: Json, value: Any) -> Any:
        choices = option.get("choices")
        if not choices:
            return value
        for choice in choices:
            if value in (choice["value"], choice["name"]):
                return choice["value"]
        raise PersonError(f"{option['name']} does not offer {value!r}; it offers {[c['value'] for c in choices]}")

    def _within(self, option: Json, value: Any) -> Any:
        measured, unit = (len(value), " characters") if isinstance(value, str) else (value, "")
        low, high = (option.get("min_length", 0), option.get("max_length", 6000)) if unit else _range(option)
        if isinstance(value, bool):
            return value
        if (low is not None and measured < low) or (high is not None and measured > high):
            raise PersonError(f"{option['name']} takes {low} to {high}{unit}, not {measured}")
        if unit and option.get("required") and not value:
            raise PersonError(f"{option['name']} must be filled in")
        return value

    def _refer(self, option: Json, value: Any) -> str:
        parts = self.describe(value)
        wanted = {USER: "users", CHANNEL: "channels", ROLE: "roles"}.get(option["type"])
        if not parts or (wanted and wanted not in parts):
            raise PersonError(f"{option['name']} does not take {value!r}")
        for part, (key, shown) in parts.items():
            self.resolved.setdefault(part, {})[key] = shown
        return next(iter(parts.values()))[0]


def _range(option: Json) -> tuple[Any, Any]:
    return option.get("min_value"), option.get("max_value")


def fill_options(typed: Typed, given: dict[str, Any], filled: Filled, *, focused: str | None = None) -> Json:
    """Give the data of the interaction; `focused` names the option that is being typed, for an autocompletion.

    Raises:
        PersonError: An option is unknown, missing, or has a value that the client would refuse.
    """
    by_name = {option["name"]: option for option in typed.options}
    if unknown := [name for name in given if name not in by_name]:
        raise PersonError(f"/{typed.command['name']} has no option {unknown[0]!r}; it has {list(by_name)}")
    for name, option in by_name.items():
        if given.get(name) is not None:
            filled.add(option, given[name], focused=name == focused)
        elif option.get("required") and focused is None:
            raise PersonError(f"/{typed.command['name']} needs the option {name!r}")
    return typed.data(filled.values, filled.resolved)
