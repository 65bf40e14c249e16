"""Owns how ostris' ai-toolkit is told to train a LoRA: its one configuration file; never starts it.

Read in ostris/ai-toolkit 0.12.26 (commit 27a03a9, 2026-08-21): `toolkit/config.py` reads the file, as JSON where its
name ends in .json; `toolkit/config_modules.py` has the keys of its sections, which ignore what they don't know;
config/examples/train_lora_flux_24gb.yaml and `ui/src/app/jobs/new/options.tsx` say what each model wants.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from providers.gpu.agent.engine import Command
from providers.gpu.agent.engines.plan import LORA, Plan
from providers.gpu.agent.engines.training import EngineTraining
from providers.gpu.agent.job import NO_ENGINE, WorkFailed

_FLOW = {"noise_scheduler": "flowmatch"}
_QUANTIZED = {"quantize": True, "quantize_te": True}
#: By base model: the keys of the sections "model", "train" and "sample".
_MODELS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "flux.1-dev": {
        "model": {"arch": "flux", **_QUANTIZED},
        "train": _FLOW,
        "sample": {"sampler": "flowmatch", "guidance_scale": 4},
    },
    "flux.2-dev": {
        "model": {"arch": "flux2", **_QUANTIZED, "qtype": "qfloat8", "low_vram": True},
        "train": {**_FLOW, "timestep_type": "weighted"},
        "sample": {"sampler": "flowmatch", "guidance_scale": 4},
    },
    "sdxl": {
        "model": {"arch": "sdxl"},
        "train": {"noise_scheduler": "ddpm"},
        "sample": {"sampler": "ddpm", "guidance_scale": 6},
    },
    "sd-1.5": {
        "model": {"arch": "sd1"},
        "train": {"noise_scheduler": "ddpm"},
        "sample": {"sampler": "ddpm", "guidance_scale": 6},
    },
}
#: By the GB of the GPU, for the models that are quantized. ai-toolkit speaks of 24 GB; the smaller ones move layers to
#: main memory and back, at the cost of speed. Ours, not measured.
_PRESETS: Mapping[int, Mapping[str, Any]] = {
    8: {"low_vram": True, "layer_offloading": True, "layer_offloading_transformer_percent": 1.0},
    12: {"low_vram": True, "layer_offloading": True, "layer_offloading_transformer_percent": 0.8},
    16: {"low_vram": True, "layer_offloading": True, "layer_offloading_transformer_percent": 0.4},
    24: {},
}

#: The base models that it trains.
BASE_MODELS = frozenset(_MODELS)
#: Share of the steps that see a photo without its caption, as in its example.
CAPTION_DROPOUT = 0.05
#: Its configuration; the ending makes its loader read JSON.
CONFIG = "config.json"
#: Sections that an operator's options may go into, as "train.optimizer".
SECTIONS = ("network", "save", "train", "model", "sample")


class AiToolkit(EngineTraining):
    """One training with ostris' ai-toolkit, by its command line."""

    title = "ai-toolkit"
    #: It takes the job's name.
    bar_label = LORA
    nan_line = "loss is nan"
    phases = MappingProxyType(
        {
            "Generating baseline samples": "drawing a sample",
            "Generating Images": "drawing a sample",
            "Saving at step": "saving",
            "Caching latents": "reading the photos",
            "Loading transformer": "loading the base model",
            "Quantizing": "loading the base model",
            "# Running job": "loading the base model",
        }
    )

    def program(self, plan: Plan) -> str:
        """Return its one program."""
        return "run.py"

    def files(self, plan: Plan) -> dict[str, str]:
        """Return the configuration."""
        text = json.dumps(config(plan), indent=2, ensure_ascii=False)
        if "${" in text or "[name]" in text:
            # Its loader would take them for a variable of the environment, and for the job's name.
            raise WorkFailed(
                NO_ENGINE,
                "ai-toolkit can't take {these} in a trigger word, a prompt or a path.",
                {"these": "${, [name]"},
            )
        return {CONFIG: text}

    def command(self, plan: Plan) -> Command:
        """Return how it is started."""
        argv = [plan.python, "-u", "run.py", str(plan.work.config / CONFIG)]
        return Command(argv=argv, cwd=plan.engine_dir, env={"NO_ALBUMENTATIONS_UPDATE": "1"})

    def result(self, plan: Plan) -> Path:
        """Return where the model lies after a training that went well."""
        return plan.work.output / LORA / f"{LORA}.safetensors"

    def samples(self, plan: Plan) -> list[Path]:
        """Return the pictures that were drawn so far; their names begin with the time."""
        folder = plan.work.output / LORA / "samples"
        return sorted(path for path in folder.glob("*") if path.suffix in {".jpg", ".png"})


def config(plan: Plan) -> dict[str, Any]:
    """Return the configuration as its loader will see it.

    Raises:
        WorkFailed: it has no such base model, or the machine lacks something for it.
    """
    kind = _MODELS.get(plan.base_model)
    if kind is None:
        raise WorkFailed(
            NO_ENGINE,
            "{provider} can't train for {base_model}.",
            {"provider": "ai-toolkit", "base_model": plan.base_model},
        )
    [model] = plan.weights_of("model")
    smaller = plan.for_memory(_PRESETS) if kind["model"].get("quantize") else {}
    process: dict[str, Any] = {
        "type": "sd_trainer",
        "training_folder": str(plan.work.output),
        "device": "cuda:0" if plan.precision != "no" else "cpu",
        "network": {"type": "lora", "linear": plan.rank, "linear_alpha": plan.rank},
        "save": {"dtype": "float16", "save_every": plan.save_every or plan.steps + 1, "max_step_saves_to_keep": 4},
        "datasets": [_dataset(plan)],
        "train": {**_training(plan), **kind["train"]},
        "model": {"name_or_path": model, **kind["model"], **smaller},
        "sample": _sample(plan, kind["sample"]),
    }
    _put_wishes(plan, process)
    return {"job": "extension", "config": {"name": LORA, "process": [process]}}


def _dataset(plan: Plan) -> dict[str, Any]:
    return {
        "folder_path": str(plan.work.dataset),
        "caption_ext": "txt",
        "default_caption": plan.trigger_word,
        "caption_dropout_rate": CAPTION_DROPOUT if plan.caption_dropout is None else plan.caption_dropout,
        "shuffle_tokens": False,
        "cache_latents_to_disk": True,
        "resolution": [plan.resolution],
    }


def _training(plan: Plan) -> dict[str, Any]:
    return {
        "batch_size": 1,
        "steps": plan.steps,
        "gradient_accumulation": 1,
        "train_unet": True,
        "train_text_encoder": False,
        "gradient_checkpointing": True,
        "optimizer": "adamw8bit" if plan.precision != "no" else "adamw",
        "lr": plan.learning_rate,
        "dtype": {"no": "float32"}.get(plan.precision, plan.precision),
        "disable_sampling": not plan.draws,
        "skip_first_sample": True,
    }


def _sample(plan: Plan, kind: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **kind,
        "width": plan.resolution,
        "height": plan.resolution,
        "sample_every": plan.sample_every or plan.steps + 1,
        "sample_steps": 20,
        "seed": plan.seed,
        "walk_seed": True,
        "neg": "",
        "prompts": list(plan.sample_prompts) if plan.draws else [],
    }


def _put_wishes(plan: Plan, process: dict[str, Any]) -> None:
    """Put the operator's own options where they belong."""
    for option, value in plan.options.items():
        section, _, key = option.partition(".")
        if section not in SECTIONS or not key:
            raise WorkFailed(
                NO_ENGINE, "ai-toolkit's option {option} isn't of a form such as train.optimizer.", {"option": option}
            )
        if value is None:
            process[section].pop(key, None)
        else:
            process[section][key] = value
