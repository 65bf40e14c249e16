"""Owns what holds for every test: one thread for numpy, and nothing of the settings of whoever runs the tests."""

import os
import sys

import pytest

# Read when numpy is first imported, so it has to be set before any test module is. Two test workers whose numpy starts
# a thread a core each only take turns; Sketch's own workers are told the same.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_name] = "1"
# The tests start many processes; compiling every module anew takes each of them three times as long as importing them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


# Before any test imports it.
pytest.register_assert_rewrite("tests.faults.stage")


def pytest_configure():
    from bot.settings import Settings  # noqa: PLC0415 - numpy must not be imported above

    ours = {name.upper() for name in Settings.model_fields}
    for name in [name for name in os.environ if name.upper() in ours]:
        del os.environ[name]
