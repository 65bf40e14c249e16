"""Owns the bench of kohya's script, whose stand-in runs as a real process."""

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from PIL import Image

from providers.base import ImageOrder, LoraFormat, MadeImages
from providers.disk import try_lock
from providers.kohya.command import KohyaTools
from providers.kohya.image_maker import KohyaImageMaker
from providers.recipe import BaseModelName
from tests.fakes import kohya
from tests.providers.contract import Bench, Fault
from tests.providers.hosted_bench import make_flux_pictures

_LOCAL = "kohya's script runs on this machine, without keys, prices or a network"


class KohyaBench(Bench):
    not_applicable: ClassVar = dict.fromkeys(Fault, _LOCAL)

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.scripts = tmp_path / "sd-scripts"
        self.folder = tmp_path / "kohya"
        self.weights = [tmp_path / name for name in ("flux1.safetensors", "clip_l", "t5", "ae")]

    async def start(self) -> None:
        self.scripts.mkdir()
        shutil.copy(Path(kohya.__file__).with_name("flux_minimal_inference.py"), self.scripts)
        for path in self.weights:
            path.write_bytes(b"weights")

    async def stop(self) -> None:
        for order in self.folder.glob("*/"):
            self.make_adapter()._studio.remove(order.name)

    def tools(self) -> KohyaTools:
        model, clip_l, t5, vae = self.weights
        return KohyaTools(
            folder=self.scripts, python=sys.executable, diffusion_model=model, clip_l=clip_l, t5=t5, vae=vae
        )

    def make_adapter(self) -> KohyaImageMaker:
        return KohyaImageMaker(self.tools(), self.folder)

    def make_order(self, marker: str) -> ImageOrder:
        path = self.tmp_path / "lora.safetensors"
        path.write_bytes(b"weights")
        order = make_flux_pictures(path, marker)
        return replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_1_DEV, format=LoraFormat.KOHYA))

    def make_long_order(self, marker: str) -> ImageOrder:
        return replace(self.make_order(marker), count=4)

    def unfit_orders(self) -> Sequence[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=5),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, prompt=" "),
            replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_2_DEV)),
            replace(order, lora=replace(order.lora, format=LoraFormat.DIFFUSERS)),
            replace(order, marker="../elsewhere"),
        ]

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.folder.mkdir(exist_ok=True)
        held = try_lock(self.folder / "gpu.lock")
        assert held is not None
        yield
        os.close(held)

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        for made in output.images:
            assert made.path.parent == into
            with Image.open(made.path) as image:
                assert (image.format, image.size) == ("PNG", (720, 1280))
                assert image.getpixel((0, 0)) == (made.seed % 256, 10, 10)
