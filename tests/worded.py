"""What adapters say to people, found in their code: the messages of errors, their advice, sentences, what is declared.

All of it is plain English with its values apart, so that it is in the catalogues as it stands. What is put together on
the spot, with an f-string for example, could not be; `escaping` finds that.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from providers.errors import ProviderError
from providers.gpu.agent.engines.lora_file import NoLora
from providers.gpu.agent.job import WorkFailed
from providers.sketch.errors import SketchError

ROOT = Path(__file__).resolve().parents[1]
PROVIDERS = ROOT / "providers"
#: What capabilities, estimates and looks at jobs declare by these names.
DECLARED = frozenset({"notice", "basis", "failure", "caveat", "wording"})
#: What is handed on as somebody else worded it.
HANDED_ON = frozenset({"message", "template", "advice"})


def kinds_of(error: type[Exception]) -> Iterator[str]:
    """Yield the name of an error and of all that are one."""
    yield error.__name__
    for child in error.__subclasses__():
        yield from kinds_of(child)


#: Which argument of an error is its message.
MESSAGES: Mapping[str, int] = {
    **{name: 0 for base in (ProviderError, SketchError, NoLora) for name in kinds_of(base)},
    **dict.fromkeys(kinds_of(WorkFailed), 1),
}


class EscapesError(Exception):
    """It is put together on the spot, so that no catalogue can have it."""


@dataclass(frozen=True, kw_only=True)
class Module:
    """One module's tree, and what its names stand for, wherever they are bound."""

    path: str
    tree: ast.Module
    bound: Mapping[str, list[ast.expr]]

    @classmethod
    def read(cls, path: Path) -> "Module":
        """Return the module of a file."""
        return cls.of(path.read_text(encoding="utf-8"), path=path.relative_to(ROOT).as_posix())

    @classmethod
    def of(cls, text: str, *, path: str = "here.py") -> "Module":
        """Return the module with this text."""
        tree = ast.parse(text)
        bound: dict[str, list[ast.expr]] = {}
        for node in ast.walk(tree):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                for target in targets:
                    if isinstance(target, ast.Name):
                        bound.setdefault(target.id, []).append(node.value)
        return cls(path=path, tree=tree, bound=bound)

    def texts(self, node: ast.expr) -> Iterator[str]:
        """Yield the sentences that an expression may be.

        Raises:
            EscapesError: it is none that stands in the code.
        """
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.IfExp():
                yield from self.texts(node.body)
                yield from self.texts(node.orelse)
            case ast.Name() if node.id in self.bound:
                for value in self.bound[node.id]:
                    yield from self.texts(value)
            case ast.Subscript(value=ast.Name() as table) if table.id in self.bound:
                for value in self.bound[table.id]:
                    yield from (text for one in getattr(value, "values", []) for text in self.texts(one))
            case ast.Constant(value=None) | ast.Call(func=ast.Name(id="Sentence")):
                return
            case ast.Attribute() if node.attr in HANDED_ON:
                return
            case _:
                raise EscapesError(f"{self.path}:{node.lineno}: {ast.unparse(node)}")


def modules() -> Iterator[Module]:
    """Yield the modules of all adapters."""
    for path in sorted(PROVIDERS.rglob("*.py")):
        yield Module.read(path)


def wordings(module: Module) -> Iterator[ast.expr]:
    """Yield every expression that has to be a sentence of the catalogues."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in MESSAGES and len(node.args) > MESSAGES[name]:
                yield node.args[MESSAGES[name]]
                yield from (one.value for one in node.keywords if one.arg == "advice")
            case ast.ClassDef() if node.name in MESSAGES or any(ast.unparse(base) in MESSAGES for base in node.bases):
                yield from _of_class(node)
            case ast.Assign(targets=[ast.Attribute(attr="advice")]) if module.path != "providers/errors.py":
                yield node.value


def _of_class(node: ast.ClassDef) -> Iterator[ast.expr]:
    for part in node.body:
        named = isinstance(part, ast.Assign | ast.AnnAssign) and "advice" in ast.unparse(part).partition("=")[0]
        if named and part.value is not None:
            yield part.value
    if node.name.startswith("_"):
        # One that stays inside its module words itself.
        yield from (
            call.args[0]
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__" and call.args
        )


def loosely_worded(module: Module) -> Iterator[ast.expr]:
    """Yield what is a sentence where it stands in the code, and may be handed on from elsewhere too."""
    for node in ast.walk(module.tree):
        match node:
            case ast.keyword(arg=name) if name in DECLARED:
                yield node.value
            case ast.Call(func=ast.Name(id="Sentence")) if node.args:
                yield node.args[0]


def composed(node: ast.expr, module: Module) -> bool:
    """Tell whether a text is put together there."""
    match node:
        case ast.JoinedStr() | ast.BinOp() | ast.Call(func=ast.Attribute(attr="format" | "join")):
            return True
        case ast.BoolOp():
            return any(composed(value, module) for value in node.values)
        case ast.IfExp():
            return composed(node.body, module) or composed(node.orelse, module)
        case ast.Name():
            return any(composed(value, module) for value in module.bound.get(node.id, []))
    return False


def said_by_adapters() -> Iterator[tuple[str, str]]:
    """Yield each sentence with the file that says it."""
    for module in modules():
        for node in (*wordings(module), *loosely_worded(module)):
            try:
                for text in module.texts(node):
                    if text:
                        yield text, module.path
            except EscapesError:
                continue


def escaping(module: Module) -> Iterator[str]:
    """Yield where a sentence is put together on the spot."""
    for node in wordings(module):
        try:
            list(module.texts(node))
        except EscapesError as error:
            yield str(error)
    for node in loosely_worded(module):
        if composed(node, module):
            yield f"{module.path}:{node.lineno}: {ast.unparse(node)}"
