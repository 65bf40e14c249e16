"""Owns how kohya's sd-scripts are told to train a LoRA: dataset file, prompts, arguments; never starts them.

Read in kohya-ss/sd-scripts v0.10.1 (commit 48d368f, 2026-02-16): the parsers of the three scripts;
`library/config_util.py` for the dataset file, which refuses keys that it doesn't know; docs/flux_train_network.md for
what fits which GPU. The scripts are started by Python itself rather than by `accelerate launch`: for one GPU that makes
no difference, needs no configuration of accelerate, and leaves one process to look after.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from providers.gpu.agent.engine import Command
from providers.gpu.agent.engines.plan import LORA, Plan
from providers.gpu.agent.engines.toml_text import toml
from providers.gpu.agent.engines.training import EngineTraining
from providers.gpu.agent.job import NO_ENGINE, WorkFailed

#: Every epoch starts the data loader anew; fewer, longer ones lose no time with it.
_EPOCHS = 10
#: FLUX.1 wants sides that are multiples of 32; 64 suits all.
_BUCKET_STEP = 64

#: An argument and its value; True for a flag.
Options = Mapping[str, Any]

_8BIT = {"--optimizer_type": "AdamW8bit"}
_FP8 = {"--fp8_base": True}
#: By the GB of the GPU. 24, 12 and 8 are those of docs/flux_train_network.md; it names no number for 16.
_FLUX_PRESETS: Mapping[int, Options] = {
    8: {**_FP8, **_8BIT, "--blocks_to_swap": 28},
    12: {**_FP8, **_8BIT, "--blocks_to_swap": 16},
    16: {**_FP8, **_8BIT, "--blocks_to_swap": 8},
    24: {**_FP8, **_8BIT},
}
#: sd-scripts' documentation has no such table for these two; ours, not measured.
_SDXL_PRESETS: Mapping[int, Options] = {8: {**_FP8, **_8BIT}, 12: _8BIT, 16: _8BIT, 24: _8BIT}
_SD_PRESETS: Mapping[int, Options] = {8: _8BIT, 12: _8BIT, 16: _8BIT, 24: _8BIT}


@dataclass(frozen=True)
class _Script:
    """One of the training scripts, and what it wants for its base model."""

    file: str
    network_module: str
    #: Its options for weights, by the name of the weights in a plan.
    weights: Mapping[str, str]
    presets: Mapping[int, Options]
    options: Options
    #: How pictures on the way are drawn, in the keys of `library.train_util.load_prompts`.
    drawing: Options


_MODEL = {"model": "--pretrained_model_name_or_path"}
_ONLY_UNET = {"--network_train_unet_only": True, "--cache_text_encoder_outputs": True}
_SCRIPTS: Mapping[str, _Script] = {
    "flux.1-dev": _Script(
        file="flux_train_network.py",
        network_module="networks.lora_flux",
        weights={**_MODEL, "clip_l": "--clip_l", "t5xxl": "--t5xxl", "ae": "--ae"},
        presets=_FLUX_PRESETS,
        options={
            **_ONLY_UNET,
            "--guidance_scale": 1.0,
            "--timestep_sampling": "flux_shift",
            "--model_prediction_type": "raw",
        },
        drawing={"sample_steps": 20, "guidance_scale": 3.5, "scale": 1.0},
    ),
    "sdxl": _Script(
        file="sdxl_train_network.py",
        network_module="networks.lora",
        weights=_MODEL,
        presets=_SDXL_PRESETS,
        options=_ONLY_UNET,
        drawing={"sample_steps": 25, "scale": 6.0},
    ),
    "sd-1.5": _Script(
        file="train_network.py",
        network_module="networks.lora",
        weights=_MODEL,
        presets=_SD_PRESETS,
        options={},
        drawing={"sample_steps": 25, "scale": 7.0},
    ),
}

#: The base models that it trains.
BASE_MODELS = frozenset(_SCRIPTS)


class SdScripts(EngineTraining):
    """One training with kohya's sd-scripts."""

    title = "sd-scripts"
    #: What tqdm is told in `train_network.py`.
    bar_label = "steps"
    phases = MappingProxyType(
        {
            "generating sample images": "drawing a sample",
            "saving checkpoint": "saving",
            "model saved": "saving",
            "caching latents": "reading the photos",
            "cache Text Encoder outputs": "reading the captions",
            "caching Text Encoder outputs": "reading the captions",
            "Loading dataset config": "loading the base model",
        }
    )

    def program(self, plan: Plan) -> str:
        """Return the script for this base model."""
        return _script(plan).file

    def files(self, plan: Plan) -> dict[str, str]:
        """Return the dataset file, and the prompts if pictures are wanted."""
        script = _script(plan)
        files = {"dataset.toml": toml(dataset(plan))}
        if plan.draws:
            # As JSON and not as lines, in which words of the prompt could be taken for options.
            drawing = {"width": plan.resolution, "height": plan.resolution, **script.drawing}
            # A seed for each, as ai-toolkit's walk_seed has it: one prompt drawn twice makes two pictures.
            prompts = [{"prompt": text, "seed": plan.seed + n, **drawing} for n, text in enumerate(plan.sample_prompts)]
            files["prompts.json"] = json.dumps(prompts, ensure_ascii=False)
        return files

    def command(self, plan: Plan) -> Command:
        """Return the script with all its arguments."""
        argv = [plan.python, "-u", _script(plan).file]
        for option, value in arguments(plan).items():
            argv += [option] if value is True else [option, _word(value)]
        return Command(argv=argv, cwd=plan.engine_dir, env={"OMP_NUM_THREADS": "1"})

    def result(self, plan: Plan) -> Path:
        """Return where the model lies: as it was a step before its end, if it got no further than to draw."""
        last, spare = plan.work.output / f"{LORA}.safetensors", plan.work.output / _spare(plan)
        return spare if plan.draws and spare.is_file() and not last.exists() else last

    def samples(self, plan: Plan) -> list[Path]:
        """Return the pictures that were drawn so far; their names begin with the step."""
        return sorted((plan.work.output / "sample").glob("*.png"))


def arguments(plan: Plan) -> dict[str, Any]:
    """Return the script's arguments; True for a flag.

    Raises:
        WorkFailed: it has no such base model, or the machine lacks something for it.
    """
    script = _script(plan)
    where = dict(zip(script.weights.values(), plan.weights_of(*script.weights)))
    ours = {
        **where,
        **_files_and_network(plan, script),
        **_learning(plan),
        **script.options,
        **plan.for_memory(script.presets),
        **_on_the_way(plan),
    }
    return {option: value for option, value in {**ours, **_wishes(plan)}.items() if value is not None}


def _wishes(plan: Plan) -> dict[str, Any]:
    """Return the operator's own options; those that say where things are stay ours."""
    wishes = {option if option.startswith("--") else f"--{option}": value for option, value in plan.options.items()}
    if not_theirs := sorted(set(wishes) & set(_files_and_network(plan, _script(plan)))):
        raise WorkFailed(NO_ENGINE, "The options {options} can't be set by hand.", {"options": ", ".join(not_theirs)})
    return {option: None if value is False else value for option, value in wishes.items()}


def dataset(plan: Plan) -> dict[str, Any]:
    """Return the dataset file's content: one folder of images, each with its caption beside it."""
    repeats = max(1, math.ceil(plan.steps / (max(1, plan.photo_count) * _EPOCHS)))
    subset = {"image_dir": str(plan.work.dataset), "class_tokens": plan.trigger_word, "num_repeats": repeats}
    return {
        "general": {"caption_extension": ".txt", "shuffle_caption": False, "keep_tokens": 0},
        "datasets": [
            {
                "resolution": plan.resolution,
                "batch_size": 1,
                "enable_bucket": True,
                "bucket_no_upscale": True,
                "min_bucket_reso": min(256, plan.resolution),
                "max_bucket_reso": plan.resolution * 2,
                "bucket_reso_steps": _BUCKET_STEP,
                "subsets": [subset],
            }
        ],
    }


def program_for(base_model: str) -> str:
    """Return the script that trains for a base model; a KeyError for one that none trains."""
    return _SCRIPTS[base_model].file


def _script(plan: Plan) -> _Script:
    script = _SCRIPTS.get(plan.base_model)
    if script is None:
        raise WorkFailed(
            NO_ENGINE,
            "{provider} can't train for {base_model}.",
            {"provider": "sd-scripts", "base_model": plan.base_model},
        )
    return script


def _files_and_network(plan: Plan, script: _Script) -> dict[str, Any]:
    return {
        "--dataset_config": plan.work.config / "dataset.toml",
        "--output_dir": plan.work.output,
        "--output_name": LORA,
        "--save_model_as": "safetensors",
        "--save_precision": "fp16" if plan.precision == "no" else plan.precision,
        "--network_module": script.network_module,
        "--network_dim": plan.rank,
        "--network_alpha": plan.rank,
    }


def _learning(plan: Plan) -> dict[str, Any]:
    return {
        "--learning_rate": plan.learning_rate,
        "--lr_scheduler": "constant",
        "--max_train_steps": plan.steps,
        "--seed": plan.seed,
        "--mixed_precision": plan.precision,
        "--sdpa": True,
        "--gradient_checkpointing": True,
        "--cache_latents": True,
        "--max_data_loader_n_workers": 0,
        "--no_metadata": True,
        "--console_log_simple": True,
    }


def _on_the_way(plan: Plan) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if plan.save_every:
        options["--save_every_n_steps"] = plan.save_every
    elif plan.draws and plan.sample_every == plan.steps > 1:
        # It draws before it saves, and a GPU that has no room to draw would take the whole training with it.
        options["--save_every_n_steps"] = plan.steps - 1
    if plan.draws:
        options["--sample_prompts"] = plan.work.config / "prompts.json"
        options["--sample_every_n_steps"] = plan.sample_every
    return options


def _spare(plan: Plan) -> str:
    """Return the name of the weights of the step before the last, by `STEP_FILE_NAME` in `library/train_util.py`."""
    return f"{LORA}-step{plan.steps - 1:08d}.safetensors"


def _word(value: Any) -> str:
    return repr(value) if isinstance(value, float) else str(value)
