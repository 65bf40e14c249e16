"""The table in docs/providers.md tells of today's suite; that its cells are true, a run of the suite says."""

from pathlib import Path

import pytest

from tests.providers import test_contract
from tests.providers.benches import BENCHES
from tests.providers.contract import Fault
from tests.providers.table import FAILED, LEFT_OUT, PASSED, PREFIX, Verdicts, words_of

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "providers.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
ADAPTERS, *CASES = [row for row in ROWS if len(row) == len(BENCHES) + 1]
#: Cases that the table tells fault by fault.
BY_FAULT = {
    "a_paid_call_that_was_surely_not_accepted_says_so",
    "a_paid_call_without_a_clear_answer_is_unsure_and_found",
}


def test_page_has_a_column_for_every_adapter():
    assert ADAPTERS[1:] == list(BENCHES)


def test_page_has_a_row_for_every_case():
    stems = {name.removeprefix(PREFIX) for name in vars(test_contract) if name.startswith(PREFIX)}
    whole = {words_of(stem) for stem in stems - BY_FAULT}
    faults = {str(fault) for fault in Fault if fault.name.endswith("_ACCEPTING") or "the paid call" in fault}
    assert {row[0] for row in CASES} == whole | faults


@pytest.mark.parametrize("adapter", BENCHES)
def test_page_leaves_out_no_more_than_the_adapter_may(adapter):
    column = list(BENCHES).index(adapter) + 1
    left_out = {row[0] for row in CASES if row[column] == LEFT_OUT}
    may = {words_of(case) if case not in set(Fault) else str(case) for case in BENCHES[adapter].not_applicable}
    told_by_fault = {"a read is tried again", "an unknown status is passed on and not interpreted",
                     "a truncated download is broken and can be repeated", "secrets are in no log error or repr",
                     "a webhook is a hint only when it is surely the provider's"}  # fmt: skip
    of_pictures_alone = {"as many loras go in as are declared and no more", "loras of two base models are refused",
                         "a negative prompt is refused where none is declared"}  # fmt: skip
    assert left_out - may - told_by_fault - of_pictures_alone == set()
    assert all(reason in PAGE for reason in BENCHES[adapter].not_applicable.values())


def test_page_tells_of_no_failure():
    assert {cell for row in CASES for cell in row[1:]} == {PASSED, LEFT_OUT}


def test_table_shows_the_worst_of_a_cell():
    verdicts = Verdicts()
    adapter = next(iter(BENCHES))
    verdicts.words["estimate is sane", adapter] = [PASSED, FAILED, LEFT_OUT]
    assert f"| estimate is sane | {FAILED} |" in verdicts.table()
