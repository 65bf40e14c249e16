"""Owns what the stand-ins for trainers leave: a LoRA's file with nothing learned in it, and a plain picture."""

import json
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

#: Modules of each model that a LoRA may change: a few of them, by the names that real files have.
_KOHYA_FLUX = tuple(
    f"lora_unet_{kind}_blocks_0_{part}" for kind, part in [("double", "img_attn_proj"), ("single", "linear2")]
)
_KOHYA_UNET = ("lora_unet_mid_block_attentions_0_proj_in", "lora_unet_mid_block_attentions_0_proj_out")
_PEFT_FLUX = tuple(f"transformer.{kind}.0.attn.to_q" for kind in ("transformer_blocks", "single_transformer_blocks"))
_PEFT_FLUX2 = ("diffusion_model.double_blocks.0.img_attn.proj", "diffusion_model.single_blocks.0.linear2")
MODULES: Mapping[str, tuple[str, ...]] = {
    "flux_train_network.py": _KOHYA_FLUX,
    "sdxl_train_network.py": _KOHYA_UNET,
    "train_network.py": _KOHYA_UNET,
    "flux": _PEFT_FLUX,
    "flux2": _PEFT_FLUX2,
    "sdxl": _KOHYA_UNET,
    "sd1": _KOHYA_UNET,
}
#: Much narrower than the real ones.
_WIDTH = 32


def lora_bytes(modules: tuple[str, ...], rank: int, metadata: Mapping[str, str]) -> bytes:
    """Return a safetensors file with these modules, all in half precision and all the same."""
    shapes: dict[str, list[int]] = {}
    for module in modules:
        if module.startswith("lora_"):
            down, up = f"{module}.lora_down.weight", f"{module}.lora_up.weight"
            shapes[f"{module}.alpha"] = []
        else:
            down, up = f"{module}.lora_A.weight", f"{module}.lora_B.weight"
        shapes[down], shapes[up] = [rank, _WIDTH], [_WIDTH, rank]
    header: dict[str, object] = {"__metadata__": dict(metadata)}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + 2 * (shape[0] * shape[1] if shape else 1)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + struct.pack("<e", 0.01) * (end // 2)


def png_bytes(side: int, shade: int) -> bytes:
    """Return a square picture of one shade of grey."""
    rows = (b"\x00" + bytes([shade]) * side) * side

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_goods(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
