"""Owns the number of threads that numpy uses in these tests: one, as in Sketch's workers."""

import os

# Read when numpy is first imported, so it has to be set before any test module is.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
