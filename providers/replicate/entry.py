"""Owns how Replicate is switched on."""

from pydantic import BaseModel, Field, SecretStr

from providers.entry import Adapters, ProviderEntry, Setup
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer


class ReplicateOptions(BaseModel):
    """What an operator can set."""

    replicate_api_token: SecretStr | None = Field(
        default=None, description="Switches Replicate on: a token from replicate.com/account/api-tokens."
    )
    replicate_trainer: str = Field(
        default="ostris/flux-dev-lora-trainer", description="The model at Replicate that trains; owner/name."
    )
    replicate_destination: str = Field(
        default="darkroom-loras",
        description="The private model at Replicate that takes all trained versions; made when needed.",
    )


def build(options: ReplicateOptions, setup: Setup) -> Adapters:
    """Return the trainer and the image maker, which share the account."""
    if options.replicate_api_token is None:
        return Adapters()
    settings = ReplicateSettings(
        token=options.replicate_api_token,
        trainer=options.replicate_trainer,
        destination=options.replicate_destination,
        webhook_url=setup.webhook("replicate"),
    )
    trainer = ReplicateTrainer(settings, links=setup.links, prices=setup.prices)
    maker = ReplicateImageMaker(settings, links=setup.links, prices=setup.prices)
    return Adapters(trainers={trainer.name: trainer}, image_makers={maker.name: maker})


REPLICATE = ProviderEntry(
    name="replicate", title="Replicate", options=ReplicateOptions, switch="replicate_api_token", build=build
)
