"""The agent as other people's machines need it: Python 3.9, the standard library, one file, the same bytes always."""

import ast
import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from providers.gpu import agent
from providers.gpu.packing import SCRIPT, packed_agent

FOLDER = Path(agent.__file__).parent
MODULES = sorted(FOLDER.rglob("*.py"))
OLDEST = (3, 9)
#: Of the standard library of today, and not of Python 3.9.
TOO_NEW = {"tomllib", "asyncio.taskgroups", "asyncio.timeouts"}


def parsed(module):
    return ast.parse(module.read_text(), feature_version=OLDEST)


def test_agent_is_python_3_9():
    assert len(MODULES) > 10
    for module in MODULES:
        compile(parsed(module), str(module), "exec")


def test_agent_writes_no_annotation_that_python_3_9_would_evaluate():
    without = [
        module.name
        for module in MODULES
        if len(parsed(module).body) > 1 and "from __future__ import annotations" not in module.read_text()
    ]
    assert without == []


def test_agent_imports_the_standard_library_and_itself_alone():
    names = set()
    for node in (node for module in MODULES for node in ast.walk(parsed(module))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    foreign = {name for name in names if not name.startswith("providers.gpu.agent")}
    assert foreign
    assert {name for name in foreign if name.split(".")[0] not in sys.stdlib_module_names or name in TOO_NEW} == set()


def test_agent_packs_to_the_same_bytes():
    first = packed_agent()
    packed_agent.cache_clear()
    assert packed_agent() == first


def test_agent_packs_nothing_of_ours_but_itself():
    names = set(zipfile.ZipFile(io.BytesIO(packed_agent().data)).namelist())
    above = {"__main__.py", "providers/__init__.py", "providers/gpu/__init__.py"}
    assert names == above | {f"providers/gpu/agent/{path.relative_to(FOLDER).as_posix()}" for path in MODULES}


def packed_to(folder):
    path = folder / "darkroom-agent.pyz"
    path.write_bytes(packed_agent().data)
    return path


def said_by(python, pyz):
    process = subprocess.run([python, "-I", str(pyz)], capture_output=True, text=True, env={}, timeout=30, check=False)
    return process.returncode, process.stdout


def test_agent_runs_from_its_one_file(tmp_path):
    code, said = said_by(sys.executable, packed_to(tmp_path))
    assert code == 2
    assert "DARKROOM_JOB is missing" in said


def test_agent_runs_on_the_oldest_python_that_it_is_for(tmp_path):
    python = shutil.which("python3.9")
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no Python 3.9 on this machine; its grammar is checked above")
    code, said = said_by(python, packed_to(tmp_path))
    assert code == 2
    assert "DARKROOM_JOB is missing" in said


@pytest.mark.parametrize("served", [b"another program", None])
def test_machine_that_never_gets_its_agent_ends_itself(served, tmp_path):
    if served is not None:
        (tmp_path / "agent.pyz").write_bytes(served)
    ender = tmp_path / "shutdown"
    ender.write_text(f"#!/bin/sh\necho $* > {tmp_path}/said\n")
    ender.chmod(0o755)
    env = {
        "PATH": f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin",
        "DARKROOM_AGENT_URL": (tmp_path / "agent.pyz").as_uri(),
        "DARKROOM_AGENT_SHA256": packed_agent().sha256,
        "DARKROOM_END": "shutdown",
    }
    impatient = SCRIPT.replace("(1, 2, 5, 10, 20, 40, 60, 60, 60, 60, 60, 60, 0)", "(0, 0)")
    assert impatient != SCRIPT
    said = subprocess.run(["sh", "-c", impatient], env=env, capture_output=True, text=True, check=False, timeout=30)
    assert said.stdout.count("the agent") == 2
    assert (tmp_path / "said").read_text() == "-h now\n"
