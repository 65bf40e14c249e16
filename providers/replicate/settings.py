"""Owns what an operator sets for Replicate; never reads the environment."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from providers.recipe import BaseModelName

#: How Replicate names a model, and how a destination may be named.
MODEL = r"[a-zA-Z0-9][\w.-]{0,62}/[a-zA-Z0-9][\w.-]{0,126}"
DESTINATION = f"^({MODEL}|[a-z0-9][a-z0-9_.-]{{0,126}})$"


class ReplicateSettings(BaseModel):
    """What an operator sets for Replicate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(description="An API token, from replicate.com/account/api-tokens.")
    base_url: str = Field(default="https://api.replicate.com", description="Where its API is, without /v1.")
    trainer: str = Field(
        default="ostris/flux-dev-lora-trainer", pattern=f"^{MODEL}$", description="The model that trains."
    )
    trainer_version: str | None = Field(
        default=None, pattern=r"^\w{8,80}$", description="Its version; by default the latest when a job begins."
    )
    trainer_base_model: BaseModelName = Field(
        default=BaseModelName.FLUX_1_DEV, description="What a trainer that we don't know trains for."
    )
    training_hardware: str | None = Field(
        default=None, description="What the trainer runs on, for its price; by default what is known of it."
    )
    destination: str = Field(
        default="darkroom-loras",
        pattern=DESTINATION,
        description="The private model that takes all trained versions, with or without its owner; made when needed.",
    )
    destination_hardware: str = Field(default="gpu-h100", description="What that model is made to run on.")
    keep_versions: bool = Field(
        default=True, description="Leave trained versions there, so that pictures can be made by them."
    )
    generator: str = Field(
        default="black-forest-labs/flux-dev-lora", pattern=f"^{MODEL}$", description="The model that takes our LoRAs."
    )
    batch_size: int = Field(default=1, ge=1, le=4)
    optimizer: str = "adamw8bit"
    autocaption_prefix: str = Field(
        default="a photo of {trigger_word}, ", description="Begins each caption that the trainer writes."
    )
    autocaption_suffix: str = ""
    webhook_url: str | None = Field(
        default=None, pattern="^https://", description="Where Replicate may send word; it must be reachable by https."
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="Signs its messages; by default it is asked of the API."
    )

    @field_validator("base_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")
