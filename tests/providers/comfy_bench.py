"""Owns the bench of ComfyUI, on a fake ComfyUI that reads a real folder of LoRAs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import aiohttp
from PIL import Image
from pydantic import SecretStr

from providers.base import ImageOrder, LoraFormat, MadeImages
from providers.comfy.api import ComfySettings
from providers.comfy.bases import read_files
from providers.comfy.entry import ComfyOptions
from providers.comfy.image_maker import ComfyImageMaker
from providers.comfy.shelf import Shelf
from providers.recipe import BaseModelName
from tests.fakes.comfy import AUTHORIZATION, FakeComfy
from tests.providers.contract import PROMPT, TRIGGER_WORD, Fault
from tests.providers.hosted_bench import HostedBench, make_flux_pictures

_DEFAULTS = ComfyOptions()
FILES = {
    BaseModelName.FLUX_1_DEV: _DEFAULTS.darkroom_comfy_flux1,
    BaseModelName.FLUX_2_DEV: _DEFAULTS.darkroom_comfy_flux2,
    BaseModelName.SDXL: _DEFAULTS.darkroom_comfy_sdxl,
    BaseModelName.SD_1_5: _DEFAULTS.darkroom_comfy_sd15,
}


class ComfyBench(HostedBench):
    not_applicable: ClassVar = {}
    secrets = (AUTHORIZATION,)

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.loras = tmp_path / "loras"
        self.loras.mkdir()
        self.server = self.comfy = FakeComfy(self.loras)
        self.comfy.locked = True

    async def start(self) -> None:
        await super().start()
        # A connection that is kept open would be answered also when nobody listens any more.
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def stop(self) -> None:
        await self.session.close()
        await super().stop()

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.comfy.busy = True
        yield
        self.comfy.busy = False

    @property
    def accepted_jobs(self) -> int:
        return len(self.comfy.bill)

    async def inject(self, fault: Fault) -> None:
        if fault is Fault.UNKNOWN_STATUS:
            # It tells a status of what has ended only.
            while self.comfy.pending or self.comfy.running:
                self.comfy._step()
            self.comfy.says = "pondering"
            return
        await super().inject(fault)

    def _misfortunes(self) -> dict[Fault, tuple[str, dict[str, Any]]]:
        known = super()._misfortunes()
        told = f'{{"error": {{"message": "wrong: {PROMPT} {TRIGGER_WORD}"}}, "node_errors": {{}}}}'
        refused = {"status": 400, "text": told, "headers": {"Content-Type": "application/json"}}
        return {**known, Fault.REFUSED: ("order", refused)}

    def make_adapter(self, *, shelf: bool = True, **files: str) -> ComfyImageMaker:
        settings = ComfySettings(url=self.server.url, authorization=SecretStr(AUTHORIZATION), timeout_seconds=1.0)
        texts = {**FILES, **{BaseModelName(name): text for name, text in files.items()}}
        found = {base: read_files(base, text) for base, text in texts.items()}
        return ComfyImageMaker(
            settings,
            self.session,
            shelf=Shelf(self.loras, self.tmp_path / "comfy") if shelf else None,
            files={base: one for base, one in found.items() if one is not None},
        )

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
            replace(order, negative_prompt="blurry"),
            replace(order, lora=replace(order.lora, base_model=BaseModelName.SKETCH)),
            replace(order, lora=replace(order.lora, format=LoraFormat.SKETCH)),
            replace(order, marker="../elsewhere"),
        ]

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        for made in output.images:
            assert made.path.parent == into
            with Image.open(made.path) as image:
                assert (image.format, image.size, image.info) == ("PNG", (720, 1280), {})
                assert image.getpixel((0, 0)) == (made.seed % 256, 40, 90)
