"""Owns what an agent says of why it gave up, as it is told to people; never believes that it says what it should."""

from collections.abc import Mapping
from string import Formatter

from providers.gpu.agent.engines.lora_file import REASONS
from providers.wording import Sentence, Value, Wording


def worded(hint: str, template: str = "", values: Mapping[str, str] | None = None) -> Wording | None:
    """Return why there is no result; None when its agent did not say.

    Args:
        hint: What happened, in English.
        template: The same with the names of the values in braces; empty from an agent of an earlier version. It is
            taken only where it says just what the hint says: a machine may send anything.
        values: What stands in it.
    """
    told: Mapping[str, Value] = {
        name: Sentence(value) if value in REASONS else value for name, value in (values or {}).items()
    }
    if template and _is_plain(template, told):
        sentence = Sentence(template, values=told)
        if str(sentence) == hint:
            return sentence
    return hint or None


def _is_plain(template: str, values: Mapping[str, Value]) -> bool:
    """Tell whether all that stands in braces are names of values, not ways into them or widths."""
    if not values:
        return True
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return False
    return all(name is None or (name in values and not spec and not how) for _, name, spec, how in parts)
