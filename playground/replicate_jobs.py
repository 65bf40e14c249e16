"""A training or a prediction at the played Replicate, and how its API tells of it; moves on when it is told to."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

#: Training steps that a job takes between two looks.
STRIDE = 100
#: As a real log said; here it only makes up the times that the log tells.
STEPS_A_SECOND = 1.35


@dataclass(kw_only=True)
class Job:
    """A training or a prediction; `total` counts steps."""

    kind: str
    id: str
    model: str
    version: str
    input: dict[str, Any]
    destination: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "starting"
    step: int = 0
    total: int
    error: str | None = None
    output: Any = None
    removed: bool = False

    @property
    def ended(self) -> bool:
        """Tell whether nothing more will happen to it."""
        return self.status not in {"starting", "processing"}

    @property
    def logs(self) -> str:
        """Return what its runner printed: a bar that counts something else first, then the training's own."""
        if self.status == "starting":
            return ""
        caching = "Caching latents to disk: 100%|##########| 4/4 [00:01<00:00,  3.11it/s]\n"
        done, left = (_clock(steps / STEPS_A_SECOND) for steps in (self.step, self.total - self.step))
        rest = f"{self.step}/{self.total} [{done}<{left},  {STEPS_A_SECOND}it/s, lr: 4.0e-04 loss: 3.1e-01]\r"
        return f"{caching}flux_train_replicate: {100 * self.step // self.total:3d}%|█▏        | {rest}"

    def told(self) -> dict[str, Any]:
        """Return it as the API answers."""
        here = f"https://api.replicate.com/v1/{self.kind}/{self.id}"
        answer: dict[str, Any] = {
            "id": self.id,
            "model": self.model,
            "version": self.version,
            "input": {} if self.removed else self.input,
            "logs": "" if self.removed else self.logs,
            "error": self.error,
            "status": self.status,
            "source": "api",
            "created_at": stamp(self.created_at),
            "urls": {"get": here, "cancel": f"{here}/cancel", "web": f"https://replicate.com/p/{self.id}"},
        }
        if self.kind == "predictions" or self.output is not None:
            answer["output"] = None if self.removed else self.output
        if self.kind == "predictions":
            answer["data_removed"] = self.removed
        if self.ended:
            answer |= {
                "metrics": {"predict_time": 600.0, "total_time": 640.0},
                "completed_at": stamp(datetime.now(UTC)),
            }
        return answer


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60):02}:{int(seconds % 60):02}"


def stamp(when: datetime) -> str:
    """Return a moment as the API writes it."""
    return re.sub(r"\+00:00$", "Z", when.isoformat(timespec="microseconds"))
