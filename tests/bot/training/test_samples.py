"""Sample pictures that a training drew itself: kept where no image maker can draw any, once, and for nothing."""

from dataclasses import replace

import pytest

from bot.budget import disagreements
from bot.errors import CannotServe
from bot.store import ledger as ledger_rows
from bot.store import personal
from bot.store.ledger import EntryKind
from bot.sweep import sweep
from bot.training.job import JobState
from bot.training.samples import SAMPLES
from providers.base import MadeImage
from providers.gpu import engines
from tests.bot.training.rails import OWNER, PLACE, laid_rails
from tests.fakes.till import picture_file
from tests.fakes.till_adapter import TillTrainer

PROMPT = "a photo of rustyfox"


class DrawingTrainer(TillTrainer):
    """Leaves pictures with its model."""

    count = SAMPLES

    async def collect(self, remote_id, prepared, into):
        output = await super().collect(remote_id, prepared, into)
        samples = [self._draw(number, into) for number in range(self.count)]
        return replace(output, samples=samples, sample_prompt=PROMPT)

    @staticmethod
    def _draw(number, into):
        path = into / f"sample-{number}.png"
        path.write_bytes(picture_file(number))
        return MadeImage(path=path, seed=42 + number, width=16, height=16)


def drawing(registry, **changes):
    [till] = registry.trainers.values()
    trainer = DrawingTrainer(till._url.removesuffix("/trainings"))
    return replace(registry, **{"trainers": {"till": trainer}, "image_makers": {}} | changes)


async def ledger_of(rails):
    async with rails.database.begin() as connection:
        return await ledger_rows.totals(connection), await disagreements(connection)


def stored(folder):
    return sorted(path for path in (folder / "blobs" / "pictures").rglob("*") if path.is_file())


def test_engines_draw_as_many_as_a_training_shows():
    assert engines.SAMPLES == SAMPLES


async def test_pictures_of_the_training_are_its_samples_where_nobody_else_draws(tmp_path):
    async with laid_rails(tmp_path, dress=drawing) as rails:
        job = await rails.run_out((await rails.begin()).id)
        lora, samples = await rails.training.outcome(job)
        gallery = await rails.generating.gallery(samples.id, with_files=True)
        totals, wrong = await ledger_of(rails)

    assert (samples.state, samples.cleaned, samples.next_at) == (JobState.SUCCEEDED, True, None)
    assert (samples.provider, samples.lora_id, samples.cost_usd) == ("till", lora.id, 0.0)
    assert (samples.pictures.prompt, samples.pictures.by_training) == (PROMPT, True)
    assert [picture.seed for picture in gallery.pictures] == [42, 43, 44, 45]
    assert list(gallery.files) == [picture_file(number) for number in range(SAMPLES)]
    assert gallery.maker_title == "Till"
    assert wrong == []
    assert totals == {EntryKind.RESERVE: 250_000, EntryKind.SETTLE: 250_000, EntryKind.RELEASE: 0}


async def test_pictures_of_the_training_are_dropped_where_somebody_draws(tmp_path):
    def dress(registry):
        return drawing(registry, image_makers=registry.image_makers)

    async with laid_rails(tmp_path, dress=dress) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
        before = stored(tmp_path) if (tmp_path / "blobs" / "pictures").exists() else []
        await rails.run_out(samples.id)
        bill = rails.till.bill

    assert before == []
    assert not samples.pictures.by_training
    assert bill == [job.marker, samples.marker]


async def test_training_that_drew_nothing_has_no_samples_where_nobody_draws(tmp_path, monkeypatch):
    monkeypatch.setattr(DrawingTrainer, "count", 0)
    async with laid_rails(tmp_path, dress=drawing) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
    assert job.state is JobState.SUCCEEDED
    assert samples is None


async def test_process_that_dies_before_the_rows_leaves_one_set_of_pictures(tmp_path, monkeypatch):
    async with laid_rails(tmp_path, dress=drawing) as rails:
        job = await rails.run_to((await rails.begin()).id, JobState.COLLECTING)
        craft = rails.stepper._crafts[job.kind]

        async def dies(*_args):
            raise RuntimeError("killed here")

        with monkeypatch.context() as patched:
            patched.setattr(craft, "keep", dies)
            await rails.step(job.id)
        left = stored(tmp_path)
        job = await rails.run_out(job.id)
        _, samples = await rails.training.outcome(job)
        gallery = await rails.generating.gallery(samples.id, with_files=True)
        await sweep(database=rails.database, blobs=rails.blobs, work_dir=tmp_path / "work")
        _totals, wrong = await ledger_of(rails)

    assert len(left) == len(gallery.pictures) == SAMPLES
    assert stored(tmp_path) == left
    assert wrong == []


async def test_pictures_of_the_training_are_among_what_is_known_of_their_person(tmp_path):
    async with laid_rails(tmp_path, dress=drawing) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
        gallery = await rails.generating.gallery(samples.id, with_files=False)
        async with rails.database.begin() as connection:
            files = await personal.blob_keys_about(connection, OWNER)

    assert {picture.blob_key for picture in gallery.pictures} <= set(files)


async def test_more_of_them_are_refused_in_plain_words_where_nobody_draws(tmp_path):
    async with laid_rails(tmp_path, dress=drawing) as rails:
        job = await rails.run_out((await rails.begin()).id)
        _, samples = await rails.training.outcome(job)
        with pytest.raises(CannotServe, match=r"No provider here makes pictures with a FLUX.1 \[dev\] model."):
            await rails.generating.again(OWNER, samples.id, PLACE)
