"""Owns how far a training is by the text that its engine prints: tqdm's bars, of ai-toolkit, sd-scripts and kin."""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from providers.base import Progress

#: Only the end of a log matters, and logs grow without bound; in characters.
_TAIL = 64 * 1024
_LONGEST_LINE = 1000

_BAR = re.compile(
    r"(?P<label>[^|%]*?):?\s*\b(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<step>\d+)/(?P<total>\d+)\s*"
    r"\[(?P<elapsed>[\d:]+)<(?P<left>[\d:?]+)(?P<rest>[^\]]*)"
)
_LOSS = re.compile(r"(?:avr_loss=|\bloss[:=])\s*(?P<loss>\d+(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One state of one progress bar."""

    #: What stands before it, which names what it counts.
    label: str
    step: int
    total: int
    eta_seconds: float | None
    loss: float | None


def bars(log: str) -> Iterator[Bar]:
    """Yield the bars at the end of a log, the newest first."""
    for line in reversed(re.split(r"[\r\n]+", log[-_TAIL:])):
        if found := _BAR.search(line[:_LONGEST_LINE]):
            loss = _LOSS.search(found["rest"])
            yield Bar(
                label=found["label"].strip(),
                step=int(found["step"]),
                total=int(found["total"]),
                eta_seconds=_seconds(found["left"]),
                loss=float(loss["loss"]) if loss else None,
            )


def training_progress(
    log: str, *, total: int, labels: AbstractSet[str] = frozenset(), phase: str = "training"
) -> Progress | None:
    """Return where a training is, or None before its own bar shows.

    Args:
        log: All that the engine printed; bars for downloads, captions and caches are in it too.
        total: The steps that were ordered; a bar that counts to another number is not the training's.
        labels: The labels that its bar may have; empty to tell it by the number alone.
        phase: What to call it.
    """
    for bar in bars(log):
        if bar.total == total and bar.step <= total and (not labels or bar.label in labels):
            return Progress(phase=phase, step=bar.step, total=total, loss=bar.loss, eta_seconds=bar.eta_seconds)
    return None


def _seconds(clock: str) -> float | None:
    if "?" in clock or not re.fullmatch(r"\d+(:\d+){1,2}", clock):
        return None
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)
