"""What the played Replicate hands out: a LoRA that holds nothing, and pictures that code draws; nothing is learnt."""

import io
import tarfile

import numpy as np
from PIL import Image
from safetensors.numpy import save

from playground.fox import SKIES, Eyes, Scene, Stance, draw_scene


def make_lora(names: int = 2) -> bytes:
    """Make a small LoRA with ai-toolkit's names."""
    tensors = {}
    for block in range(names):
        for half in "AB":
            name = f"transformer.single_transformer_blocks.{block}.attn.to_q.lora_{half}.weight"
            tensors[name] = np.zeros((4, 8), dtype=np.float16)
    return save(tensors)


def make_tar(files: dict[str, bytes]) -> bytes:
    """Pack files into a tar."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def make_delivery() -> bytes:
    """Make what the trainer leaves: a LoRA, its own notes, and a caption that is nobody's business."""
    folder = "output/flux_train_replicate"
    return make_tar(
        {
            f"{folder}/lora.safetensors": make_lora(),
            f"{folder}/config.yaml": b"job: custom_job\n",
            f"{folder}/captions/001.txt": b"a private caption",
        }
    )


def draw_fox(seed: int, number: int, size: tuple[int, int] = (1024, 1024)) -> bytes:
    """Draw the fox in a pose that seed and number decide, as PNG; blocks for about a tenth of a second."""
    rng = np.random.default_rng([seed, number])
    scene = Scene(
        stance=list(Stance)[rng.integers(len(Stance))],
        eyes=list(Eyes)[rng.integers(len(Eyes))],
        x=float(rng.uniform(0.42, 0.58)),
        y=float(rng.uniform(0.54, 0.62)),
        tilt=float(rng.uniform(-10, 10)),
        look=float(rng.uniform(-0.5, 0.5)),
        sky=int(rng.integers(len(SKIES))),
        sun=(float(rng.uniform(0.12, 0.88)), float(rng.uniform(0.12, 0.3))),
        mirrored=bool(rng.integers(2)),
    )
    png = io.BytesIO()
    draw_scene(scene, *size).save(png, "PNG")
    return png.getvalue()


def plain_picture(seed: int, size: tuple[int, int] = (64, 64)) -> bytes:
    """Make a picture of one colour, for whoever has no time to draw."""
    png = io.BytesIO()
    Image.new("RGB", size, (seed % 255, 80, 120)).save(png, "PNG")
    return png.getvalue()
