"""The worker's handler for RunPod serverless, as far as it runs without the `runpod` package.

The package itself and the image were not run: there is no container here, and no RunPod.
"""

import ast
import asyncio
import importlib.util
import os
import sys
from pathlib import Path

import pytest

from tests.providers.contract import until

WORKER = Path(__file__).resolve().parents[1] / "deploy" / "worker"


@pytest.fixture
def worker():
    spec = importlib.util.spec_from_file_location("worker_handler", WORKER / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def job(**changes):
    return {"id": "job-1", "input": {"name": "darkroom-1", "env": {}, "script": "true"} | changes}


async def test_worker_runs_a_job_with_its_environment_and_its_id(worker, tmp_path):
    told = tmp_path / "told"
    script = f'echo "$DARKROOM_TOKEN $DARKROOM_BOX_ID" > {told}'
    assert await worker.handler(job(env={"DARKROOM_TOKEN": "t"}, script=script)) == {"exit_code": 0}
    assert told.read_text() == "t job-1\n"


async def test_worker_says_how_a_job_ended_that_failed(worker):
    assert await worker.handler(job(script="exit 7")) == {"error": "the agent ended with 7; its bot knows why"}


@pytest.mark.parametrize(
    "wrong",
    [{"script": ""}, {"script": 7}, {"env": None}, {"env": {"bad name": "x"}}, {"env": {"lower": "x"}}],
)
async def test_worker_refuses_what_is_no_job_of_ours(worker, wrong):
    assert "no job of Darkroom's" in (await worker.handler(job(**wrong)))["error"]


@pytest.mark.parametrize("broken", [{}, {"id": "1"}, {"id": "1", "input": None}])
async def test_worker_refuses_a_job_without_input(worker, broken):
    assert "no job of Darkroom's" in (await worker.handler(broken))["error"]


async def test_worker_that_is_cancelled_ends_everything_that_the_job_started(worker, tmp_path):
    note = tmp_path / "pid"
    task = asyncio.create_task(worker.handler(job(script=f"sleep 600 & echo $! > {note}; wait")))
    await until(lambda: note.exists() and note.read_text().strip())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not runs(int(note.read_text())))


def runs(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"


async def test_worker_kills_what_doesnt_end_when_it_is_asked_to(worker, tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "GRACE_SECONDS", 0.1)
    note = tmp_path / "begun"
    task = asyncio.create_task(worker.handler(job(script=f"trap '' TERM; touch {note}; sleep 600; sleep 600")))
    await until(note.exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)


def test_worker_needs_nothing_but_the_standard_library_and_runpod():
    tree = ast.parse((WORKER / "handler.py").read_text(), feature_version=(3, 9))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == {"runpod"}


def test_worker_s_image_holds_the_handler_and_starts_it():
    lines = (WORKER / "Dockerfile").read_text().splitlines()
    assert "COPY handler.py /opt/darkroom/handler.py" in lines
    assert lines[-1] == 'CMD ["/opt/darkroom/venv/bin/python", "/opt/darkroom/handler.py"]'
