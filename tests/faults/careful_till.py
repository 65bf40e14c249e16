"""A till whose trainer brings results home as the real adapters do: capped, checked, unpacked with care."""

import asyncio
import io
import tarfile
from pathlib import Path
from typing import Any

from providers.artifacts import MIB, Artifacts, Caps
from providers.base import Prepared, TrainedLora
from providers.recipe import BaseModelName
from providers.registry import Registry
from providers.unpacking import UnpackCaps, unpack
from providers.weights import inspect_weights
from tests.fakes.till_adapter import TillTrainer, till_registry

CAPS = Caps(bytes=MIB, seconds=5)
UNPACKED = UnpackCaps(entries=10, entry_bytes=MIB, total_bytes=MIB)


class CarefulTrainer(TillTrainer):
    """`sha256` is what the results should have; `packed` is for a provider whose results are tars."""

    def __init__(self, url: str, *, packed: bool = False, sha256: str | None = None, **changes: Any) -> None:
        super().__init__(url, **changes)
        self._packed = packed
        self._sha256 = sha256

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> TrainedLora:
        path = into / "lora.safetensors"
        url = f"{self._url}/{remote_id}/result/0"
        await Artifacts(loopback=True).fetch(url, path, CAPS, sha256=self._sha256)
        if self._packed:
            path = await asyncio.to_thread(_unpacked, path, into)
        weights = await asyncio.to_thread(inspect_weights, path)
        return TrainedLora(
            path=path,
            format=self.capabilities.produces,
            base_model=BaseModelName.FLUX_1_DEV,
            facts={"tensors": weights.tensors},
        )


def _unpacked(archive: Path, into: Path) -> Path:
    found = unpack(archive, into, lambda path: path.suffix == ".safetensors", UNPACKED)
    return next(iter(found.values()))


def careful_registry(url: str, **changes: Any) -> Registry:
    """Return a registry whose only trainer is a careful one."""
    plain = till_registry(url)
    return Registry(trainers={"till": CarefulTrainer(url, **changes)}, image_makers=plain.image_makers)


def tar_of(name: str) -> str:
    """Return a tar with one entry of this name, as text that goes over the wire as it is."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        tar.addfile(entry, io.BytesIO(b"lora"))
    return buffer.getvalue().decode("ascii")
