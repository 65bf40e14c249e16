"""In every language, what a form, a button or a menu is called fits where Discord puts it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.texts import _, languages, ngettext, speaking

COGS = Path(__file__).resolve().parents[3] / "cogs"
#: Discord's limits of characters, by what is made and which argument: https://docs.discord.com/developers/components.
#: A button may have 80, but a phone shows 38.
LIMITS = {
    ("Form", "title"): 45,
    ("fitting_title", "text"): 45,
    ("Label", "text"): 45,
    ("Label", "description"): 100,
    ("TextInput", "placeholder"): 100,
    ("button", "label"): 38,
    ("Button", "label"): 38,
    ("menu", "placeholder"): 150,
    ("people_menu", "placeholder"): 150,
    ("role_menu", "placeholder"): 150,
    ("channel_menu", "placeholder"): 150,
    ("SelectOption", "label"): 100,
    ("SelectOption", "description"): 100,
    ("RadioGroupOption", "label"): 100,
    ("RadioGroupOption", "description"): 100,
    ("Choice", "name"): 100,
}
FORMS = {"_": 1, "N_": 1, "ngettext": 2}
Sentence = tuple[str, ...]


def labels() -> Iterator[tuple[Sentence, int, str]]:
    """Yield each sentence that is written down as a label, with the room that it has and where it is."""
    for path in sorted(COGS.rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for sentence, most, line in _labels_in(function):
                    yield sentence, most, f"{path.relative_to(COGS.parent)}:{line}"


def _labels_in(function: ast.AST) -> Iterator[tuple[Sentence, int, int]]:
    named = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(function):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            for argument in call.keywords:
                if (name, argument.arg) in LIMITS:
                    for sentence in _sentences(argument.value, named):
                        yield sentence, LIMITS[name, argument.arg or ""], call.lineno


def _sentences(value: ast.AST, named: dict[str, ast.expr]) -> Iterator[Sentence]:
    for part in ast.walk(value):
        if isinstance(part, ast.Name) and part.id in named:
            yield from _sentences(named[part.id], {})
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in FORMS:
            forms = [one.value for one in part.args[: FORMS[part.func.id]] if isinstance(one, ast.Constant)]
            if forms:
                yield tuple(forms)


def said(sentence: Sentence) -> list[str]:
    """Return a sentence in the language that is spoken now, in all of its forms."""
    if len(sentence) == 1:
        return [_(sentence[0])]
    return [ngettext(*sentence, number) for number in (1, 2, 5)]


@pytest.mark.parametrize("language", languages())
def test_labels_fit_where_discord_puts_them(language):
    found = list(labels())
    assert len(found) > 150
    with speaking(language):
        long = [(where, text) for sentence, most, where in found for text in said(sentence) if len(text) > most]
    assert long == []
