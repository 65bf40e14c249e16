"""Owns how Paperspace is switched on."""

from dataclasses import replace

from pydantic import BaseModel, Field, SecretStr

from providers.entry import Adapters, ProviderEntry, Setup
from providers.gpu.paperspace import PaperspaceMachines, PaperspaceSettings
from providers.gpu.rented_engine import ENGINE_DIR, IMAGE, rented_engine
from providers.gpu.trainer import GpuTrainer


class PaperspaceOptions(BaseModel):
    """What an operator can set."""

    paperspace_api_key: SecretStr | None = Field(
        default=None,
        description="Switches Paperspace on: a team's key from console.paperspace.com, Team settings, API keys.",
    )
    paperspace_machine: str = Field(default="A6000", description="Type of the machines to rent at Paperspace.")
    paperspace_template: str = Field(
        default="",
        description="Id of the template of their disk, with NVIDIA's driver and Docker, such as ML-in-a-Box; it has "
        "to fit the machine type.",
    )
    paperspace_region: str = Field(default="ny2", description="Region of the machines: ny2, ams1 or ca1.")
    paperspace_disk_gb: int = Field(
        default=100, ge=50, description="Disk of a machine at Paperspace: 50, 100, 250, 500, 1000 or 2000 GB."
    )
    paperspace_network: str = Field(
        default="", description="Id of a private network at Paperspace for the machines; empty for none."
    )
    paperspace_image: str = Field(
        default=IMAGE,
        description="Image that training runs in at Paperspace; empty to run on the machine itself, where "
        "PAPERSPACE_ENGINE_DIR has to be.",
    )
    paperspace_engine_dir: str = Field(default=ENGINE_DIR, description="Folder of ai-toolkit there.")
    paperspace_samples: bool = Field(
        default=False,
        description="Has machines at Paperspace draw four sample pictures when they have trained, shown where no image "
        "maker can use the model. Drawing takes more of the GPU's memory at the last step, so one that is nearly full "
        "can fail there and leaves the model without pictures. It also takes some minutes, which cost.",
    )
    paperspace_hf_token: SecretStr | None = Field(
        default=None,
        description="A token from huggingface.co/settings/tokens for machines at Paperspace; FLUX.1 needs it.",
    )


def build(options: PaperspaceOptions, setup: Setup) -> Adapters:
    """Return a trainer on machines."""
    if options.paperspace_api_key is None:
        return Adapters()
    settings = PaperspaceSettings(
        key=options.paperspace_api_key,
        machine_type=options.paperspace_machine,
        template_id=options.paperspace_template,
        region=options.paperspace_region,
        disk_gb=options.paperspace_disk_gb,
        network_id=options.paperspace_network,
        image=options.paperspace_image,
        hf_token=options.paperspace_hf_token,
    )
    machines = PaperspaceMachines(settings, setup.session, prices=setup.prices)
    engine = rented_engine(
        has_token=options.paperspace_hf_token is not None,
        vram_gb=machines.terms.vram_gb,
        engine_dir=options.paperspace_engine_dir,
        draws=options.paperspace_samples,
    )
    if setup.leases.obstacle is not None or not options.paperspace_template:
        # Machines that can't reach us, or can't be had, are offered no job.
        engine = replace(engine, paces={})
    trainer = GpuTrainer(machines, engine, setup.leases)
    return Adapters(trainers={trainer.name: trainer})


PAPERSPACE = ProviderEntry(
    name="paperspace", title="Paperspace", options=PaperspaceOptions, switch="paperspace_api_key", build=build
)
