"""Owns how fal is switched on."""

from pydantic import BaseModel, Field, SecretStr

from providers.entry import Adapters, ProviderEntry, Setup
from providers.fal.api import FalSettings
from providers.fal.endpoints import TRAINERS
from providers.fal.image_maker import FalImageMaker
from providers.fal.trainer import FalTrainer


class FalOptions(BaseModel):
    """What an operator can set."""

    fal_key: SecretStr | None = Field(default=None, description="Switches fal on: a key from fal.ai/dashboard/keys.")


def build(options: FalOptions, setup: Setup) -> Adapters:
    """Return a trainer for each entry of the table of endpoints, and the image maker."""
    if options.fal_key is None:
        return Adapters()
    fal = FalSettings(key=options.fal_key)
    trainers = {
        endpoint.name: FalTrainer(
            fal,
            setup.session,
            endpoint,
            links=setup.links,
            webhook=setup.webhook(endpoint.name),
            prices=setup.prices,
        )
        for endpoint in TRAINERS
    }
    maker = FalImageMaker(fal, setup.session, links=setup.links, webhook=setup.webhook("fal"), prices=setup.prices)
    return Adapters(trainers=trainers, image_makers={maker.name: maker})


FAL = ProviderEntry(name="fal", title="fal", options=FalOptions, switch="fal_key", build=build)
