"""Owns what is said about the photos of a draft: a verdict for each, hints, advice by kind; refuses none."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.draft import Draft, DraftPhoto
from bot.photo_checks import MAX_BRIGHTNESS, MIN_BRIGHTNESS, MIN_SHARPNESS, MIN_SIDE, FindingCode, find_duplicates
from bot.texts import N_, _
from providers.recipe import SubjectKind

#: From here on more photos help little; below, every one counts.
GOOD_NUMBER = 8
#: Photos with the same fault that are named one by one, each with its own number.
ONE_BY_ONE = 3
_MANY: Mapping[str, str] = {
    FindingCode.TOO_SMALL: N_(
        "Photos {numbers} are small (under {limit} pixels on the shorter side): send the originals."
    ),
    FindingCode.BLURRED: N_(
        "Photos {numbers} are blurred (sharpness under {limit}): hold the camera still, or use others."
    ),
    FindingCode.TOO_DARK: N_("Photos {numbers} are dark (brightness under {limit} of 255): add light, or use others."),
    FindingCode.TOO_LIGHT: N_(
        "Photos {numbers} are too light (brightness over {limit} of 255, or half white): use softer light."
    ),
}
_LIMITS: Mapping[str, int] = {
    FindingCode.TOO_SMALL: MIN_SIDE,
    FindingCode.BLURRED: MIN_SHARPNESS,
    FindingCode.TOO_DARK: MIN_BRIGHTNESS,
    FindingCode.TOO_LIGHT: MAX_BRIGHTNESS,
}
#: What no check here can see, so it is said as advice and never as a finding.
_MORE = {
    SubjectKind.PERSON: N_(
        "More photos help. If none is from the side, add two that are; then some from farther away and in other light."
    ),
    SubjectKind.ANIMAL: N_(
        "More photos help. If none is from the side, add two that are; then some lying, standing, and in other places."
    ),
    SubjectKind.OBJECT: N_(
        "More photos help. If none is from behind, add one that is; then some from above and on other backgrounds."
    ),
    SubjectKind.STYLE: N_("More pictures help: the more different their subjects, the better the style comes out."),
}


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What was noticed about the photos of a draft."""

    #: Numbers of the photos that something was found about, from 1.
    marked: Collection[int]
    #: What could be better, each a sentence that names the photo by its number.
    hints: Sequence[str]


def judge(draft: Draft, photos: Sequence[DraftPhoto]) -> Verdicts:
    """Return the verdicts: twins first, one line for many photos with one fault, and advice while they are few."""
    twins = find_duplicates({number: photo.dhash for number, photo in enumerate(photos, start=1)})
    hints = [_numbered(number, finding.said) for number, finding in twins.items()]
    by_code: dict[str, list[tuple[int, str]]] = {}
    for number, photo in enumerate(photos, start=1):
        for finding in photo.findings:
            by_code.setdefault(finding.code, []).append((number, finding.said))
    for code, found in by_code.items():
        if len(found) > ONE_BY_ONE and code in _MANY:
            numbers = ", ".join(str(number) for number, _sentence in found)
            hints.append(_(_MANY[code]).format(numbers=numbers, limit=_LIMITS[code]))
        else:
            hints += [_numbered(number, sentence) for number, sentence in found]
    if photos and len(photos) < GOOD_NUMBER:
        hints.append(_(_MORE[draft.kind]))
    marked = {number for number, photo in enumerate(photos, start=1) if photo.findings or number in twins}
    return Verdicts(marked=marked, hints=hints)


def _numbered(number: int, sentence: str) -> str:
    return _("Photo {number} {finding}").format(number=number, finding=sentence)
