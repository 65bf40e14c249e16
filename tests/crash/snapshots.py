"""Data folders to begin from, made by the product itself with the till, and moved into another playground."""

import asyncio
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.app import opened_services
from bot.consent import Depicted
from bot.downloads import Upload
from bot.place import Place
from bot.services import Services
from bot.training.job import JobState
from bot.training.presets import Wishes
from playground.limits import SentFile
from playground.person import Person
from playground.server import Playground
from providers.recipe import BaseModelName, SubjectKind
from tests.cogs.photos import swatches
from tests.crash.scenarios import Beginning
from tests.fakes.till import Till
from tests.fakes.till_adapter import till_registry
from tests.house import make_settings

PERSON = "ada"


async def make_snapshot(folder: Path, beginning: Beginning) -> Path:
    """Leave a data folder with what a story begins with."""
    async with Playground() as discord, Till() as till:
        settings, registry = make_settings(discord, folder), till_registry(till.url)
        async with opened_services(settings, registry=registry) as services:
            await fill_draft(services, discord)
            if beginning is not Beginning.DRAFT:
                await _train(services, discord)
            if beginning is Beginning.ATTIC:
                await _forget(services, discord)
    return folder


async def fill_draft(
    services: Services, discord: Playground, base_model: BaseModelName = BaseModelName.FLUX_1_DEV
) -> str:
    """Open a draft with two tiny photos for the person; return its id."""
    owner, kind = discord.person(PERSON), SubjectKind.ANIMAL
    draft = await services.drafts.open(
        owner.id,
        name="Rusty",
        trigger_word="rustyfox",
        kind=kind,
        base_model=base_model,
        depicted=Depicted.NOBODY,
    )
    await services.intake.receive(owner.id, _uploads(discord), draft_id=draft.id)
    return draft.id


def _uploads(discord: Playground) -> list[Upload]:
    posting = discord.posting
    stored = [posting.store(discord.channel, SentFile(filename=p.name, data=p.data)) for p in swatches(2)]
    return [Upload(file_name=a.filename, size=len(a.data), url=f"{posting.cdn_base}{a.path}") for a in stored]


async def _forget(services: Services, discord: Playground) -> None:
    """Open two drafts, the first with photos, and send photos for which nobody picks a draft."""
    owner = discord.person(PERSON)
    bella, _ = [
        await services.drafts.open(
            owner.id,
            name=name,
            trigger_word="fox",
            kind=SubjectKind.ANIMAL,
            base_model=BaseModelName.FLUX_1_DEV,
            depicted=Depicted.NOBODY,
        )
        for name in ("Bella", "Carla")
    ]
    await services.intake.receive(owner.id, _uploads(discord), draft_id=bella.id)
    held = await services.intake.receive(owner.id, _uploads(discord))
    assert held.batch_id is not None


async def _train(services: Services, discord: Playground) -> None:
    owner, place = discord.person(PERSON), Place(channel_id=discord.channel.id, guild_id=discord.guild.id)
    [draft] = await services.drafts.open_drafts(owner.id)
    offer = await services.training.quote(owner.id, draft.id, provider=None, wishes=Wishes())
    job = await services.training.start(owner.id, offer.quote.id, place)
    while not job.cleaned:  # rows have no event to wait for
        job = await services.training.job(job.id)
        await asyncio.sleep(0.02)
    assert job.state is JobState.SUCCEEDED, job.failure
    _, samples = await services.training.outcome(job)
    while samples is not None and not samples.cleaned:
        samples = await services.training.job(samples.id)
        await asyncio.sleep(0.02)


def move_in(snapshot: Path, folder: Path, discord: Playground) -> Person:
    """Copy a snapshot for a playground, where people and channels have other ids; its old cards are done with."""
    owner = discord.person(PERSON)
    shutil.copytree(snapshot, folder)
    with closing(sqlite3.connect(folder / "darkroom.db")) as connection:
        for table in ("drafts", "photos", "jobs", "loras", "consents"):
            connection.execute(f"UPDATE {table} SET owner_id = ?", (owner.id,))
        # Who wants no warning has their photos go when their time is over, without a day between.
        connection.execute("UPDATE people SET id = ?, tell_deletion = 0", (owner.id,))
        connection.execute("UPDATE jobs SET guild_id = ?", (discord.guild.id,))
        connection.execute("UPDATE cards SET given_up = 'of another playground'")
        connection.commit()
    return owner
