"""Owns how training on this machine's own GPU is switched on, and what an operator says of what is installed here."""

import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from providers.disk import gpu_lock
from providers.entry import Adapters, ProviderEntry, Setup
from providers.gpu.local import LocalBox
from providers.gpu.local_engine import LocalEngine
from providers.gpu.mailbox import MailboxLeases
from providers.gpu.trainer import GpuTrainer
from providers.recipe import BaseModelName

#: A training on a small GPU takes its time.
_MAX_SECONDS = 24 * 3600.0


class LocalOptions(BaseModel):
    """What an operator can set."""

    darkroom_local_engine: Literal["sd-scripts", "ai-toolkit"] | None = Field(
        default=None,
        description="Switches training on this machine's own GPU on: sd-scripts or ai-toolkit, whichever is installed.",
    )
    darkroom_local_engine_dir: Path | None = Field(
        default=None, description="Folder of the local engine: its git checkout."
    )
    darkroom_local_python: str = Field(
        default="", description="Python that the engine was installed with; empty for venv/bin/python in its folder."
    )
    darkroom_local_flux: str = Field(
        default="",
        description="FLUX.1 [dev] for local training: the file flux1-dev.safetensors for sd-scripts; a folder or a "
        "name at Hugging Face for ai-toolkit.",
    )
    darkroom_local_flux_clip_l: str = Field(default="", description="For sd-scripts: the file clip_l.safetensors.")
    darkroom_local_flux_t5xxl: str = Field(
        default="", description="For sd-scripts: the file t5xxl_fp16.safetensors, or an fp8 one on a small GPU."
    )
    darkroom_local_flux_ae: str = Field(default="", description="For sd-scripts: FLUX.1's ae.safetensors.")
    darkroom_local_flux2: str = Field(
        default="", description="FLUX.2 [dev] for ai-toolkit: a folder or a name at Hugging Face."
    )
    darkroom_local_sdxl: str = Field(default="", description="Stable Diffusion XL for local training: its checkpoint.")
    darkroom_local_sd15: str = Field(default="", description="Stable Diffusion 1.5 for local training: its checkpoint.")
    darkroom_local_vram_gb: int = Field(
        default=24, ge=8, description="Memory of the local GPU in GB; there are presets for 8, 12, 16 and 24."
    )
    darkroom_local_gpus: str = Field(
        default="0", description="Numbers of the local GPUs to train on, with commas between; one training on each."
    )
    darkroom_local_precision: Literal["bf16", "fp16", "no"] = Field(
        default="bf16", description="Numbers to train with: bf16, fp16 for GPUs before NVIDIA's Ampere, or no."
    )
    darkroom_local_samples: bool = Field(
        default=False,
        description="Has the local engine draw four sample pictures when it has trained, shown where no image maker "
        "can use the model. Drawing takes more of the GPU's memory at the last step, so one that is nearly full can "
        "fail there and leaves the model without pictures, with sd-scripts as it was one step before.",
    )
    darkroom_local_options: str = Field(
        default="",
        description='More options for the local engine, by its own names, as JSON: {"optimizer_type": "Adafactor"} for '
        'sd-scripts, {"train.optimizer": "prodigy"} for ai-toolkit; null takes one of ours away.',
    )
    darkroom_local_hf_token: SecretStr | None = Field(
        default=None,
        description="A token from huggingface.co/settings/tokens, for gated weights that the engine fetches.",
    )

    @field_validator("darkroom_local_gpus")
    @classmethod
    def _are_plain(cls, value: str) -> str:
        if not re.fullmatch(r"[\w, -]+", value):
            raise ValueError("it is no list of GPUs, such as 0,1")
        return value

    @field_validator("darkroom_local_options")
    @classmethod
    def _is_json(cls, value: str) -> str:
        if value and not isinstance(json.loads(value), dict):
            raise ValueError("it is no JSON object")
        return value

    @property
    def folder(self) -> Path:
        """Return the engine's folder."""
        return (self.darkroom_local_engine_dir or Path()).absolute()

    @property
    def python(self) -> str:
        """Return the engine's Python, with its default filled in."""
        return self.darkroom_local_python or str(self.folder / "venv" / "bin" / "python")

    @property
    def more_options(self) -> dict[str, Any]:
        """Return the operator's own options."""
        options: dict[str, Any] = json.loads(self.darkroom_local_options or "{}")
        return options

    @property
    def gpus(self) -> list[str]:
        """Return the GPUs' numbers."""
        return [gpu.strip() for gpu in self.darkroom_local_gpus.split(",") if gpu.strip()] or ["0"]

    @property
    def weights(self) -> dict[BaseModelName, dict[str, str]]:
        """Return where the weights are that were named, by base model and by the engine's names."""
        flux = {
            "model": self.darkroom_local_flux,
            "clip_l": self.darkroom_local_flux_clip_l,
            "t5xxl": self.darkroom_local_flux_t5xxl,
            "ae": self.darkroom_local_flux_ae,
        }
        named = {
            BaseModelName.FLUX_1_DEV: flux,
            BaseModelName.FLUX_2_DEV: {"model": self.darkroom_local_flux2},
            BaseModelName.SDXL: {"model": self.darkroom_local_sdxl},
            BaseModelName.SD_1_5: {"model": self.darkroom_local_sd15},
        }
        return {
            base: {n: where for n, where in files.items() if where} for base, files in named.items() if files["model"]
        }


def build(options: LocalOptions, setup: Setup) -> Adapters:
    """Return the trainer on this machine; its agents leave their word in a folder, so it needs no public URL."""
    if options.darkroom_local_engine is None:
        return Adapters()
    engine = LocalEngine(
        name=options.darkroom_local_engine,
        folder=options.folder,
        python=options.python,
        weights=options.weights,
        vram_gb=options.darkroom_local_vram_gb,
        precision=options.darkroom_local_precision,
        options=options.more_options,
        draws=options.darkroom_local_samples,
    )
    token = options.darkroom_local_hf_token
    secrets = {"HF_TOKEN": token.get_secret_value()} if token else {}
    folder = setup.folder / "local"
    slots = gpu_lock(setup.folder, "0").parent
    box = LocalBox(folder, engine, slots=slots, gpus=options.gpus, secrets=secrets)
    leases = MailboxLeases.in_folder(folder / "jobs")
    trainer = GpuTrainer(box, engine.offer(), leases, max_seconds=_MAX_SECONDS)
    return Adapters(trainers={trainer.name: trainer})


LOCAL = ProviderEntry(name="local", title="Own GPU", options=LocalOptions, switch="darkroom_local_engine", build=build)
