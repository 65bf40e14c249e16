"""Owns how kohya's script is told what to draw; never starts it.

The options are those of flux_minimal_inference.py in kohya-ss/sd-scripts v0.10.1 (2026-02-16); a test holds what is
made here to their list. The script is run as it is meant for conversations: it loads the model once and reads a prompt
a line, so that several pictures cost one start, and no prompt stands in the list of processes.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.base import ImageOrder
from providers.picture_orders import all_loras
from providers.picture_size import PIXELS

SCRIPT = "flux_minimal_inference.py"
#: As for the other image makers of FLUX.1 [dev].
_STEPS, _GUIDANCE = 28, 3.5


@dataclass(frozen=True, kw_only=True)
class KohyaTools:
    """Where sd-scripts and the files of FLUX.1 [dev] are."""

    folder: Path
    #: The Python that sd-scripts is installed in.
    python: str
    #: Diffusion model, CLIP-L, T5, VAE.
    diffusion_model: Path
    clip_l: Path
    t5: Path
    vae: Path

    @property
    def script(self) -> Path:
        """Return the script."""
        return self.folder / SCRIPT

    @property
    def weights(self) -> Sequence[Path]:
        """Return all files of the model."""
        return (self.diffusion_model, self.clip_l, self.t5, self.vae)


def arguments(tools: KohyaTools, order: ImageOrder, loras: Sequence[Path], output: Path) -> list[str]:
    """Return the command.

    Args:
        tools: Where everything is.
        order: What is wanted; its prompt is not among the arguments, see `lines`.
        loras: Copies of its LoRAs, in their order.
        output: Where the pictures go.
    """
    weighed = [f"{path};{one.strength:g}" for path, one in zip(loras, all_loras(order), strict=True)]
    return [
        tools.python,
        str(tools.script),
        *("--ckpt_path", str(tools.diffusion_model)),
        *("--clip_l", str(tools.clip_l)),
        *("--t5xxl", str(tools.t5)),
        *("--ae", str(tools.vae)),
        *("--dtype", "bf16"),
        # Half of the memory, for a difference that is hard to see; with --offload it fits into 16 GB.
        *("--flux_dtype", "fp8"),
        "--offload",
        *("--lora_weights", *weighed),
        *("--output_dir", str(output)),
        "--interactive",
    ]


def lines(order: ImageOrder) -> str:
    """Return what the script reads: a line for each picture, and an empty one, which ends it."""
    width, height = PIXELS[order.aspect]
    # Two hyphens would begin an option.
    prompt = re.sub(r"-{2,}", "—", " ".join(order.prompt.split()))
    drawn = [
        f"{prompt} --w {width} --h {height} --s {_STEPS} --g {_GUIDANCE} --d {order.seed + number}\n"
        for number in range(order.count)
    ]
    return "".join([*drawn, "\n"])
