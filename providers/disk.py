"""Owns how adapters that keep jobs on this disk name, write and lock their files; never decides what is in them."""

import fcntl
import json
import os
import re
from pathlib import Path
from typing import Any

_MARKER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


def gpu_lock(data_folder: Path, gpu: str) -> Path:
    """Return the lock of a GPU of this machine, which everybody takes who works on it."""
    return data_folder / "gpus" / f"{gpu}.lock"


def is_marker(text: str) -> bool:
    """Tell whether a job's marker may name a file or a folder."""
    return _MARKER.fullmatch(text) is not None


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object that a file holds; None where there is no such file, or something else in it."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return content if isinstance(content, dict) else None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a power cut; nobody else may read it."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def try_lock(path: Path) -> int | None:
    """Lock a file and return its descriptor, or None while somebody else holds it.

    The lock is held until the descriptor and its copies in other processes are closed, so until the last of them ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
