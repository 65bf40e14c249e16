"""`python -m tests.providers` runs the contract suite and prints its table, adapter by case."""

import contextlib
import io
import sys
from pathlib import Path

import pytest

from tests.providers.table import Verdicts


def main() -> int:
    verdicts = Verdicts()
    suite = str(Path(__file__).with_name("test_contract.py"))
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        code = pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", suite], plugins=[verdicts])
    print(verdicts.table())  # noqa: T201 - a command's own voice
    print(told.getvalue(), file=sys.stderr)  # noqa: T201 - as above
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
