"""Owns how Together is switched on."""

from pydantic import BaseModel, Field, SecretStr

from providers.entry import Adapters, ProviderEntry, Setup
from providers.together.api import TogetherSettings
from providers.together.image_maker import TOGETHER_TRAINS_NOT, TogetherImageMaker


class TogetherOptions(BaseModel):
    """What an operator can set."""

    together_api_key: SecretStr | None = Field(
        default=None,
        description="Switches Together on, for pictures only: a key from api.together.ai/settings/api-keys.",
    )


def build(options: TogetherOptions, setup: Setup) -> Adapters:
    """Return the image maker; there is no trainer."""
    if options.together_api_key is None:
        return Adapters()
    settings = TogetherSettings(api_key=options.together_api_key)
    maker = TogetherImageMaker(settings, setup.folder / "together", links=setup.links, prices=setup.prices)
    return Adapters(image_makers={maker.name: maker})


TOGETHER = ProviderEntry(
    name="together",
    title="Together",
    options=TogetherOptions,
    switch="together_api_key",
    build=build,
    trains_not=TOGETHER_TRAINS_NOT,
)
