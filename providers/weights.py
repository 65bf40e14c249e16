"""Owns the look into a LoRA's file that says whether it is one, and in which format; never loads a tensor."""

import os
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from providers.base import LoraFormat
from providers.errors import ArtifactBroken

#: A LoRA of FLUX has about 1,000 tensors, whose header takes about 150 kB.
LONGEST_HEADER = 8 * 1024 * 1024
MOST_TENSORS = 20_000

_KOHYA = re.compile(r"lora_(unet|te\d?|transformer)_\w+\.(lora_(down|up)\.weight|alpha)|.+\.lora_(down|up)\.weight")
_DIFFUSERS = re.compile(
    r"(transformer|unet|text_encoder(_2)?|diffusion_model|base_model\.model)\..+\.lora_[AB]\..*weight"
)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What a LoRA's header tells."""

    #: None when the names of its tensors are of no layout that we know.
    format: LoraFormat | None
    tensors: int
    size: int


def inspect_weights(path: Path) -> Weights:
    """Check a safetensors file by its header and length; blocks for a few milliseconds.

    Raises:
        ArtifactBroken: not safetensors, damaged, cut off, or not a LoRA.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = file.read(8)
        if len(length) < 8 or struct.unpack("<Q", length)[0] > min(LONGEST_HEADER, size - 8):
            raise ArtifactBroken("The LoRA that the provider made is not a safetensors file.")
        with safe_open(os.fspath(path), framework="np") as file:
            names: Sequence[str] = list(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise ArtifactBroken("The LoRA that the provider made is damaged.") from error
    if not names or len(names) > MOST_TENSORS or not any("lora" in name.lower() for name in names):
        raise ArtifactBroken("What the provider made is not a LoRA.")
    return Weights(format=_format(names), tensors=len(names), size=size)


def _format(names: Iterable[str]) -> LoraFormat | None:
    for name in names:
        if _KOHYA.fullmatch(name):
            return LoraFormat.KOHYA
        if _DIFFUSERS.fullmatch(name):
            return LoraFormat.DIFFUSERS
    return None
