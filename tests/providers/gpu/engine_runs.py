"""Owns trainings with the stand-ins for engines: a spec, a work folder, and a run from start to verdict."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playground.engine_script import Mood, Trouble
from playground.engines import lay_out_ai_toolkit, lay_out_sd_scripts, lay_out_weights
from providers.gpu.agent.engine import Engine, Work
from providers.gpu.agent.engines import engine_for
from providers.gpu.agent.engines.plan import Plan, plan_of
from providers.gpu.agent.job import Made, Progress, Spec

TRIGGER_WORD = "zxqfox"
LAYERS = {"sd-scripts": lay_out_sd_scripts, "ai-toolkit": lay_out_ai_toolkit}
JPEG = b"\xff\xd8\xff\xe0 not decoded by anybody here"


def make_work(folder: Path, *, photos: int = 3) -> Work:
    """Make the folders of one training."""
    work = Work(dataset=folder / "dataset", config=folder / "config", output=folder / "output")
    for path in (work.dataset, work.config, work.output):
        path.mkdir(parents=True)
    for number in range(photos):
        (work.dataset / f"{number:03}.jpg").write_bytes(JPEG)
        (work.dataset / f"{number:03}.txt").write_text(f"a photo of {TRIGGER_WORD} in the secret garden")
    return work


def make_spec(folder: Path, engine: str, *, mood: Mood | None = None, **changes: Any) -> Spec:
    """Lay an engine out and return a spec for it; `changes` are parts of the recipe or of the settings."""
    recipe: dict[str, Any] = {
        "base_model": "flux.1-dev",
        "trigger_word": TRIGGER_WORD,
        "kind": "animal",
        "steps": 20,
        "rank": 4,
        "learning_rate": 1e-4,
        "resolution": 512,
    }
    settings: dict[str, Any] = {
        "engine_dir": str(LAYERS[engine](folder / "engine", mood)),
        "python": sys.executable,
        "weights": lay_out_weights(folder / "weights"),
        "vram_gb": 24,
    }
    prompts = changes.pop("sample_prompts", ())
    recipe |= {key: value for key, value in changes.items() if key in recipe}
    settings |= {key: value for key, value in changes.items() if key not in recipe}
    return Spec(marker="darkroom-1", engine=engine, recipe=recipe, settings=settings, sample_prompts=tuple(prompts))


def make_plan(folder: Path, engine: str, **changes: Any) -> Plan:
    return plan_of(make_spec(folder, engine, **changes), make_work(folder / "work"))


@dataclass(kw_only=True)
class Run:
    """What came of one training."""

    heard: list[Progress]
    exit_code: int
    made: Made
    printed: bytes


def run(engine: Engine) -> Run:
    """Run an engine as the agent does: bytes split at newlines and carriage returns."""
    command = engine.prepare()
    process = subprocess.run(
        command.argv,
        cwd=command.cwd,
        env={"PATH": "/usr/bin:/bin", **command.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    lines = [line for line in re.split(r"[\r\n]", process.stdout.decode()) if line.strip()]
    heard = [news for line in lines if (news := engine.hear(line))]
    made = engine.judge(process.returncode, lines[-50:])
    return Run(heard=heard, exit_code=process.returncode, made=made, printed=process.stdout)


def train(folder: Path, engine: str, trouble: Trouble = Trouble.NONE, *, photos: int = 3, **changes: Any) -> Run:
    """Train with a stand-in that behaves like this."""
    mood = Mood(trouble=trouble, seconds_a_step=0.0)
    spec = make_spec(folder, engine, mood=mood, **changes)
    return run(engine_for(spec, make_work(folder / "work", photos=photos)))
