"""Owns the benches of Replicate and the small orders that its tests use."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from PIL import Image
from pydantic import SecretStr

from providers.artifacts import Artifacts
from providers.base import Aspect, FileLinks, ImageOrder, LoraFile, LoraFormat, MadeImages, TrainedLora, TrainingOrder
from providers.prices import PriceList
from providers.recipe import BaseModelName, Recipe, SubjectKind
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer
from providers.weights import inspect_weights
from tests.fakes import replicate as fakes
from tests.fakes.replicate import FakeReplicate, make_lora
from tests.openapi import Judge, spec_path
from tests.providers.contract import PROMPT, RETRY_AFTER, TRIGGER_WORD, Bench, Fault

SPEC = "replicate.openapi.json"
LINK_SECRET = "signed0123456789signed"
#: As tests.openapi.DEVIATIONS.
DEVIATIONS: tuple[tuple[str, str, str], ...] = (
    (
        "answer",
        r"(results/\d+/)?version",
        "the file allows exactly one of `any text` and `hidden`, so that the documented word `hidden` fits twice",
    ),
)


class Links:
    """Links to files of ours, as a bot with a public URL has them."""

    def link(self, path: Path, *, name: str) -> str | None:
        return f"https://darkroom.example/files/{LINK_SECRET}/{name}"


def make_settings(fake: FakeReplicate, **changes: Any) -> ReplicateSettings:
    return ReplicateSettings(**{"token": SecretStr(fakes.TOKEN), "base_url": fake.base_url} | changes)


def make_recipe(**changes: Any) -> Recipe:
    recipe = Recipe(
        base_model=BaseModelName.FLUX_1_DEV,
        trigger_word=TRIGGER_WORD,
        kind=SubjectKind.ANIMAL,
        steps=300,
        rank=16,
        learning_rate=4e-4,
        resolution=1024,
        autocaption=True,
    )
    return replace(recipe, **changes)


def make_training_order(folder: Path, marker: str = "job-1", **changes: Any) -> TrainingOrder:
    archive = folder / "photos.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("001.jpg", b"not looked into here")
        packed.writestr("001.txt", f"a photo of {TRIGGER_WORD}")
    return TrainingOrder(marker=marker, recipe=make_recipe(**changes), archive=archive, photo_count=12)


def make_image_order(folder: Path, marker: str = "job-1", **changes: Any) -> ImageOrder:
    path = folder / "lora.safetensors"
    path.write_bytes(make_lora())
    lora = LoraFile(
        path=path, base_model=BaseModelName.FLUX_1_DEV, format=LoraFormat.DIFFUSERS, trigger_word=TRIGGER_WORD
    )
    order = ImageOrder(marker=marker, lora=lora, prompt=PROMPT, count=2, seed=5, aspect=Aspect.TALL, strength=0.9)
    return replace(order, **changes)


class ReplicateBench(Bench):
    """Replicate, played on loopback; each exchange is judged by its OpenAPI file at the end."""

    not_applicable: ClassVar[Mapping[str, str]] = {
        "a_job_that_was_cleaned_up_is_not_found": "Replicate keeps its jobs: there is no call to delete one",
    }
    secrets = (fakes.TOKEN, fakes.SECRET, LINK_SECRET)

    #: What an order of this bench says, and a refusal may repeat.
    words: ClassVar[str]

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.fake = FakeReplicate()
        self.made: list[ReplicateTrainer | ReplicateImageMaker] = []

    async def start(self) -> None:
        await self.fake.start()

    async def stop(self) -> None:
        for adapter in self.made:
            await adapter.close()
        await self.fake.stop()
        assert_conforms(self.fake)

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.fake.busy = True
        try:
            yield
        finally:
            self.fake.busy = False

    async def inject(self, fault: Fault) -> None:
        fake = self.fake
        echo = f"- input: {self.words} at https://x.example/{LINK_SECRET} is not allowed"
        answers = {
            Fault.BAD_KEY: fakes.planned(401, f"Unauthenticated: {fakes.TOKEN}"),
            Fault.NO_CREDIT: fakes.planned(402, "You have insufficient credit to run this model"),
            Fault.REFUSED: fakes.planned(422, echo),
            Fault.RATE_LIMITED: fakes.planned(429, "Request was throttled.", {"Retry-After": f"{RETRY_AFTER:g}"}),
            Fault.BROKEN_AFTER_ACCEPTING: fakes.accepted_and_broken,
            Fault.SILENT_AFTER_ACCEPTING: fakes.accepted_and_silent,
            Fault.CUT_AFTER_ACCEPTING: fakes.accepted_and_cut,
            Fault.UNREADABLE_AFTER_ACCEPTING: fakes.accepted_and_unreadable,
        }
        match fault:
            case Fault.UNREACHABLE:
                await fake.stop()
            case Fault.BUSY_READ:
                fake.read_faults.append(503)
            case Fault.UNKNOWN_STATUS:
                fake.next_status = "pondering"
            case Fault.TRUNCATED_DOWNLOAD:
                fake.cut_downloads = 1
            case _:
                fake.paid_faults.append(answers[fault])

    @property
    def accepted_jobs(self) -> int:
        return len(self.fake.bill)

    def webhook(self, remote_id: str) -> tuple[dict[str, str], bytes]:
        return self.fake.webhook(remote_id)

    def make(
        self,
        kind: Any,
        *,
        links: FileLinks | None = None,
        prices: PriceList | None = None,
        **settings: Any,
    ) -> Any:
        """Make an adapter with other settings; closed at the end."""
        adapter = kind(
            make_settings(self.fake, **settings),
            links=links,
            prices=prices,
            artifacts=Artifacts(loopback=True),
            call_seconds=1.0,
        )
        self.made.append(adapter)
        return adapter


class ReplicateTrainerBench(ReplicateBench):
    words = f"a photo of {TRIGGER_WORD}, taken; {TRIGGER_WORD}"

    def make_adapter(self) -> ReplicateTrainer:
        return self.make(ReplicateTrainer)

    def make_order(self, marker: str) -> TrainingOrder:
        return make_training_order(self.tmp_path, marker)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return make_training_order(self.tmp_path, marker, steps=6000)

    def unfit_orders(self) -> list[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=make_recipe(steps=7000)),
            replace(order, recipe=make_recipe(rank=129)),
            replace(order, recipe=make_recipe(learning_rate=5.0)),
            replace(order, recipe=make_recipe(resolution=640)),
            replace(order, recipe=make_recipe(base_model=BaseModelName.FLUX_2_DEV)),
            replace(order, marker="../elsewhere"),
            replace(order, archive=self.tmp_path / "missing.zip"),
        ]

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        assert [path.name for path in into.iterdir()] == ["lora.safetensors"]
        assert output.path == into / "lora.safetensors"
        assert output.format is LoraFormat.DIFFUSERS
        assert output.base_model is BaseModelName.FLUX_1_DEV
        assert inspect_weights(output.path).tensors == output.facts["tensors"] == 4
        assert output.facts["replicate_version"].startswith(f"{fakes.OWNER}/darkroom-loras:")


class ReplicateImageMakerBench(ReplicateBench):
    words = f"{PROMPT} of {TRIGGER_WORD}"

    def make_adapter(self) -> ReplicateImageMaker:
        return self.make(ReplicateImageMaker, links=Links())

    def make_order(self, marker: str) -> ImageOrder:
        return make_image_order(self.tmp_path, marker)

    def make_long_order(self, marker: str) -> ImageOrder:
        return make_image_order(self.tmp_path, marker, count=4)

    def unfit_orders(self) -> list[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=5),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, prompt=" "),
            replace(order, lora=replace(order.lora, format=LoraFormat.SKETCH)),
            replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_2_DEV)),
            replace(order, marker="../elsewhere"),
        ]

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert len(output.images) == order.count
        assert output.withheld == 0
        for made in output.images:
            assert made.path.parent == into
            assert made.seed == order.seed
            with Image.open(made.path) as image:
                assert image.size == (made.width, made.height)
                assert image.format == "PNG"


def assert_conforms(fake: FakeReplicate) -> None:
    """Hold all that was said to Replicate's OpenAPI file; without the file nothing is judged."""
    path = spec_path(SPEC)
    if path is None:
        return
    judge = Judge(path, owner="Replicate", deviations=DEVIATIONS, failures=None)
    complaints = [complaint for exchange in fake.exchanges for complaint in judge.complaints(exchange)]
    assert not complaints, "\n".join(dict.fromkeys(complaints))
