"""Owns the stand-in for ostris' ai-toolkit: reads its configuration, prints what it prints, trains nothing."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playground.engine_goods import MODULES, lora_bytes, png_bytes, write_goods
from playground.engine_script import Mood, Stage, TrainingStopped, Trouble, as_a_script, save, say

#: The keys of the real one, and where and when they were read.
KNOWN: Mapping[str, Any] = json.loads(Path(__file__).with_name("engine_options.json").read_text())["ai-toolkit"]
_IMAGES = {".png", ".jpg", ".jpeg", ".webp"}


def main(folder: Path) -> None:
    """Be run.py.

    Args:
        folder: Where the stand-in lies, with its mood.
    """
    options = parser_of().parse_args()
    say(f"Running {len(options.config_file_list)} job{'' if len(options.config_file_list) == 1 else 's'}")
    with as_a_script():
        for file in options.config_file_list:
            try:
                _train(json.loads(Path(file).read_text()), Mood.read(folder))
            except TrainingStopped as error:
                say(f"Error running job: {str(error).partition(': ')[2]}")
                raise


def parser_of() -> argparse.ArgumentParser:
    """Return a parser with the arguments of run.py."""
    parser = argparse.ArgumentParser(prog="run.py")
    parser.add_argument("config_file_list", nargs="+", type=str)
    parser.add_argument("-r", "--recover", action="store_true")
    parser.add_argument("-n", "--name", type=str, default=None)
    parser.add_argument("-l", "--log", type=str, default=None)
    return parser


def _train(config: Mapping[str, Any], mood: Mood) -> None:
    name, process = config["config"]["name"], config["config"]["process"][0]
    say(f"\n#############################################\n# Running job: {name}\n######\n")
    folder = Path(process["datasets"][0]["folder_path"])
    photos = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _IMAGES]
    say("Loading Flux model\nLoading transformer\nQuantizing transformer\nLoading VAE")
    if not photos:
        raise TrainingStopped(f"AssertionError: no images found in {folder}")
    root, steps = Path(process["training_folder"]) / name, int(process["train"]["steps"])
    say(f"Caching latents for {folder}")
    stage = Stage(mood, name, steps)
    stage.begin()
    for number in range(1, steps + 1):
        loss = stage.loss(number)
        if loss != loss:  # noqa: PLR0124 - the one way to ask for NaN that needs no import; ai-toolkit takes 0 then
            say("loss is nan")
            loss = 0.0
        stage.step(number, f"lr: {float(process['train']['lr']):.1e} loss: {loss:.3e}")
        _on_the_way(stage, process, root, name, number)
    stage.end()
    modules = MODULES[process["model"]["arch"]]
    save(
        mood,
        root / f"{name}.safetensors",
        lora_bytes(modules, int(process["network"]["linear"]), _metadata(name, steps)),
    )
    # The real one draws once more at the end, when the model is safe.
    _draw(stage, process, root, steps)
    if mood.trouble is not Trouble.NO_FILE:
        say(f"Saved checkpoint to {root / name}.safetensors")


def _on_the_way(stage: Stage, process: Mapping[str, Any], root: Path, name: str, number: int) -> None:
    """Save and draw what was asked for at this step."""
    if number % int(process["save"]["save_every"]) == 0:
        say(f"\nSaving at step {number}")
        modules, rank = MODULES[process["model"]["arch"]], int(process["network"]["linear"])
        write_goods(root / f"{name}_{number:09d}.safetensors", lora_bytes(modules, rank, {}))
    if number < int(process["train"]["steps"]) and number % int(process["sample"]["sample_every"]) == 0:
        _draw(stage, process, root, number)


def _draw(stage: Stage, process: Mapping[str, Any], root: Path, number: int) -> None:
    """Draw every prompt, unless it is told not to."""
    if process["train"]["disable_sampling"]:
        return
    for index, _ in enumerate(process["sample"]["prompts"]):
        stage.draw()
        file = f"{int(time.time() * 1000)}__{number:09d}_{index}.jpg"
        write_goods(root / "samples" / file, png_bytes(64, 80 + (number + index) % 100))


def _metadata(name: str, steps: int) -> dict[str, str]:
    software = {"name": "ai-toolkit", "repo": KNOWN["repository"], "version": KNOWN["version"]}
    return {
        "format": "pt",
        "software": json.dumps(software),
        "training_info": json.dumps({"step": steps, "epoch": 1}),
        "ss_base_model_version": "flux1",
        "ss_output_name": name,
        "sshs_model_hash": "0" * 64,
    }
