"""Owns what providers charge: one dated table, each price with its source; an operator may override any of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from providers.wording import Sentence, Wording


class Unit(StrEnum):
    """What a price is for."""

    SECOND = "second"
    HOUR = "hour"
    IMAGE = "image"
    MEGAPIXEL = "megapixel"
    STEP = "step"
    RUN = "run"


@dataclass(frozen=True, kw_only=True)
class Price:
    """What one unit costs."""

    usd: float
    unit: Unit
    #: When it was looked up.
    as_of: date
    source: Wording
    #: What makes the figure weaker than one that the provider itself publishes for this very thing.
    caveat: Wording = ""

    @property
    def basis(self) -> Sentence:
        """Return where the figure comes from, for people."""
        told = self.source
        if self.caveat:
            told = Sentence("{caveat}: {source}", values={"caveat": self.caveat, "source": told})
        return Sentence(
            "${usd} {per_unit} ({source}, {day})",
            values={
                "usd": f"{self.usd:g}",
                "per_unit": _PER_UNIT[self.unit],
                "source": told,
                "day": f"{self.as_of:%Y-%m-%d}",
            },
        )


_PER_UNIT: Mapping[Unit, Sentence] = {
    Unit.SECOND: Sentence("per second"),
    Unit.HOUR: Sentence("per hour"),
    Unit.IMAGE: Sentence("per image"),
    Unit.MEGAPIXEL: Sentence("per megapixel"),
    Unit.STEP: Sentence("per step"),
    Unit.RUN: Sentence("per run"),
}
#: The figure is somebody else's, who used or compared the provider.
THIRD_PARTY = Sentence("a third party's figure")
#: The provider publishes none for this; it is its price of something near.
NEAR = Sentence("a guess by the nearest price")

_REPLICATE = "replicate.com/pricing"
_RUNPOD = Sentence("{page}, secure cloud, as others copied it", values={"page": "runpod.io/pricing"})
_PAPERSPACE = Sentence("{page}, as others copied it", values={"page": "paperspace.com/pricing"})

#: By "provider/what".
PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "replicate/gpu-t4": Price(usd=0.000225, unit=Unit.SECOND, as_of=date(2026, 10, 1), source=_REPLICATE),
        "replicate/gpu-l40s": Price(usd=0.000975, unit=Unit.SECOND, as_of=date(2026, 10, 1), source=_REPLICATE),
        "replicate/gpu-a100-large": Price(usd=0.0014, unit=Unit.SECOND, as_of=date(2026, 10, 1), source=_REPLICATE),
        "replicate/gpu-h100": Price(usd=0.001525, unit=Unit.SECOND, as_of=date(2026, 10, 1), source=_REPLICATE),
        "replicate/gpu-h100-8x": Price(usd=0.0122, unit=Unit.SECOND, as_of=date(2026, 10, 1), source=_REPLICATE),
        "replicate/black-forest-labs/flux-dev-lora": Price(
            usd=0.032,
            unit=Unit.IMAGE,
            as_of=date(2026, 4, 1),
            source=Sentence("a published cost comparison of FLUX APIs"),
            caveat=THIRD_PARTY,
        ),
        "together/black-forest-labs/FLUX.2-dev": Price(
            usd=0.035,
            unit=Unit.MEGAPIXEL,
            as_of=date(2026, 5, 1),
            source=Sentence("Together's price of FLUX.1 LoRAs; none of FLUX.2 was found"),
            caveat=NEAR,
        ),
        "fal/fal-ai/flux-lora-fast-training": Price(
            usd=0.002,
            unit=Unit.STEP,
            as_of=date(2026, 7, 1),
            source=Sentence("about $2 per 1,000 steps"),
            caveat=THIRD_PARTY,
        ),
        "fal/fal-ai/flux-2-trainer": Price(
            usd=0.0064, unit=Unit.STEP, as_of=date(2026, 11, 23), source="fal.ai/models/fal-ai/flux-2-trainer"
        ),
        "fal/fal-ai/flux-lora": Price(
            usd=0.035, unit=Unit.MEGAPIXEL, as_of=date(2026, 11, 23), source="fal.ai/models/fal-ai/flux-lora"
        ),
        "fal/fal-ai/flux-2/lora": Price(
            usd=0.021, unit=Unit.MEGAPIXEL, as_of=date(2026, 11, 23), source="fal.ai/models/fal-ai/flux-2/lora"
        ),
        "fal/fal-ai/esrgan": Price(
            usd=0.00111, unit=Unit.SECOND, as_of=date(2026, 11, 26), source="fal.ai/models/fal-ai/esrgan"
        ),
        "runpod/NVIDIA A100 80GB PCIe": Price(usd=1.79, unit=Unit.HOUR, as_of=date(2026, 11, 9), source=_RUNPOD),
        "runpod/NVIDIA A100-SXM4-80GB": Price(usd=1.79, unit=Unit.HOUR, as_of=date(2026, 11, 9), source=_RUNPOD),
        "runpod/NVIDIA H100 PCIe": Price(usd=2.89, unit=Unit.HOUR, as_of=date(2026, 11, 9), source=_RUNPOD),
        "runpod/NVIDIA H100 80GB HBM3": Price(usd=3.99, unit=Unit.HOUR, as_of=date(2026, 11, 9), source=_RUNPOD),
        "runpod/NVIDIA GeForce RTX 4090": Price(
            usd=0.7,
            unit=Unit.HOUR,
            as_of=date(2026, 11, 23),
            source=Sentence("$0.40 to $0.70 on bills"),
            caveat=THIRD_PARTY,
        ),
        "paperspace/A4000": Price(usd=0.76, unit=Unit.HOUR, as_of=date(2026, 9, 20), source=_PAPERSPACE),
        "paperspace/A5000": Price(usd=1.38, unit=Unit.HOUR, as_of=date(2026, 9, 20), source=_PAPERSPACE),
        "paperspace/A6000": Price(usd=1.89, unit=Unit.HOUR, as_of=date(2026, 9, 20), source=_PAPERSPACE),
    }
)


@dataclass(frozen=True, kw_only=True)
class PriceList:
    """The prices that hold in this deployment.

    Args:
        overrides: Prices in USD that the operator knows better, by the keys of `PRICES`; a key that is not there is
            taken too, for hardware and models that we don't know.
        since: When the operator set them.
    """

    overrides: Mapping[str, float] = field(default_factory=dict)
    since: date | None = None

    def find(self, key: str, unit: Unit) -> Price | None:
        """Return the price of this, or None when nobody knows it."""
        known = PRICES.get(key)
        if key in self.overrides:
            as_of = self.since or (known.as_of if known else date.today())  # noqa: DTZ011 - a day in the operator's own zone
            return Price(usd=self.overrides[key], unit=unit, as_of=as_of, source=Sentence("set by the operator"))
        return known if known and known.unit is unit else None
