"""Owns which engine is installed on this machine, what it can train with, and whether it would start."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.base import Health, LoraFormat
from providers.gpu.agent.engines.ai_toolkit import BASE_MODELS as AI_TOOLKIT_BASES
from providers.gpu.agent.engines.ai_toolkit import CAPTION_DROPOUT
from providers.gpu.agent.engines.sd_scripts import BASE_MODELS as SD_SCRIPTS_BASES
from providers.gpu.agent.engines.sd_scripts import program_for
from providers.gpu.engines import EngineOffer, Pace
from providers.gpu.local_folder import can_be_told, handed_on
from providers.recipe import BaseModelName, Limits
from providers.wording import Sentence, Wording, in_a_row, in_turn

#: What each engine can train, before it is known which weights are here.
CAN_TRAIN = {"sd-scripts": SD_SCRIPTS_BASES, "ai-toolkit": AI_TOOLKIT_BASES}
#: The weights that each base model takes, by the engine's names for them.
NEEDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sd-scripts": {"flux.1-dev": ("model", "clip_l", "t5xxl", "ae"), "sdxl": ("model",), "sd-1.5": ("model",)},
    "ai-toolkit": dict.fromkeys(("flux.1-dev", "flux.2-dev", "sdxl", "sd-1.5"), ("model",)),
}
#: Seconds that the engine's own --help may take: it imports all of PyTorch.
_HELP_SECONDS = 15.0
#: Seconds for which an engine that started is believed to start again.
_BELIEVED_SECONDS = 3600.0
#: GB of GPU memory below which FLUX.1 is offered at 512 pixels first.
_SMALL_GPU_GB = 16
_GUESS = Sentence("a guess, not measured: it depends on the GPU")
_PACES = {
    BaseModelName.FLUX_1_DEV: Pace(before=(180, 600), step=(2.0, 8.0), basis=_GUESS),
    BaseModelName.FLUX_2_DEV: Pace(before=(300, 900), step=(4.0, 16.0), basis=_GUESS),
    BaseModelName.SDXL: Pace(before=(60, 300), step=(1.0, 3.0), basis=_GUESS),
    BaseModelName.SD_1_5: Pace(before=(30, 120), step=(0.3, 1.0), basis=_GUESS),
}


@dataclass(kw_only=True)
class LocalEngine:
    """An engine as it is installed on this machine."""

    #: As in `agent.engines.ENGINES`.
    name: str
    folder: Path
    python: str
    #: By base model, where its weights are by the engine's names for them.
    weights: Mapping[BaseModelName, Mapping[str, str]]
    vram_gb: int = 24
    precision: str = "bf16"
    #: The operator's own options by the engine's names.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: It draws sample pictures at the end.
    draws: bool = False
    _started_at: float | None = None

    @property
    def base_models(self) -> frozenset[BaseModelName]:
        """Return what it can train with the weights that are named."""
        can = CAN_TRAIN[self.name]
        return frozenset(base for base in self.weights if base.value in can and not self._missing(base))

    def offer(self) -> EngineOffer:
        """Return what its agent is told and people are offered."""
        settings = {
            "engine_dir": str(self.folder),
            "python": self.python,
            "vram_gb": self.vram_gb,
            "precision": self.precision,
            "options": dict(self.options),
        }
        return EngineOffer(
            name=self.name,
            title=self.name,
            paces={base: _PACES[base] for base in self.base_models},
            produces=LoraFormat.KOHYA if self.name == "sd-scripts" else LoraFormat.DIFFUSERS,
            photos=Limits(low=2, high=100, default=15),
            steps=Limits(low=10, high=6000, default=1000),
            rank=Limits(low=1, high=128, default=16),
            learning_rate=Limits(low=1e-6, high=1e-2, default=1e-4),
            resolutions=(512, 768, 1024) if self.vram_gb < _SMALL_GPU_GB else (1024, 768, 512),
            caption_dropout=Limits(low=0, high=1, default=CAPTION_DROPOUT) if self.name == "ai-toolkit" else None,
            settings={base: {**settings, "weights": dict(self.weights[base])} for base in self.base_models},
            draws=self.draws,
        )

    async def check(self) -> Health:
        """Tell whether it would start: its program, its Python, its weights; never raises."""
        trouble = await asyncio.to_thread(self._lacks)
        if trouble is None and not self._is_believed():
            trouble = await self._try()
        if trouble is not None:
            return Health(ok=False, wording=trouble)
        ready = "{engine} in {folder} is ready. Needs no account and costs nothing."
        return Health(ok=True, wording=Sentence(ready, values={"engine": self.name, "folder": str(self.folder)}))

    def _missing(self, base: BaseModelName) -> list[str]:
        return [name for name in NEEDS[self.name].get(base.value, ()) if not self.weights[base].get(name)]

    @property
    def _programs(self) -> list[str]:
        if self.name == "ai-toolkit":
            return ["run.py"]
        return [program_for(base.value) for base in sorted(self.base_models)]

    def _lacks(self) -> Wording | None:
        """Return what is missing, and what to set."""
        if not can_be_told():
            return Sentence("training on this machine needs Linux.")
        if not self.base_models:
            return self._weightless()
        for program in self._programs:
            if not (self.folder / program).is_file():
                return Sentence(
                    "there is no {program} in {folder}. DARKROOM_LOCAL_ENGINE_DIR is the checkout of {engine}.",
                    values={"program": program, "folder": str(self.folder), "engine": self.name},
                )
        for base in sorted(self.base_models):
            for name, where in self.weights[base].items():
                if Path(where).is_absolute() and not Path(where).exists():
                    return Sentence(
                        "the weights of {base_model} ({name}) are not at {where}.",
                        values={"base_model": base.label, "name": name, "where": where},
                    )
        return None

    def _weightless(self) -> Sentence:
        none = Sentence(
            "{engine} has no weights here: name those of a base model in DARKROOM_LOCAL_FLUX….",
            values={"engine": self.name},
        )
        half = [
            Sentence(
                "{files} of {base_model}", values={"files": ", ".join(self._missing(base)), "base_model": base.label}
            )
            for base in self.weights
        ]
        lacks = [Sentence("It still lacks {what}.", values={"what": in_a_row(half)})] if half else []
        return in_turn([none, *lacks])

    def _is_believed(self) -> bool:
        return self._started_at is not None and time.monotonic() < self._started_at + _BELIEVED_SECONDS

    async def _try(self) -> Wording | None:
        """Ask it for its --help, for which it imports all that it needs; return what went wrong."""
        try:
            process = await asyncio.create_subprocess_exec(
                self.python,
                self._programs[0],
                "--help",
                cwd=self.folder,
                env=handed_on(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            return Sentence(
                "{python} can't be started ({reason}). DARKROOM_LOCAL_PYTHON is the engine's Python.",
                values={"python": self.python, "reason": error.strerror or ""},
            )
        try:
            async with asyncio.timeout(_HELP_SECONDS):
                _, said = await process.communicate()
        except TimeoutError:
            # A slow disk is no fault; the training itself will tell.
            return None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            lines = said.decode(errors="replace").strip().splitlines() or ["it says nothing"]
            return Sentence(
                "{engine} does not start with {python}: {said}",
                values={"engine": self.name, "python": self.python, "said": lines[-1][:200]},
            )
        self._started_at = time.monotonic()
        return None
