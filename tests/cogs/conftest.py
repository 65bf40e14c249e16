from pathlib import Path

import pytest
import pytest_asyncio

from tests.factories import make_trained_folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return await make_trained_folder(tmp_path_factory.mktemp("trained") / "data")
