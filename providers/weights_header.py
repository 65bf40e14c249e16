"""Owns what a LoRA's file says about itself in its header, and writes it anew without what is private; loads no tensor.

What trainers leave in the header may hold captions, folder names and comments. Kept are only the technical facts that
programs need to load the weights; base model and trigger word are written in the words of the field: Stability's
ModelSpec (`modelspec.architecture`, `modelspec.trigger_phrase`) and sd-scripts (`ss_base_model_version`).
"""

import json
import re
import shutil
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.errors import ArtifactBroken
from providers.recipe import BaseModelName
from providers.weights import LONGEST_HEADER

#: What Sketch's own files call their format.
SKETCH_FORMAT = "darkroom-sketch-1"

#: Facts that programs need to load the weights right; peft's scale and sd-scripts' rank are among them.
_KEPT = frozenset(
    {
        "format",
        "lora_adapter_metadata",
        "ss_network_module",
        "ss_network_dim",
        "ss_network_alpha",
        "ss_base_model_version",
    }
)
_TRIGGERS = ("modelspec.trigger_phrase", "ss_trigger_words", "trigger_phrase", "trigger_word")
_ARCHITECTURES: Mapping[BaseModelName, str] = {
    BaseModelName.FLUX_1_DEV: "flux-1-dev/lora",
    BaseModelName.FLUX_2_DEV: "flux-2-dev/lora",
    BaseModelName.SDXL: "stable-diffusion-xl-v1-base/lora",
    BaseModelName.SD_1_5: "stable-diffusion-v1/lora",
}
#: What headers say, in lower case, as regular expressions; the first that fits counts.
_SAID: Sequence[tuple[str, BaseModelName]] = (
    (r"flux[-._ ]?1[-._ ]dev.*|flux1", BaseModelName.FLUX_1_DEV),
    (r"flux[-._ ]?2[-._ ]dev.*|flux2", BaseModelName.FLUX_2_DEV),
    (r"stable-diffusion-xl-v1.*|sdxl.*", BaseModelName.SDXL),
    (r"stable-diffusion-v1.*|sd_v1|sd[-_ ]?1\.5.*", BaseModelName.SD_1_5),
)
#: Width of the inner layers, from the published configurations: FLUX.1 [dev] 3072, FLUX.2 [dev] 6144.
_FLUX_WIDTHS = {3072: BaseModelName.FLUX_1_DEV, 6144: BaseModelName.FLUX_2_DEV}
_FLUX_LAYER = re.compile(
    r"(double_blocks|single_blocks|transformer_blocks|single_transformer_blocks)[._](\d+)[._]"
    r"(img_attn_qkv|img_attn[._]qkv|linear1|attn[._]to_q)[._]lora_(A|down)[._]"
)
#: FLUX.2 [klein] 4B is as wide as FLUX.1, and has only 5 and 20 blocks.
_KLEIN_DOUBLE, _KLEIN_SINGLE = 5, 20
#: Width of the text that cross-attention reads: SDXL 2048, Stable Diffusion 1.5 768.
_TEXT_WIDTHS = {2048: BaseModelName.SDXL, 768: BaseModelName.SD_1_5}
_CROSS_ATTENTION = re.compile(r".*attn2[._]to_[kv][._](processor[._])?lora_?(A|down)[._].*weight", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class WeightsHeader:
    """What stands before the tensors."""

    #: As its maker wrote it; not to be trusted, and maybe private.
    metadata: Mapping[str, str]
    #: Sizes of the tensors by their names.
    shapes: Mapping[str, Sequence[int]]

    @property
    def is_sketch(self) -> bool:
        """Tell whether it is one of Sketch's own files."""
        return self.metadata.get("format") == SKETCH_FORMAT

    @property
    def trigger_word(self) -> str:
        """Return the first trigger word that it names; empty when it names none."""
        for key in _TRIGGERS:
            words = [word.strip(' []"') for word in self.metadata.get(key, "").split(",")]
            if words and words[0]:
                return words[0]
        return ""

    @property
    def base_model(self) -> BaseModelName | None:
        """Return what it is for, by the sizes of its tensors or else by what it says; None when neither tells."""
        if self.is_sketch:
            return BaseModelName.SKETCH
        return self._by_shape() or self._by_word()

    @property
    def said(self) -> str:
        """Return the base model in its own words; empty when it says none."""
        return self.metadata.get("modelspec.architecture") or self.metadata.get("ss_base_model_version") or ""

    def _by_word(self) -> BaseModelName | None:
        for key in ("modelspec.architecture", "ss_base_model_version"):
            word = self.metadata.get(key, "").strip().lower()
            for pattern, base_model in _SAID:
                if re.fullmatch(pattern, word):
                    return base_model
        return None

    def _by_shape(self) -> BaseModelName | None:
        blocks: dict[str, int] = {}
        widths: set[int] = set()
        for name, shape in self.shapes.items():
            if len(shape) < 2:
                continue
            if found := _FLUX_LAYER.search(name):
                kind = "single" if found[1].startswith("single") else "double"
                blocks[kind] = max(blocks.get(kind, 0), int(found[2]) + 1)
                widths.add(shape[1])
            elif _CROSS_ATTENTION.fullmatch(name) and shape[1] in _TEXT_WIDTHS:
                return _TEXT_WIDTHS[shape[1]]
        if len(widths) != 1 or not widths <= _FLUX_WIDTHS.keys():
            return None
        [width] = widths
        deep = blocks.get("double", 0) > _KLEIN_DOUBLE or blocks.get("single", 0) > _KLEIN_SINGLE
        return _FLUX_WIDTHS[width] if deep or _FLUX_WIDTHS[width] is not BaseModelName.FLUX_1_DEV else None


def read_header(path: Path) -> WeightsHeader:
    """Return the header of a safetensors file; blocks for a few milliseconds.

    Raises:
        ArtifactBroken: it has none that can be read.
    """
    try:
        with path.open("rb") as file:
            told = json.loads(_header_bytes(file.read(8), file.read(LONGEST_HEADER + 1)))
        metadata = told.pop("__metadata__", {})
        return WeightsHeader(
            metadata={key: value for key, value in metadata.items() if isinstance(value, str)},
            shapes={name: [int(side) for side in tensor["shape"]] for name, tensor in told.items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
        raise ArtifactBroken("The file has no header that can be read.") from error


def write_clean(path: Path, to: Path, *, base_model: BaseModelName, trigger_word: str) -> None:
    """Write a LoRA anew with its tensors as they are and no private word in its header; blocks while it copies.

    A file of Sketch is copied as it is: its header is what Sketch itself wrote, and needed.

    Raises:
        ArtifactBroken: it cannot be read.
    """
    header = read_header(path)
    if header.is_sketch:
        shutil.copyfile(path, to)
        return
    kept = {key: value for key, value in header.metadata.items() if key in _KEPT}
    facts = {"modelspec.architecture": _ARCHITECTURES[base_model]} if base_model in _ARCHITECTURES else {}
    facts |= {"modelspec.trigger_phrase": trigger_word} if trigger_word else {}
    try:
        with path.open("rb") as source, to.open("wb") as file:
            length = struct.unpack("<Q", source.read(8))[0]
            told = json.loads(source.read(length))
            told["__metadata__"] = kept | facts
            written = json.dumps(told, separators=(",", ":")).encode()
            # The format wants the tensors to begin at a multiple of eight; the header is filled up with spaces.
            written += b" " * (-len(written) % 8)
            file.write(struct.pack("<Q", len(written)) + written)
            shutil.copyfileobj(source, file, 1024 * 1024)
    except (OSError, ValueError, struct.error) as error:
        raise ArtifactBroken("The file cannot be copied.") from error


def _header_bytes(length: bytes, rest: bytes) -> bytes:
    size = struct.unpack("<Q", length)[0]
    if size > min(LONGEST_HEADER, len(rest)):
        raise ValueError("the header is longer than it may be, or cut off")
    return rest[:size]
