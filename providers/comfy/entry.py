"""Owns how ComfyUI is switched on."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from providers.comfy.api import ComfySettings
from providers.comfy.bases import read_files
from providers.comfy.image_maker import ComfyImageMaker
from providers.comfy.shelf import Shelf
from providers.entry import Adapters, ProviderEntry, Setup
from providers.recipe import BaseModelName

_SETTINGS = {
    "darkroom_comfy_flux1": BaseModelName.FLUX_1_DEV,
    "darkroom_comfy_flux2": BaseModelName.FLUX_2_DEV,
    "darkroom_comfy_sdxl": BaseModelName.SDXL,
    "darkroom_comfy_sd15": BaseModelName.SD_1_5,
}


class ComfyOptions(BaseModel):
    """What an operator can set."""

    darkroom_comfy_url: str | None = Field(
        default=None,
        description="Switches ComfyUI on, pictures on your own GPU: its address, such as http://127.0.0.1:8188.",
    )
    darkroom_comfy_loras: Path | None = Field(
        default=None,
        description="ComfyUI's models/loras folder as this bot sees it; LoRAs are put there while a job needs them.",
    )
    darkroom_comfy_authorization: SecretStr | None = Field(
        default=None, description="The Authorization header for a proxy in front of ComfyUI, which has no own lock."
    )
    darkroom_comfy_flux1: str = Field(
        default="flux1-dev.safetensors, clip_l.safetensors, t5xxl_fp16.safetensors, ae.safetensors",
        description="ComfyUI's files of FLUX.1 [dev]: diffusion model, CLIP-L, T5, VAE; or one whole checkpoint.",
    )
    darkroom_comfy_flux2: str = Field(
        default="flux2_dev_fp8mixed.safetensors, mistral_3_small_flux2_bf16.safetensors, flux2-vae.safetensors",
        description="ComfyUI's files of FLUX.2 [dev]: diffusion model, text encoder, VAE.",
    )
    darkroom_comfy_sdxl: str = Field(
        default="sd_xl_base_1.0.safetensors", description="ComfyUI's checkpoint of Stable Diffusion XL."
    )
    darkroom_comfy_sd15: str = Field(
        default="v1-5-pruned-emaonly-fp16.safetensors", description="ComfyUI's checkpoint of Stable Diffusion 1.5."
    )

    @field_validator("darkroom_comfy_url")
    @classmethod
    def _with_scheme(cls, value: str | None) -> str | None:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it begins with http:// or https://")
        return value

    @field_validator("darkroom_comfy_flux1")
    @classmethod
    def _flux_1(cls, value: str) -> str:
        read_files(BaseModelName.FLUX_1_DEV, value)
        return value

    @field_validator("darkroom_comfy_flux2")
    @classmethod
    def _flux_2(cls, value: str) -> str:
        read_files(BaseModelName.FLUX_2_DEV, value)
        return value


def build(options: ComfyOptions, setup: Setup) -> Adapters:
    """Return the image maker; ComfyUI trains nothing."""
    if options.darkroom_comfy_url is None:
        return Adapters()
    settings = ComfySettings(url=options.darkroom_comfy_url, authorization=options.darkroom_comfy_authorization)
    loras = options.darkroom_comfy_loras
    shelf = Shelf(loras, setup.folder / "comfy") if loras is not None else None
    found = [read_files(base, getattr(options, name)) for name, base in _SETTINGS.items()]
    files = {one.base_model: one for one in found if one is not None}
    maker = ComfyImageMaker(settings, setup.session, shelf=shelf, files=files)
    return Adapters(image_makers={maker.name: maker})


COMFY = ProviderEntry(name="comfy", title="ComfyUI", options=ComfyOptions, switch="darkroom_comfy_url", build=build)
