"""Owns the table of providers, an entry each; docs/adding-a-provider.md says how one gets in."""

from collections.abc import Sequence
from typing import Any

from providers.comfy.entry import COMFY
from providers.entry import ProviderEntry
from providers.fal.entry import FAL
from providers.gpu.local_entry import LOCAL
from providers.gpu.paperspace_entry import PAPERSPACE
from providers.gpu.runpod_entry import RUNPOD
from providers.kohya.entry import KOHYA
from providers.replicate.entry import REPLICATE
from providers.sketch.entry import SKETCH
from providers.together.entry import TOGETHER

#: In the order in which they are offered and told of.
PROVIDERS: Sequence[ProviderEntry[Any]] = (
    REPLICATE,
    FAL,
    TOGETHER,
    RUNPOD,
    PAPERSPACE,
    LOCAL,
    COMFY,
    KOHYA,
    SKETCH,
)
