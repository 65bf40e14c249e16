"""Owns what rented machines train with: ai-toolkit, in its own image, which fetches weights from Hugging Face.

The image is ostris/aitoolkit; that it has its checkout in /app/ai-toolkit and needs a driver for CUDA 13 is read from
docker/Dockerfile of ostris/ai-toolkit, of 2026-08.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from providers.base import LoraFormat
from providers.gpu.agent.engines.ai_toolkit import CAPTION_DROPOUT
from providers.gpu.engines import EngineOffer, Pace
from providers.recipe import BaseModelName, Limits
from providers.wording import Sentence

IMAGE = "ostris/aitoolkit:latest"
ENGINE_DIR = "/app/ai-toolkit"
#: The lowest CUDA version that a host's driver must have for the image.
MIN_CUDA = "13.0"

#: The names of the weights at Hugging Face.
WEIGHTS: Mapping[BaseModelName, str] = MappingProxyType(
    {
        BaseModelName.FLUX_1_DEV: "black-forest-labs/FLUX.1-dev",
        BaseModelName.SDXL: "stabilityai/stable-diffusion-xl-base-1.0",
        BaseModelName.SD_1_5: "stable-diffusion-v1-5/stable-diffusion-v1-5",
    }
)
#: Only an account that has accepted their licence may fetch them.
GATED = frozenset({BaseModelName.FLUX_1_DEV})

_GUESS = Sentence("the minutes are a guess, none was measured")
#: The image of some 20 GB is pulled first, then the weights.
_PACES: Mapping[BaseModelName, Pace] = MappingProxyType(
    {
        BaseModelName.FLUX_1_DEV: Pace(before=(420, 1500), step=(0.7, 4.0), basis=_GUESS),
        BaseModelName.SDXL: Pace(before=(300, 1200), step=(0.4, 2.0), basis=_GUESS),
        BaseModelName.SD_1_5: Pace(before=(240, 1200), step=(0.2, 1.0), basis=_GUESS),
    }
)


def rented_engine(
    *,
    has_token: bool,
    vram_gb: int | None,
    engine_dir: str = ENGINE_DIR,
    python: str = "python3",
    draws: bool = False,
) -> EngineOffer:
    """Return what a rented machine can train.

    Args:
        has_token: Whether it gets a token for Hugging Face, without which gated weights can't be had.
        vram_gb: Memory of its GPU; None where nobody can say.
        engine_dir: Where the image has ai-toolkit.
        python: The Python that ai-toolkit is installed for there.
        draws: Whether it draws sample pictures at the end.
    """
    bases = [base for base in WEIGHTS if has_token or base not in GATED]
    common: Mapping[str, Any] = {"engine_dir": engine_dir, "python": python, "vram_gb": vram_gb or 24}
    return EngineOffer(
        name="ai-toolkit",
        title="ai-toolkit",
        paces={base: _PACES[base] for base in bases},
        produces=LoraFormat.DIFFUSERS,
        photos=Limits(low=2, high=100, default=15),
        steps=Limits(low=10, high=6000, default=1000),
        rank=Limits(low=1, high=128, default=16),
        learning_rate=Limits(low=1e-6, high=1e-2, default=1e-4),
        resolutions=(1024, 768, 512),
        caption_dropout=Limits(low=0, high=1, default=CAPTION_DROPOUT),
        settings={base: {**common, "weights": {"model": WEIGHTS[base]}} for base in bases},
        draws=draws,
    )
