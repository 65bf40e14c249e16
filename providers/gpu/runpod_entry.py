"""Owns how RunPod is switched on: pods by its key, and an endpoint if one is named."""

from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, Field, SecretStr

from providers.base import Trainer
from providers.entry import Adapters, ProviderEntry, Setup
from providers.gpu.engines import EngineOffer
from providers.gpu.rented_engine import ENGINE_DIR, IMAGE, MIN_CUDA, rented_engine
from providers.gpu.runpod import RunPodPods, RunPodSettings
from providers.gpu.runpod_serverless import RunPodServerless, RunPodServerlessSettings
from providers.gpu.trainer import GpuTrainer


class RunPodOptions(BaseModel):
    """What an operator can set."""

    runpod_api_key: SecretStr | None = Field(
        default=None,
        description="Switches RunPod on: a key from console.runpod.io/user/settings that may read and write.",
    )
    runpod_gpus: str = Field(
        default="NVIDIA GeForce RTX 4090, NVIDIA L40S, NVIDIA A100 80GB PCIe",
        description="Kinds of GPU to rent at RunPod, the preferred first, with commas between; empty for no pods.",
    )
    runpod_usd_an_hour: float = Field(
        default=2.0, gt=0, description="US dollars an hour that a pod at RunPod may cost; dearer ones are not rented."
    )
    runpod_cloud: Literal["SECURE", "COMMUNITY"] = Field(
        default="SECURE", description="Whose machines at RunPod: SECURE for RunPod's own, COMMUNITY for anybody's."
    )
    runpod_image: str = Field(
        default=IMAGE, description="Image of the pods at RunPod; it has python3, and ai-toolkit in RUNPOD_ENGINE_DIR."
    )
    runpod_engine_dir: str = Field(default=ENGINE_DIR, description="Folder of ai-toolkit in the image.")
    runpod_min_cuda: str = Field(
        default=MIN_CUDA, description="Lowest CUDA version that a host at RunPod must have, as the image needs it."
    )
    runpod_disk_gb: int = Field(default=100, ge=20, description="Disk of a pod at RunPod, in GB.")
    runpod_volume: str = Field(
        default="", description="Id of a network volume at RunPod that keeps the weights; pods then start where it is."
    )
    runpod_data_centers: str = Field(
        default="", description="Data centers at RunPod to rent in, with commas between; empty for any."
    )
    runpod_endpoint_id: str = Field(
        default="", description="Id of a serverless endpoint at RunPod that runs deploy/worker; empty for none."
    )
    runpod_samples: bool = Field(
        default=False,
        description="Has machines at RunPod draw four sample pictures when they have trained, shown where no image "
        "maker can use the model. Drawing takes more of the GPU's memory at the last step, so one that is nearly full "
        "can fail there and leaves the model without pictures. It also takes some minutes, which cost.",
    )
    runpod_hf_token: SecretStr | None = Field(
        default=None,
        description="A token from huggingface.co/settings/tokens for machines at RunPod; FLUX.1 needs it.",
    )


def build(options: RunPodOptions, setup: Setup) -> Adapters:
    """Return a trainer on pods, and one on the endpoint, as far as they are set up."""
    if options.runpod_api_key is None:
        return Adapters()
    trainers: dict[str, Trainer] = {}
    if gpus := _listed(options.runpod_gpus):
        pods = RunPodPods(_pods(options, options.runpod_api_key, gpus), setup.session, prices=setup.prices)
        engine = _engine(options, setup, vram_gb=pods.terms.vram_gb)
        trainers[pods.name] = GpuTrainer(pods, engine, setup.leases)
    if options.runpod_endpoint_id:
        endpoint = RunPodServerless(
            RunPodServerlessSettings(
                key=options.runpod_api_key, endpoint=options.runpod_endpoint_id, hf_token=options.runpod_hf_token
            ),
            setup.session,
            prices=setup.prices,
        )
        trainers[endpoint.name] = GpuTrainer(endpoint, _engine(options, setup, vram_gb=None), setup.leases)
    return Adapters(trainers=trainers)


def _pods(options: RunPodOptions, key: SecretStr, gpus: tuple[str, ...]) -> RunPodSettings:
    return RunPodSettings(
        key=key,
        gpus=gpus,
        cloud=options.runpod_cloud,
        most_usd_an_hour=options.runpod_usd_an_hour,
        image=options.runpod_image,
        min_cuda=options.runpod_min_cuda,
        disk_gb=options.runpod_disk_gb,
        volume=options.runpod_volume,
        data_centers=_listed(options.runpod_data_centers),
        hf_token=options.runpod_hf_token,
    )


def _engine(options: RunPodOptions, setup: Setup, *, vram_gb: int | None) -> EngineOffer:
    engine = rented_engine(
        has_token=options.runpod_hf_token is not None,
        vram_gb=vram_gb,
        engine_dir=options.runpod_engine_dir,
        draws=options.runpod_samples,
    )
    # Machines that can't reach us are offered no job.
    return engine if setup.leases.obstacle is None else replace(engine, paces={})


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in text.split(","))))


RUNPOD = ProviderEntry(name="runpod", title="RunPod", options=RunPodOptions, switch="runpod_api_key", build=build)
