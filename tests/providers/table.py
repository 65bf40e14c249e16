"""The contract suite as a table, adapter by case: what each adapter passed, and what means nothing for it, and why."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from tests.providers.benches import BENCHES
from tests.providers.contract import Fault

PREFIX = "test_contract_"
PASSED, FAILED, LEFT_OUT = "yes", "**no**", "–"


@dataclass(kw_only=True)
class Verdicts:
    """What a run of the suite said: a pytest plugin that listens to it."""

    #: By case and adapter, a word for each test.
    words: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    #: Why an adapter leaves a case out, in the order of the run.
    reasons: dict[str, list[str]] = field(default_factory=dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.rpartition("::")[2]
        if not name.startswith(PREFIX) or (report.when != "call" and report.passed):
            return
        case, adapter = _cell(name)
        if report.skipped:
            reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
            self._leave_out(adapter, reason)
        self.words[case, adapter].append(LEFT_OUT if report.skipped else PASSED if report.passed else FAILED)

    def _leave_out(self, adapter: str, reason: str) -> None:
        adapters = self.reasons.setdefault(reason, [])
        if adapter not in adapters:
            adapters.append(adapter)

    def table(self) -> str:
        """Return the table in Markdown, with the reasons below it."""
        adapters = list(BENCHES)
        cases = list(dict.fromkeys(case for case, _ in self.words))
        lines = ["| case | " + " | ".join(adapters) + " |", "|---" * (len(adapters) + 1) + "|"]
        lines += [f"| {case} | " + " | ".join(self._mark(case, name) for name in adapters) + " |" for case in cases]
        left_out = [f"* {', '.join(names)}: {reason}" for reason, names in self.reasons.items()]
        return "\n".join([*lines, "", f"{LEFT_OUT} is left out, because:", "", *left_out])

    def _mark(self, case: str, adapter: str) -> str:
        return _worst(self.words.get((case, adapter), ["?"]))


def _cell(name: str) -> tuple[str, str]:
    """Split a test's name into the case, with its fault if it has one, and the adapter."""
    stem, _, parameters = name.removeprefix(PREFIX).rstrip("]").partition("[")
    adapter = next(bench for bench in sorted(BENCHES, key=len, reverse=True) if parameters.startswith(bench))
    fault = next((fault for fault in Fault if str(fault) in parameters), None)
    return fault or words_of(stem), adapter


def words_of(stem: str) -> str:
    """Return a case's name as people read it."""
    return stem.replace("_", " ").replace("doesnt", "doesn't").replace("provider s", "provider's")


def _worst(words: Iterable[str]) -> str:
    """Return one word for all tests of a cell; one that ran tells more than one that was left out."""
    told: Sequence[str] = list(words)
    return next((word for word in (FAILED, PASSED, LEFT_OUT) if word in told), told[0])
