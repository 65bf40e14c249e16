"""Owns the look into a LoRA's file and what its header may tell others; never a tensor.

A safetensors file is eight bytes with the header's length, little-endian, the header as JSON, and the tensors. The
header's "__metadata__" is where trainers write down how a model came to be: folders and captions among it.
"""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

#: The limit of the format's own library.
LONGEST_HEADER = 100_000_000
#: What stays of the metadata: what the model is and how it was trained, nothing of what it was trained on. By the names
#: of sd-scripts v0.10.1 (`ss_`, `modelspec.`) and ai-toolkit 0.12.26.
PUBLIC_METADATA = frozenset(
    {
        "format",
        "modelspec.architecture",
        "modelspec.implementation",
        "modelspec.prediction_type",
        "modelspec.resolution",
        "modelspec.sai_model_spec",
        "software",
        "ss_base_model_version",
        "ss_network_alpha",
        "ss_network_args",
        "ss_network_dim",
        "ss_network_module",
        "ss_v2",
        "training_info",
    }
)

_NO_SAFETENSORS = "it is no safetensors file"
_UNREADABLE = "its header can't be read"
_EMPTY = "there is no LoRA in it"
_SCATTERED = "its tensors don't follow each other"
_CUT_OFF = "it is cut off"
_TOO_LONG = "it is longer than it should be"
#: All that `NoLora` may say.
REASONS = frozenset({_NO_SAFETENSORS, _UNREADABLE, _EMPTY, _SCATTERED, _CUT_OFF, _TOO_LONG})


class NoLora(Exception):
    """The file is no safetensors, damaged, cut off, or holds no LoRA; `str(error)` says which."""


def read_header(path: Path) -> dict[str, Any]:
    """Return the header of a whole safetensors file with a LoRA in it.

    Raises:
        NoLora: it is something else.
        OSError: it can't be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else 0
        if not 2 <= length <= min(LONGEST_HEADER, size - 8):
            raise NoLora(_NO_SAFETENSORS)
        text = file.read(length)
    try:
        header = json.loads(text)
    except ValueError as error:
        raise NoLora(_UNREADABLE) from error
    if not isinstance(header, dict):
        raise NoLora(_UNREADABLE)
    _check_tensors(header, size - 8 - length)
    return header


def make_public(path: Path) -> dict[str, str]:
    """Take everything private out of a LoRA's header and return what is left of its metadata.

    Raises:
        NoLora: it is something else.
        OSError: it can't be read or written.
    """
    header = read_header(path)
    told = header.get("__metadata__") or {}
    kept = {key: str(value) for key, value in told.items() if key in PUBLIC_METADATA}
    if kept == told:
        return kept
    header["__metadata__"] = kept
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = path.with_name(f".{path.name}.part")
    with path.open("rb") as old, part.open("wb") as new:
        old.seek(8 + struct.unpack("<Q", old.read(8))[0])
        new.write(struct.pack("<Q", len(text)) + text)
        while chunk := old.read(1024 * 1024):
            new.write(chunk)
        new.flush()
        os.fsync(new.fileno())
    part.replace(path)
    return kept


def _check_tensors(header: dict[str, Any], size: int) -> None:
    names = [name for name in header if name != "__metadata__"]
    if not any("lora" in name.lower() for name in names):
        raise NoLora(_EMPTY)
    try:
        spans = sorted(tuple(header[name]["data_offsets"]) for name in names)
        end = 0
        for begin, until in spans:
            if begin != end or until < begin:
                raise NoLora(_SCATTERED)
            end = until
    except (KeyError, TypeError, ValueError) as error:
        raise NoLora(_UNREADABLE) from error
    if end != size:
        raise NoLora(_CUT_OFF if end > size else _TOO_LONG)
