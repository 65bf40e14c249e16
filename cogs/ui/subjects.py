"""Owns what subjects of models are called in sentences; decides nothing."""

from bot.texts import N_, _
from providers.recipe import SubjectKind

_KINDS = {
    SubjectKind.PERSON: N_("person"),
    SubjectKind.ANIMAL: N_("animal"),
    SubjectKind.OBJECT: N_("object"),
    SubjectKind.STYLE: N_("style"),
}


def kind_name(kind: SubjectKind) -> str:
    """Return what a kind of subject is called."""
    return _(_KINDS[kind])
