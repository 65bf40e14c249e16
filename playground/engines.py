"""Owns the folders that stand in for checkouts of trainers; what runs in them is in the modules of the trainers."""

from pathlib import Path

from playground.engine_script import Mood

SD_SCRIPTS = ("flux_train_network.py", "sdxl_train_network.py", "train_network.py")
#: Weights that a settings file would name; the stand-ins only look whether they are there.
WEIGHTS = ("model", "clip_l", "t5xxl", "ae")

_ABOUT = "This is no trainer but a stand-in for one: it trains nothing. It belongs to Darkroom's playground.\n"
_SCRIPT = """{about}
import sys
from pathlib import Path

sys.path.insert(0, {root!r})
from playground.{module} import main

main({arguments}Path(__file__).parent)
"""


def lay_out_sd_scripts(folder: Path, mood: Mood | None = None) -> Path:
    """Make a folder that stands in for a checkout of kohya's sd-scripts, and return it."""
    for script in SD_SCRIPTS:
        _write(folder, script, module="sd_scripts", arguments=f"{script!r}, ")
    (mood or Mood()).save(folder)
    return folder


def lay_out_ai_toolkit(folder: Path, mood: Mood | None = None) -> Path:
    """Make a folder that stands in for a checkout of ostris' ai-toolkit, and return it."""
    _write(folder, "run.py", module="ai_toolkit", arguments="")
    (mood or Mood()).save(folder)
    return folder


def lay_out_weights(folder: Path) -> dict[str, str]:
    """Make files that stand in for weights, and return where they are by their names."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in WEIGHTS:
        (folder / f"{name}.safetensors").write_text(_ABOUT)
    return {name: str(folder / f"{name}.safetensors") for name in WEIGHTS}


def _write(folder: Path, script: str, *, module: str, arguments: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    about = f'"""{_ABOUT.strip()}"""'
    root = str(Path(__file__).resolve().parents[1])
    (folder / script).write_text(_SCRIPT.format(about=about, root=root, module=module, arguments=arguments))
