"""Owns what stands on disk for ComfyUI's jobs: LoRAs in its folder, and notes of jobs that were stopped.

ComfyUI takes no LoRA over HTTP, so one is copied to where it looks for them, for the time of a job. And it forgets a
job that is taken out of its queue, so that nobody could tell a stopped one from a lost one without a note.
"""

import os
import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from providers.disk import is_marker

#: A safetensors file without tensors: the length of a header, and the header.
_EMPTY = struct.pack("<Q", 2) + b"{}"


class Shelf:
    """Puts LoRAs where ComfyUI finds them; its methods block, so call them off the event loop.

    Args:
        loras: ComfyUI's models/loras as this machine sees it.
        notes: Our own folder, made when needed.
    """

    def __init__(self, loras: Path, notes: Path) -> None:
        self._loras = loras
        self._notes = notes.absolute()

    def put(self, marker: str, sources: Sequence[Path]) -> Sequence[str]:
        """Copy LoRAs to ComfyUI and return their names there; again for the same marker, it replaces them."""
        names = [f"{marker}-{number}.safetensors" for number in range(len(sources))]
        for name, source in zip(names, sources, strict=True):
            # ComfyUI lists what ends in .safetensors, so that it never sees a part of one.
            part = self._loras / f".{name}.part"
            shutil.copyfile(source, part)
            # It may run as another user.
            part.chmod(0o644)
            part.replace(self._loras / name)
        return names

    def remove(self, names: Sequence[str]) -> None:
        """Take LoRAs away again, also those that were never wholly copied."""
        for name in names:
            if is_marker(name.removesuffix(".safetensors")):
                (self._loras / name).unlink(missing_ok=True)
                (self._loras / f".{name}.part").unlink(missing_ok=True)

    def put_probe(self) -> str:
        """Put a file there by which one can tell whether ComfyUI looks into this folder; return its name."""
        name = f"darkroom-doctor-{os.getpid()}.safetensors"
        (self._loras / name).write_bytes(_EMPTY)
        return name

    def note_stopped(self, prompt_id: str) -> None:
        """Remember that a job was asked to stop."""
        self._notes.mkdir(parents=True, exist_ok=True)
        (self._notes / f"{prompt_id}.stopped").touch()

    def was_stopped(self, prompt_id: str) -> bool:
        """Tell whether a job was asked to stop."""
        return (self._notes / f"{prompt_id}.stopped").exists()

    def forget(self, prompt_id: str) -> None:
        """Remove the note about a job."""
        (self._notes / f"{prompt_id}.stopped").unlink(missing_ok=True)
