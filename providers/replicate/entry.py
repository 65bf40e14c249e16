"""Owns how Replicate is switched on."""

from pydantic import BaseModel, Field, SecretStr

from providers.entry import Adapters, ProviderEntry, Setup
from providers.recipe import BaseModelName
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import DESTINATION, MODEL, ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer


class ReplicateOptions(BaseModel):
    """What an operator can set."""

    replicate_api_token: SecretStr | None = Field(
        default=None, description="Switches Replicate on: a token from replicate.com/account/api-tokens."
    )
    replicate_trainer: str = Field(
        default="ostris/flux-dev-lora-trainer",
        pattern=f"^{MODEL}$",
        description="The model at Replicate that trains; owner/name.",
    )
    replicate_trainer_base_model: BaseModelName = Field(
        default=BaseModelName.FLUX_1_DEV,
        description="What REPLICATE_TRAINER trains for, where it is not one that the bot knows.",
    )
    replicate_destination: str = Field(
        default="darkroom-loras",
        pattern=DESTINATION,
        description="The private model at Replicate that takes all trained versions; made when needed.",
    )
    replicate_batch_size: int = Field(
        default=1, ge=1, le=4, description="Photos that a trainer at Replicate looks at in one step."
    )
    replicate_optimizer: str = Field(
        default="adamw8bit", description="The optimizer of a trainer at Replicate, by its own name for it."
    )
    replicate_autocaption_prefix: str | None = Field(
        default=None,
        description="Begins each caption that a trainer at Replicate writes, {trigger_word} filled in; by default "
        '"a photo of {trigger_word}, ".',
    )
    replicate_autocaption_suffix: str = Field(
        default="", description="Ends each caption that a trainer at Replicate writes; {trigger_word} is filled in."
    )


def build(options: ReplicateOptions, setup: Setup) -> Adapters:
    """Return the trainer and the image maker, which share the account."""
    if options.replicate_api_token is None:
        return Adapters()
    settings = ReplicateSettings(
        token=options.replicate_api_token,
        trainer=options.replicate_trainer,
        trainer_base_model=options.replicate_trainer_base_model,
        destination=options.replicate_destination,
        batch_size=options.replicate_batch_size,
        optimizer=options.replicate_optimizer,
        autocaption_suffix=options.replicate_autocaption_suffix,
        webhook_url=setup.webhook("replicate"),
    )
    if options.replicate_autocaption_prefix is not None:
        settings = settings.model_copy(update={"autocaption_prefix": options.replicate_autocaption_prefix})
    trainer = ReplicateTrainer(settings, links=setup.links, prices=setup.prices)
    maker = ReplicateImageMaker(settings, links=setup.links, prices=setup.prices)
    return Adapters(trainers={trainer.name: trainer}, image_makers={maker.name: maker})


REPLICATE = ProviderEntry(
    name="replicate", title="Replicate", options=ReplicateOptions, switch="replicate_api_token", build=build
)
