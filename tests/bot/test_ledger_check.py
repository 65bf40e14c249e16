"""`darkroom ledger check`: it agrees with what the product wrote, and finds every line that somebody changed."""

import sqlite3
from contextlib import closing

import pytest

from bot.cli import main
from tests.crash.scenarios import Beginning
from tests.crash.snapshots import make_snapshot

CHANGES = {
    "DELETE FROM ledger WHERE kind = 'reserve'": "has 0 reserves",
    "DELETE FROM ledger WHERE kind = 'settle'": "has ended with 0 settles and 0 releases",
    "UPDATE ledger SET kind = 'release' WHERE kind = 'reserve'": "has ended with 1 settles and 1 releases",
    "INSERT INTO ledger (job_id, kind, micro_usd, owner_id, provider, at)"
    " SELECT job_id, 'release', 0, owner_id, provider, at FROM ledger WHERE kind = 'settle'": (
        "has ended with 1 settles and 1 releases"
    ),
    "UPDATE jobs SET state = 'running'": "is under way with 1 settles and 0 releases",
}


def change(folder, statement):
    with closing(sqlite3.connect(folder / "darkroom.db")) as connection:
        connection.execute("PRAGMA foreign_keys = off")
        assert connection.execute(statement).rowcount == 2
        connection.commit()


@pytest.fixture
async def folder(tmp_path, monkeypatch):
    """Leave a training and its samples, each paid with $0.25, where the command line looks."""
    made = await make_snapshot(tmp_path / "data", Beginning.MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DARKROOM_DATA_DIR", str(made))
    return made


def test_ledger_check_agrees_with_what_was_paid(folder, capsys):
    assert main(["ledger", "check"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert printed[0].startswith("The sums agree: reserve $")
    assert printed[0].endswith("settle $0.50, release $0.00.")


def test_ledger_check_agrees_with_nothing_at_all(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    assert main(["ledger", "check"]) == 0
    assert capsys.readouterr().out == "The sums agree: reserve $0.00, settle $0.00, release $0.00.\n"


@pytest.mark.parametrize("statement", CHANGES)
def test_ledger_check_finds_a_line_that_was_changed(folder, capsys, statement):
    change(folder, statement)
    assert main(["ledger", "check"]) == 1
    *wrong, last = capsys.readouterr().out.splitlines()
    assert len([line for line in wrong if line.startswith("job ") and line.endswith(CHANGES[statement])]) == 2
    assert last.startswith("The sums do not agree: ")


def test_ledger_check_finds_an_amount_that_was_changed(folder, capsys):
    change(folder, "UPDATE ledger SET micro_usd = micro_usd + 1 WHERE kind = 'settle'")
    assert main(["ledger", "check"]) == 1


def test_ledger_check_of_a_database_that_cannot_be_opened_says_so(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DARKROOM_DATA_DIR", str(tmp_path / "file"))
    assert main(["ledger", "check"]) == 78
    [line] = capsys.readouterr().err.splitlines()
    assert "cannot be opened" in line
