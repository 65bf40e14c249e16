"""Sheets on the rails: they follow their columns, and end with them whichever way."""

from bot.budget import disagreements
from bot.store import jobs as rows
from bot.store import ledger
from bot.store import loras as lora_rows
from bot.store.ledger import EntryKind
from bot.training.job import JobState, SheetKind
from tests.bot.training.rails import OWNER, PLACE, laid_rails
from tests.fakes.till import QUEUED, RUNNING, USUAL, Look


async def begun(rails):
    """Begin a sheet of strengths of a model that was just trained, whose samples are made."""
    training = await rails.run_out((await rails.begin()).id)
    _, samples = await rails.training.outcome(training)
    await rails.run_out(samples.id)
    async with rails.database.begin() as connection:
        lora = await lora_rows.made_by(connection, training.id)
    return await rails.services.sheets.start(OWNER, lora.id, SheetKind.STRENGTHS, PLACE)


async def columns(rails, sheet):
    async with rails.database.begin() as connection:
        return await rows.columns_of(connection, sheet.id)


async def sums(rails):
    async with rails.database.begin() as connection:
        return await ledger.totals(connection), await disagreements(connection)


async def test_sheet_ends_when_its_columns_have(tmp_path):
    async with laid_rails(tmp_path) as rails:
        sheet = await rails.run_out((await begun(rails)).id)
        view = await rails.services.sheets.view(sheet)
        assert sheet.state is JobState.SUCCEEDED
        assert view.picture.startswith(b"\xff\xd8")
        assert {column.state for column in await columns(rails, sheet)} == {JobState.SUCCEEDED}
        totals, wrong = await sums(rails)
        assert not wrong
        # A training, its samples and three columns, each of which the till takes $0.25 for.
        assert totals[EntryKind.SETTLE] == 5 * 250_000
        assert totals[EntryKind.RESERVE] == 250_000 + 40_000 + 3 * 20_000


async def test_sheet_shows_what_came_when_a_column_failed(tmp_path):
    async with laid_rails(tmp_path) as rails:
        sheet = await begun(rails)
        await rails.run(sheet.id, lambda job: len(rails.till.jobs) == 5)
        [*_, last] = rails.till.jobs.values()
        last.looks[:] = [Look(status="failed", error="The GPU caught fire.")]
        sheet = await rails.run_out(sheet.id)
        view = await rails.services.sheets.view(sheet)
        assert sheet.state is JobState.SUCCEEDED
        assert [failure.told for failure in view.failures] == ["The GPU caught fire."]


async def test_sheet_fails_with_the_reason_of_its_columns(tmp_path):
    async with laid_rails(tmp_path) as rails:
        sheet = await begun(rails)
        rails.till.script = (Look(status="failed", error="The GPU caught fire."),)
        sheet = await rails.run_out(sheet.id)
        assert sheet.state is JobState.FAILED
        assert sheet.failure.told == "The GPU caught fire."
        assert not (await sums(rails))[1]


async def test_sheet_that_is_stopped_stops_its_columns(tmp_path):
    async with laid_rails(tmp_path) as rails:
        rails.till.script = USUAL
        sheet = await begun(rails)
        rails.till.script = (QUEUED, RUNNING)
        await rails.run_to(sheet.id, JobState.RUNNING)
        await rails.training.cancel(OWNER, sheet.id)
        sheet = await rails.run_out(sheet.id)
        for column in await columns(rails, sheet):
            assert (await rails.run_out(column.id)).state is JobState.CANCELED
        assert sheet.state is JobState.CANCELED
        assert not (await sums(rails))[1]


async def test_sheet_that_is_stopped_at_once_costs_nothing(tmp_path):
    async with laid_rails(tmp_path) as rails:
        sheet = await begun(rails)
        paid = len(rails.till.bill)
        await rails.training.cancel(OWNER, sheet.id)
        await rails.run_out(sheet.id)
        for column in await columns(rails, sheet):
            await rails.run_out(column.id)
        assert len(rails.till.bill) <= paid + 3
        assert not (await sums(rails))[1]
