"""Owns the list of adapters that must keep the contract."""

from tests.providers.contract import Bench
from tests.providers.sketch_bench import SketchImageMakerBench, SketchTrainerBench

BENCHES: dict[str, type[Bench]] = {
    "sketch-trainer": SketchTrainerBench,
    "sketch-image-maker": SketchImageMakerBench,
}
