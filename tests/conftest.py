"""Owns what holds for every test: one thread for numpy, and nothing of the settings of whoever runs the tests."""

import os

# Read when numpy is first imported, so it has to be set before any test module is. Two test workers whose numpy starts
# a thread a core each only take turns; Sketch's own workers are told the same.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_name] = "1"

for _name in [name for name in os.environ if name.startswith(("DISCORD_", "DARKROOM_"))]:
    del os.environ[_name]
