"""Owns the bench of Together's image maker, on a fake Together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from PIL import Image
from pydantic import SecretStr

from providers.base import ImageOrder, LoraFormat, MadeImages
from providers.recipe import BaseModelName
from providers.together.api import TogetherSettings
from providers.together.image_maker import TogetherImageMaker
from tests.fakes.together import KEY, FakeTogether
from tests.providers.contract import Fault
from tests.providers.hosted_bench import HostedBench, Links, make_flux_pictures

_AT_ONCE = "Together answers with the finished pictures: a job has an id only when it is done"


class TogetherBench(HostedBench):
    not_applicable: ClassVar = {
        "a_queued_job_says_so_and_can_be_canceled": _AT_ONCE,
        "a_running_job_can_be_canceled": _AT_ONCE,
        "a_job_without_result_is_not_collected": _AT_ONCE,
        Fault.BUSY_READ: "the spool is on this machine",
        Fault.UNKNOWN_STATUS: _AT_ONCE,
        Fault.TRUNCATED_DOWNLOAD: "nothing is downloaded: the pictures are in the answer to the order",
    }
    secrets = (KEY,)

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.server = self.together = FakeTogether()

    @property
    def accepted_jobs(self) -> int:
        return len(self.together.bill)

    def make_adapter(self) -> TogetherImageMaker:
        settings = TogetherSettings(api_key=SecretStr(KEY), base_url=self.server.url, timeout_seconds=1.0)
        return TogetherImageMaker(settings, self.tmp_path / "together", links=Links())

    def make_order(self, marker: str) -> ImageOrder:
        return make_flux_pictures(self.tmp_path / "lora.safetensors", marker)

    def make_long_order(self, marker: str) -> ImageOrder:
        return replace(self.make_order(marker), count=4)

    def unfit_orders(self) -> Sequence[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=5),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, prompt=" "),
            replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_1_DEV)),
            replace(order, lora=replace(order.lora, format=LoraFormat.SKETCH)),
            replace(order, marker="../elsewhere"),
        ]

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        for made in output.images:
            assert made.path.parent == into
            with Image.open(made.path) as image:
                assert (image.format, image.size) == ("PNG", (720, 1280))
