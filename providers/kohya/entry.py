"""Owns how kohya's script is switched on."""

from pathlib import Path

from pydantic import BaseModel, Field, field_validator

from providers.disk import gpu_lock
from providers.entry import Adapters, ProviderEntry, Setup
from providers.kohya.command import KohyaTools
from providers.kohya.image_maker import KohyaImageMaker


class KohyaOptions(BaseModel):
    """What an operator can set."""

    darkroom_kohya_dir: Path | None = Field(
        default=None,
        description="Switches kohya's flux_minimal_inference.py on, the last resort for pictures on your own GPU: the "
        "folder of sd-scripts.",
    )
    darkroom_kohya_python: str = Field(
        default="python3",
        description="The Python that sd-scripts is installed in, such as /opt/sd-scripts/venv/bin/python.",
    )
    darkroom_kohya_flux1: str = Field(
        default="",
        description="Paths of FLUX.1 [dev] for kohya's script, with commas between: diffusion model, CLIP-L, T5, VAE.",
    )

    @field_validator("darkroom_kohya_flux1")
    @classmethod
    def _four(cls, value: str) -> str:
        if value and len(_paths(value)) != 4:
            raise ValueError("it names four files")
        return value


def _paths(text: str) -> list[Path]:
    return [Path(name.strip()) for name in text.split(",") if name.strip()]


def build(options: KohyaOptions, setup: Setup) -> Adapters:
    """Return the image maker; training with sd-scripts is another provider's."""
    if options.darkroom_kohya_dir is None:
        return Adapters()
    diffusion_model, clip_l, t5, vae = _paths(options.darkroom_kohya_flux1) or [Path()] * 4
    tools = KohyaTools(
        folder=options.darkroom_kohya_dir.absolute(),
        python=options.darkroom_kohya_python,
        diffusion_model=diffusion_model.absolute(),
        clip_l=clip_l.absolute(),
        t5=t5.absolute(),
        vae=vae.absolute(),
    )
    maker = KohyaImageMaker(tools, setup.folder / "kohya", gpu=gpu_lock(setup.folder, "0"))
    return Adapters(image_makers={maker.name: maker})


KOHYA = ProviderEntry(
    name="kohya", title="kohya's script", options=KohyaOptions, switch="darkroom_kohya_dir", build=build
)
