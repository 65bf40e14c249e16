"""Owns the list of adapters that must keep the contract."""

from tests.providers.comfy_bench import ComfyBench
from tests.providers.contract import Bench
from tests.providers.fal_bench import FalFlux2TrainerBench, FalImageMakerBench, FalTrainerBench
from tests.providers.gpu.local_bench import LocalAiToolkitBench, LocalBench
from tests.providers.gpu.rented_bench import PaperspaceBench, RunPodBench, RunPodServerlessBench
from tests.providers.gpu.yard_bench import YardBench
from tests.providers.kohya_bench import KohyaBench
from tests.providers.replicate_bench import ReplicateImageMakerBench, ReplicateTrainerBench
from tests.providers.sketch_bench import SketchImageMakerBench, SketchTrainerBench
from tests.providers.together_bench import TogetherBench

BENCHES: dict[str, type[Bench]] = {
    "replicate-trainer": ReplicateTrainerBench,
    "replicate-image-maker": ReplicateImageMakerBench,
    "sketch-trainer": SketchTrainerBench,
    "sketch-image-maker": SketchImageMakerBench,
    "fal-trainer": FalTrainerBench,
    "fal-flux2-trainer": FalFlux2TrainerBench,
    "fal-image-maker": FalImageMakerBench,
    "together-image-maker": TogetherBench,
    "comfy-image-maker": ComfyBench,
    "kohya-image-maker": KohyaBench,
    "gpu-trainer": YardBench,
    "runpod": RunPodBench,
    "runpod-serverless": RunPodServerlessBench,
    "paperspace": PaperspaceBench,
    "local-sd-scripts": LocalBench,
    "local-ai-toolkit": LocalAiToolkitBench,
}
