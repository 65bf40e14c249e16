import asyncio
import os
from pathlib import Path

import pytest
import pytest_asyncio

from bot import erasing
from cogs import letters, log_channels
from providers.disk import try_lock
from tests.factories import make_trained_folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a trained model, made once for all workers: Sketch computes ten seconds for it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "trained" / "data"
    folder.parent.mkdir(exist_ok=True)
    while (lock := try_lock(base / "trained.lock")) is None:  # noqa: ASYNC110 - another process holds it
        await asyncio.sleep(0.1)
    try:
        if not (base / "trained.done").exists():
            await make_trained_folder(folder)
            (base / "trained.done").touch()
    finally:
        os.close(lock)
    return folder


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have those who look around every few seconds do it at once."""
    monkeypatch.setattr(erasing, "PAUSE", 0.02)
    monkeypatch.setattr(letters, "PAUSE", 0.02)
    monkeypatch.setattr(log_channels, "SHORTEST_SECONDS", 0.02)
    monkeypatch.setattr(log_channels, "IDLE_SECONDS", 0.2)
