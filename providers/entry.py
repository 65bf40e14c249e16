"""Owns the shape of an entry in the table of providers: what an operator sets, and what is made of it.

The settings of an entry are environment variables; bot/settings.py reads them with all others, so that nothing outside
of a provider's own package names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiohttp
from pydantic import BaseModel

from providers.base import FileLinks, ImageMaker, Trainer
from providers.gpu.leases import Leases
from providers.prices import PriceList
from providers.trains_not import TrainsNot

OptionsT = TypeVar("OptionsT", bound=BaseModel)


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a deployment gives to every provider."""

    #: For those that bring no client of their own; closed by the caller.
    session: aiohttp.ClientSession
    #: Where providers fetch files of ours; None without a public URL.
    links: FileLinks | None
    #: The data folder; a provider that keeps something on disk makes a folder of its own name in it.
    folder: Path
    prices: PriceList
    #: Who holds which training on a rented machine.
    leases: Leases
    #: Return where the adapter of this name may be sent word; None without a public https URL.
    webhook: Callable[[str], str | None]


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """What one provider brings, by the adapters' names."""

    trainers: Mapping[str, Trainer] = field(default_factory=dict)
    image_makers: Mapping[str, ImageMaker] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProviderEntry(Generic[OptionsT]):
    """A provider as the table knows it."""

    #: Short; the name of its adapters, or what their names begin with.
    name: str
    #: For people.
    title: str
    #: What an operator can set: fields named as the environment variables, in lower case, each with a default and with
    #: a description that says what to set and where to get it.
    options: type[OptionsT]
    #: The option that switches the provider on by being set; `darkroom doctor` tells of it while it is not.
    switch: str
    build: Callable[[OptionsT, Setup], Adapters]
    #: Why it trains nothing, where people would expect a trainer.
    trains_not: TrainsNot | None = None

    def options_of(self, settings: Any) -> OptionsT:
        """Return this provider's part of the settings."""
        return self.options.model_validate({name: getattr(settings, name) for name in self.options.model_fields})

    def is_on(self, settings: Any) -> bool:
        """Tell whether these settings switch the provider on."""
        return bool(getattr(settings, self.switch))

    @property
    def is_on_by_itself(self) -> bool:
        """Tell whether it takes nothing to switch it on, so that who has it off wants it off."""
        return bool(self.options.model_fields[self.switch].default)

    @property
    def about(self) -> str:
        """Return what to set and where to get it."""
        return f"{self.switch.upper()}: {self.options.model_fields[self.switch].description}"
