"""Owns which of ComfyUI's files make up each base model, as an operator names them; never looks for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from providers.recipe import BaseModelName

#: What the files of a base model are, in the order in which they are named; a single name is a whole checkpoint.
_PARTS: Mapping[BaseModelName, tuple[str, ...]] = MappingProxyType(
    {
        BaseModelName.FLUX_1_DEV: ("diffusion model", "CLIP-L", "T5", "VAE"),
        BaseModelName.FLUX_2_DEV: ("diffusion model", "text encoder", "VAE"),
        BaseModelName.SDXL: (),
        BaseModelName.SD_1_5: (),
    }
)


@dataclass(frozen=True, kw_only=True)
class BaseFiles:
    """The files of one base model: either a whole checkpoint, or its parts."""

    base_model: BaseModelName
    checkpoint: str = ""
    diffusion_model: str = ""
    text_encoders: tuple[str, ...] = ()
    vae: str = ""


def read_files(base_model: BaseModelName, text: str) -> BaseFiles | None:
    """Return the files that an operator named, with commas between; None for an empty text.

    Raises:
        ValueError: these are neither all parts nor one checkpoint.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    parts = _PARTS[base_model]
    if not names:
        return None
    if len(names) == 1 and base_model is not BaseModelName.FLUX_2_DEV:
        return BaseFiles(base_model=base_model, checkpoint=names[0])
    if not parts or len(names) != len(parts):
        wanted = f"{', '.join(parts)}" if parts else "one checkpoint"
        raise ValueError(f"{base_model.label} needs {wanted}; {len(names)} files are named")
    return BaseFiles(base_model=base_model, diffusion_model=names[0], text_encoders=names[1:-1], vae=names[-1])
