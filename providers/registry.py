"""Owns the list of adapters of this deployment; never calls one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from providers.base import Closes, HearsWebhooks, ImageMaker, LoraFormat, Trainer
from providers.gpu.box import OwnsBoxes
from providers.recipe import BaseModelName
from providers.trains_not import TrainsNot
from providers.wording import Sentence


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The adapters that are configured, by name."""

    trainers: Mapping[str, Trainer] = field(default_factory=lambda: MappingProxyType({}))
    image_makers: Mapping[str, ImageMaker] = field(default_factory=lambda: MappingProxyType({}))
    #: Providers that people may ask for and that can't train, by name.
    trains_not: Mapping[str, TrainsNot] = field(default_factory=lambda: MappingProxyType({}))

    def trainers_for(self, base_model: BaseModelName) -> Sequence[Trainer]:
        """Return the trainers that can train for this base model, in the order of configuration."""
        return [t for t in self.trainers.values() if base_model in t.capabilities.base_models]

    def image_makers_for(self, base_model: BaseModelName, lora_format: LoraFormat) -> Sequence[ImageMaker]:
        """Return the image makers that can use such a LoRA, in the order of configuration."""
        return [
            m
            for m in self.image_makers.values()
            if base_model in m.capabilities.base_models and lora_format in m.capabilities.accepts
        ]

    @property
    def listeners(self) -> Mapping[str, HearsWebhooks]:
        """Return the adapters that hear webhooks, by name; a trainer hears for its image maker too."""
        adapters = (*self.image_makers.items(), *self.trainers.items())
        return {name: adapter for name, adapter in adapters if isinstance(adapter, HearsWebhooks)}

    @property
    def box_owners(self) -> Mapping[str, OwnsBoxes]:
        """Return the trainers that have machines, by name."""
        return {name: trainer for name, trainer in self.trainers.items() if isinstance(trainer, OwnsBoxes)}

    async def close(self) -> None:
        """Close what the adapters have opened."""
        adapters = {id(a): a for a in (*self.trainers.values(), *self.image_makers.values())}
        for adapter in adapters.values():
            if isinstance(adapter, Closes):
                await adapter.close()

    @property
    def base_models(self) -> Sequence[BaseModelName]:
        """Return the base models that some trainer here can train for."""
        return [b for b in BaseModelName if self.trainers_for(b)]

    def refusal_to_train(self, name: str) -> Sentence | None:
        """Return what to answer when this provider is asked to train and can't; None when there is nothing to say."""
        known = self.trains_not.get(name)
        if known is None or name in self.trainers:
            return None
        return known.answer([trainer.title for trainer in self.trainers.values()])
