"""Owns the stand-in for kohya's sd-scripts: takes exactly their arguments, prints what they print, trains nothing."""

import argparse
import json
import os
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from playground.engine_goods import MODULES, lora_bytes, png_bytes, write_goods
from playground.engine_script import Mood, Stage, TrainingStopped, as_a_script, save, say

#: The options of the real scripts, and where and when they were read.
OPTIONS: Mapping[str, Any] = json.loads(Path(__file__).with_name("engine_options.json").read_text())["sd-scripts"]
_TYPES = {"int": int, "float": float, "int_or_float": float}
_IMAGES = {".png", ".jpg", ".jpeg", ".webp", ".bmp"}
#: What each script must be told of weights, all of them files.
_WEIGHTS = {"flux_train_network.py": ("pretrained_model_name_or_path", "clip_l", "t5xxl", "ae")}
_MODEL_ONLY = ("pretrained_model_name_or_path",)


def main(script: str, folder: Path) -> None:
    """Be one of the scripts.

    Args:
        script: "flux_train_network.py" and the like.
        folder: Where the stand-in lies, with its mood.
    """
    options = parser_of(script).parse_args()
    with as_a_script():
        _train(script, options, Mood.read(folder))


def parser_of(script: str) -> argparse.ArgumentParser:
    """Return a parser with the options of a script; like the real one, it takes unique beginnings of them too."""
    parser = argparse.ArgumentParser(prog=script)
    for option, kind in {**OPTIONS["options"], **OPTIONS["more"][script]}.items():
        if kind == "flag":
            parser.add_argument(option, action="store_true")
        elif isinstance(kind, list):
            parser.add_argument(option, choices=kind)
        else:
            many = "*" if kind.endswith("*") else None
            parser.add_argument(option, type=_TYPES.get(kind.rstrip("*"), str), nargs=many)
    return parser


def _train(script: str, options: argparse.Namespace, mood: Mood) -> None:
    _check(script, options)
    say(f"Loading dataset config from {options.dataset_config}")
    photos = _photos(Path(options.dataset_config))
    if not photos:
        say("No data found. Please verify arguments (train_data_dir must be the parent of folders with images)")
        return
    output, name = Path(options.output_dir), options.output_name
    say("preparing accelerator\ncaching latents...")
    say("running training / 学習開始")
    stage = Stage(mood, "steps", options.max_train_steps)
    stage.begin()
    total = 0.0
    for number in range(1, options.max_train_steps + 1):
        total += stage.loss(number)
        stage.step(number, f"avr_loss={total / number:.3g}")
        _on_the_way(stage, options, number, script)
    stage.end()
    path = output / f"{name}.safetensors"
    say(f"\nsaving checkpoint: {path}")
    save(mood, path, _lora(script, options, photos))
    say("model saved.")


def _check(script: str, options: argparse.Namespace) -> None:
    for weights in _WEIGHTS.get(script, _MODEL_ONLY):
        path = getattr(options, weights)
        if path is None or not os.path.exists(path):  # noqa: PTH110 - the real script's argument is text
            raise TrainingStopped(f"FileNotFoundError: No such file or directory: {path}")
    if options.network_module is None or options.dataset_config is None:
        raise TrainingStopped("AttributeError: 'NoneType' object has no attribute 'split'")


def _photos(config: Path) -> list[Path]:
    """Return the photos of a dataset file, which may only have keys that the real scripts know."""
    dataset, known = tomllib.loads(config.read_text()), OPTIONS["dataset"]
    found: list[Path] = []
    _only_known(dataset.get("general", {}), known["general"])
    for one in dataset["datasets"]:
        _only_known(one, known["datasets"])
        if one.get("bucket_reso_steps", 64) % 32:
            raise TrainingStopped("AssertionError: bucket_reso_steps is not divisible by 32")
        for subset in one["subsets"]:
            _only_known(subset, known["subsets"])
            folder = Path(subset["image_dir"])
            found += [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _IMAGES]
    return found


def _only_known(table: Mapping[str, Any], known: Sequence[str]) -> None:
    if strange := set(table) - set(known):
        raise TrainingStopped(f"voluptuous.error.MultipleInvalid: extra keys not allowed @ data['{strange.pop()}']")


def _on_the_way(stage: Stage, options: argparse.Namespace, number: int, script: str) -> None:
    """Draw and save what was asked for at this step, in the order of the real ones."""
    output, name = Path(options.output_dir), options.output_name
    if options.sample_every_n_steps and number % options.sample_every_n_steps == 0:
        say(f"\ngenerating sample images at step / サンプル画像生成 ステップ: {number}")
        stamp = time.strftime("%Y%m%d%H%M%S")
        for index, prompt in enumerate(json.loads(Path(options.sample_prompts).read_text())):
            stage.draw()
            file = f"{name}_{number:06d}_{index:02d}_{stamp}_{prompt['seed']}.png"
            write_goods(output / "sample" / file, png_bytes(64, 80 + (number + index) % 100))
    if options.save_every_n_steps and number % options.save_every_n_steps == 0:
        path = output / f"{name}-step{number:08d}.safetensors"
        say(f"\nsaving checkpoint: {path}")
        write_goods(path, lora_bytes(MODULES[script], options.network_dim, {}))


def _lora(script: str, options: argparse.Namespace, photos: Sequence[Path]) -> bytes:
    """Return the file with the metadata that the real scripts write: much, or with --no_metadata a little."""
    metadata = {
        "ss_v2": "False",
        "ss_base_model_version": {"flux_train_network.py": "flux1"}.get(script, "sdxl_base_v1-0"),
        "ss_network_module": options.network_module,
        "ss_network_dim": str(options.network_dim),
        "ss_network_alpha": str(options.network_alpha),
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.title": options.output_name,
        "modelspec.date": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }
    if not options.no_metadata:
        folder = photos[0].parent
        captions = {path.stem: path.read_text().strip() for path in folder.glob("*.txt")}
        metadata |= {
            "ss_dataset_dirs": json.dumps({folder.name: {"n_repeats": 1, "img_count": len(photos)}}),
            "ss_tag_frequency": json.dumps({folder.name: dict.fromkeys(captions.values(), 1)}),
            "ss_training_comment": f"python {' '.join(sys.argv)}",
        }
    return lora_bytes(MODULES[script], options.network_dim, metadata)
