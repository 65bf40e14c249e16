"""Owns how Sketch is switched on, or rather off."""

from pydantic import BaseModel, Field

from providers.entry import Adapters, ProviderEntry, Setup
from providers.sketch.image_maker import SketchImageMaker
from providers.sketch.trainer import SketchTrainer


class SketchOptions(BaseModel):
    """What an operator can set."""

    darkroom_sketch: bool = Field(
        default=True, description="Offer Sketch, the small trainer on this machine: true or false."
    )
    darkroom_sketch_slots: int = Field(
        default=0, ge=0, description="How many Sketch jobs may compute at once; 0 for one fewer than there are cores."
    )


def build(options: SketchOptions, setup: Setup) -> Adapters:
    """Return the trainer and the image maker, which share a folder."""
    if not options.darkroom_sketch:
        return Adapters()
    folder, slots = setup.folder / "sketch", options.darkroom_sketch_slots or None
    trainer, maker = SketchTrainer(folder, slots=slots), SketchImageMaker(folder, slots=slots)
    return Adapters(trainers={trainer.name: trainer}, image_makers={maker.name: maker})


SKETCH = ProviderEntry(name="sketch", title="Sketch", options=SketchOptions, switch="darkroom_sketch", build=build)
