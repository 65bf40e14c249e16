"""Owns the benches of Sketch and the small photos, archives and orders that its tests use."""

import io
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from providers.base import Aspect, ImageOrder, LoraFile, LoraFormat, MadeImages, TrainedLora, TrainingOrder
from providers.disk import try_lock
from providers.recipe import BaseModelName, Recipe, SubjectKind
from providers.sketch.fitting import Fitting
from providers.sketch.image_maker import SketchImageMaker
from providers.sketch.model import SketchModel, load_model, save_model
from providers.sketch.trainer import SketchTrainer
from tests.providers.contract import PROMPT, TRIGGER_WORD, Bench, Fault, until


@cache
def make_photo(number: int, size: int = 128) -> Image.Image:
    """Draw a round face that stands elsewhere in each photo."""
    rng = np.random.default_rng(number)
    image = Image.new("RGB", (size, size), tuple(int(c) for c in rng.integers(90, 200, 3)))
    pen = ImageDraw.Draw(image)
    x, y = (int(size / 2 + away * size) for away in rng.uniform(-0.12, 0.12, 2))
    radius = int(size * rng.uniform(0.2, 0.3))
    pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=(240, 190, 60))
    for side in (-1, 1):
        eye = x + side * radius // 2
        pen.ellipse([eye - 6, y - 16, eye + 6, y - 4], fill=(30, 30, 40))
    pen.rectangle([x - radius // 2, y + radius // 3, x + radius // 2, y + radius // 3 + 5], fill=(180, 40, 50))
    return image


def make_archive(path: Path, count: int = 4, *, extra: dict[str, bytes] | None = None) -> Path:
    """Write a training archive."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(count):
            jpeg = io.BytesIO()
            make_photo(number).save(jpeg, "JPEG", quality=92)
            archive.writestr(f"{number + 1:03}.jpg", jpeg.getvalue())
            archive.writestr(f"{number + 1:03}.txt", f"a photo of {TRIGGER_WORD}")
        archive.writestr("manifest.json", "{}")
        for name, content in (extra or {}).items():
            archive.writestr(name, content)
    return path


@cache
def make_model() -> SketchModel:
    """Train a model of 64 px, a size that only tests use, in this process."""
    photos = [np.asarray(make_photo(number, 80)) for number in range(4)]
    fitting = Fitting(photos, 64, [])
    for _ in fitting.run(12):
        pass
    return SketchModel(trigger_word=TRIGGER_WORD, resolution=64, photos=photos, plan=fitting.plan)


def make_recipe(**changes: object) -> Recipe:
    recipe = Recipe(
        base_model=BaseModelName.SKETCH,
        trigger_word=TRIGGER_WORD,
        kind=SubjectKind.OBJECT,
        steps=12,
        rank=16,
        learning_rate=1e-4,
        resolution=128,
        autocaption=False,
    )
    return replace(recipe, **changes)


def make_training_order(archive: Path, marker: str = "training-1", **changes: object) -> TrainingOrder:
    return TrainingOrder(marker=marker, recipe=make_recipe(**changes), archive=archive, photo_count=4)


def make_image_order(path: Path, marker: str = "pictures-1", **changes: object) -> ImageOrder:
    lora = LoraFile(path=path, base_model=BaseModelName.SKETCH, format=LoraFormat.SKETCH, trigger_word=TRIGGER_WORD)
    order = ImageOrder(marker=marker, lora=lora, prompt=PROMPT, count=1, seed=5, aspect=Aspect.TALL, strength=0.8)
    return replace(order, **changes)


def is_free(lock: Path) -> bool:
    """Tell whether nobody holds a lock."""
    held = try_lock(lock)
    if held is not None:
        os.close(held)
    return held is not None


class SketchBench(Bench):
    """Sketch in a folder of its own, with one slot."""

    not_applicable = dict.fromkeys(Fault, "Sketch works in a folder of this machine, without keys, prices or a network")

    @property
    def folder(self) -> Path:
        return self.tmp_path / "sketch"

    async def stop(self) -> None:
        """Stop all workers and wait until they are gone."""
        for lock in self.folder.glob("*/*/lock"):
            (lock.parent / "cancel").touch()
        for lock in self.folder.glob("*/*/lock"):
            await until(lambda lock=lock: is_free(lock))

    @contextmanager
    def busy(self) -> Iterator[None]:
        (self.folder / "slots").mkdir(parents=True, exist_ok=True)
        held = try_lock(self.folder / "slots" / "0.lock")
        assert held is not None
        try:
            yield
        finally:
            os.close(held)


class SketchTrainerBench(SketchBench):
    def make_adapter(self) -> SketchTrainer:
        return SketchTrainer(self.folder, slots=1)

    def make_order(self, marker: str) -> TrainingOrder:
        return make_training_order(self._archive(), marker)

    def make_long_order(self, marker: str) -> TrainingOrder:
        return make_training_order(self._archive(), marker, steps=240)

    def unfit_orders(self) -> list[TrainingOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, photo_count=1),
            replace(order, recipe=make_recipe(steps=3)),
            replace(order, recipe=make_recipe(resolution=1024)),
            replace(order, recipe=make_recipe(base_model=BaseModelName.FLUX_1_DEV)),
            replace(order, marker="../elsewhere"),
        ]

    def check_output(self, output: TrainedLora, order: TrainingOrder, into: Path) -> None:
        assert output.path.parent == into
        assert output.format is LoraFormat.SKETCH
        assert output.base_model is BaseModelName.SKETCH
        assert output.facts["loss"] < output.facts["first_loss"]
        assert load_model(output.path).trigger_word == order.recipe.trigger_word

    def _archive(self) -> Path:
        return make_archive(self.tmp_path / "photos.zip")


class SketchImageMakerBench(SketchBench):
    def make_adapter(self) -> SketchImageMaker:
        return SketchImageMaker(self.folder, slots=1)

    def make_order(self, marker: str) -> ImageOrder:
        return make_image_order(self._model(), marker)

    def make_long_order(self, marker: str) -> ImageOrder:
        return make_image_order(self._model(), marker, count=4, aspect=Aspect.SQUARE)

    def unfit_orders(self) -> list[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=0),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, lora=replace(order.lora, format=LoraFormat.KOHYA)),
            replace(order, marker="../elsewhere"),
        ]

    def check_output(self, output: MadeImages, order: ImageOrder, into: Path) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        for made in output.images:
            assert made.path.parent == into
            with Image.open(made.path) as image:
                image.load()
                assert (image.format, image.size) == ("PNG", (made.width, made.height))

    def _model(self) -> Path:
        path = self.tmp_path / "sketch.safetensors"
        save_model(make_model(), path)
        return path
