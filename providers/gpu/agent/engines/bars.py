"""Owns the reading of one line of tqdm's, as it stands between two carriage returns; never whose bar it is."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: A bar is short; a longer line is something else, and not worth a slow search.
_LONGEST = 1000
_BAR = re.compile(
    r"^(?P<label>[^|%]*?):?\s*(?P<percent>\d{1,3})%\|[^|]*\|\s*(?P<step>\d+)/(?P<total>\d+)\s*"
    r"\[(?P<elapsed>[\d:]+)<(?P<left>[\d:?]+)(?P<rest>[^\]]*)"
)
#: sd-scripts: "avr_loss=0.123"; ai-toolkit: "loss: 4.212e-01".
_LOSS = re.compile(r"(?:\bavr_loss=|\bloss: ?)(?P<loss>nan|-?inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)


@dataclass(frozen=True)
class Bar:
    """One state of a progress bar."""

    #: What stands before it.
    label: str
    step: int
    total: int
    eta_seconds: float | None
    #: May be NaN, which is worth knowing.
    loss: float | None

    @property
    def has_nan(self) -> bool:
        """Tell whether it shows a loss that is no number."""
        return self.loss is not None and not math.isfinite(self.loss)


def read_bar(line: str) -> Bar | None:
    """Return the bar that a line shows, if it shows one."""
    found = _BAR.search(line[:_LONGEST].strip())
    if found is None:
        return None
    loss = _LOSS.search(found["rest"])
    return Bar(
        label=found["label"].strip(),
        step=int(found["step"]),
        total=int(found["total"]),
        eta_seconds=_seconds(found["left"]),
        loss=float(loss["loss"]) if loss else None,
    )


def _seconds(clock: str) -> float | None:
    if not re.fullmatch(r"\d+(:\d+){1,2}", clock):
        return None
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return float(seconds)
