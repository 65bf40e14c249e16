"""Ready things for tests, made by the product itself: sample photos, and a model that was really trained."""

import asyncio
import functools
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.consent import Depicted
from bot.downloads import Upload
from bot.generating import Gallery
from bot.lora import Lora, Picture
from bot.picture_wishes import PictureWishes
from bot.place import Place
from bot.training.job import Job, JobKind, JobState, PictureSpec
from bot.training.presets import Wishes
from playground.limits import SentFile
from playground.person import Person
from playground.sample_photos import SamplePhoto, sample_photos
from playground.server import Playground
from providers.base import Aspect, LoraFormat
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry
from tests.fakes.till import SUCCEEDED, Till
from tests.fakes.till_adapter import TillImageMaker
from tests.house import House, running_bot
from tests.playing import running_playground

#: The fewest that Sketch takes, for speed; a model after these steps is poor, and real.
STEPS = 12
TRAINER = "ada"
#: Where nothing but one's own counts.
NOWHERE = Place(channel_id=0, guild_id=None)
#: The pictures that stand in the channel of a `house_with_model`.
WISHES = PictureWishes(prompt="rustyfox in the snow", count=2, seed=41)


@functools.cache
def small_photos(count: int = 4) -> Sequence[SamplePhoto]:
    """Draw photos that are quick to work on, once for all tests of a process."""
    return sample_photos(count, size=512)


def uploaded(house: House, photos: Sequence[SamplePhoto]) -> list[Upload]:
    """Put photos on the playground's CDN, as Discord does with attachments."""
    posting = house.discord.posting
    stored = [posting.store(house.discord.channel, SentFile(filename=p.name, data=p.data)) for p in photos]
    return [Upload(file_name=a.filename, size=len(a.data), url=f"{posting.cdn_base}{a.path}") for a in stored]


async def ended(house: House, job_id: str) -> Job:
    """Wait until a job has come to an end and is cleaned up."""
    for _ in range(1200):
        job = await house.services.training.job(job_id)
        if job.state.terminal and job.cleaned:
            return job
        await asyncio.sleep(0.05)
    raise AssertionError(f"job {job_id} never ended; it is {job.state}")


async def trained_model(house: House, person: Person, name: str = "Rusty", photos: int = 4) -> Lora:
    """Train a model for a person; takes some seconds, so rather open a `house_with_model`."""
    services, place = house.services, Place(channel_id=house.discord.channel.id, guild_id=house.discord.guild.id)
    draft = await services.drafts.open(
        person.id,
        name=name,
        trigger_word="rustyfox",
        kind=SubjectKind.ANIMAL,
        base_model=BaseModelName.SKETCH,
        depicted=Depicted.NOBODY,
    )
    await services.intake.receive(person.id, uploaded(house, small_photos(photos)), draft_id=draft.id)
    offer = await services.training.quote(person.id, draft.id, provider=None, wishes=Wishes(steps=STEPS))
    job = await ended(house, (await services.training.start(person.id, offer.quote.id, place)).id)
    assert job.state is JobState.SUCCEEDED, job.failure
    lora, samples = await services.training.outcome(job)
    assert lora is not None
    assert samples is not None
    await ended(house, samples.id)
    return lora


async def make_trained_folder(folder: Path) -> Path:
    """Leave a data folder in which somebody trained Rusty and made two pictures; `house_with_model` opens copies."""
    async with running_playground() as discord, running_bot(discord, folder) as house:
        person, place = discord.person(TRAINER), Place(channel_id=discord.channel.id, guild_id=discord.guild.id)
        lora = await trained_model(house, person)
        job = await house.services.generating.start(person.id, lora.id, WISHES, place)
        assert (await ended(house, job.id)).state is JobState.SUCCEEDED
    return folder


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A house, a person, and a model of theirs."""

    house: House
    owner: Person
    lora: Lora


@asynccontextmanager
async def house_with_easel(trained_folder: Path, folder: Path, **changes: Any) -> AsyncIterator[Scene]:
    """Open a `house_with_model` whose pictures come from the till at once; one of Sketch's takes seconds."""
    async with Till() as till:
        till.script = (SUCCEEDED,)
        accepted = {"base_models": frozenset({BaseModelName.SKETCH}), "accepts": frozenset({LoraFormat.SKETCH})}
        easel = Registry(trainers={}, image_makers={"till": TillImageMaker(till.url, **accepted)})
        async with house_with_model(trained_folder, folder, registry=easel, **changes) as scene:
            yield scene


@asynccontextmanager
async def house_with_model(trained_folder: Path, folder: Path, **changes: Any) -> AsyncIterator[Scene]:
    """Open a house in which a person has a trained model and two pictures, whose messages the bot posts at once."""
    async with running_playground() as discord:
        owner = await moved_in(trained_folder, folder, discord)
        async with running_bot(discord, folder, **changes) as house:
            [lora] = await house.services.library.usable(owner.id, NOWHERE)
            yield Scene(house=house, owner=owner, lora=lora)


async def moved_in(trained_folder: Path, folder: Path, discord: Playground) -> Person:
    """Copy a data folder for a playground, where people have other ids and no message is yet; return its owner."""
    owner = discord.person(TRAINER)
    await asyncio.to_thread(shutil.copytree, trained_folder, folder)
    with closing(sqlite3.connect(folder / "darkroom.db")) as connection:
        for table in ("drafts", "photos", "jobs", "loras", "ledger", "consents"):
            connection.execute(f"UPDATE {table} SET owner_id = ?", (owner.id,))
        connection.execute("UPDATE jobs SET guild_id = ?", (discord.guild.id,))
        connection.execute(
            "UPDATE cards SET channel_id = ?, message_id = NULL, final_message_id = NULL, digest = NULL,"
            " shown_revision = 0, given_up = NULL",
            (discord.channel.id,),
        )
        connection.commit()
    return owner


def make_picture_job(**changes: Any) -> Job:
    """Make the row of two finished pictures by hand."""
    when = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
    spec = PictureSpec(prompt="rustyfox in the snow", count=2, seed=41, aspect=Aspect.SQUARE, strength=0.8)
    values = {
        "id": "p1ctvresj0b0",
        "kind": JobKind.PICTURES,
        "state": JobState.SUCCEEDED,
        "owner_id": 4242,
        "guild_id": 1,
        "title": "Rusty",
        "provider": "sketch",
        "spec": spec,
        "draft_id": None,
        "lora_id": "1orarvsty000",
        "parent_id": None,
        "created_at": when,
        "updated_at": when,
        "ended_at": when + timedelta(seconds=3),
    }
    return Job(**values | changes)


def make_lora(**changes: Any) -> Lora:
    """Make the row of a model by hand."""
    values = {
        "id": "1orarvsty000",
        "owner_id": 4242,
        "name": "Rusty",
        "trigger_word": "rustyfox",
        "kind": SubjectKind.ANIMAL,
        "base_model": BaseModelName.SKETCH,
        "format": LoraFormat.SKETCH,
        "job_id": "trainingj0b0",
        "blob_key": "loras/trainingj0b0.safetensors",
        "sha256": "0" * 64,
        "size": 320_000,
        "facts": {"photos": 4, "steps": 12, "loss": 0.0581},
        "created_at": datetime(2026, 3, 14, 11, 0, tzinfo=UTC),
    }
    return Lora(**values | changes)


def make_picture(position: int = 0, **changes: Any) -> Picture:
    """Make the row of one picture by hand."""
    values = {
        "id": f"picture{position}",
        "job_id": "p1ctvresj0b0",
        "position": position,
        "blob_key": f"pictures/p1ctvresj0b0/{position}.png",
        "seed": 41 + position,
        "width": 512,
        "height": 512,
    }
    return Picture(**values | changes)


def make_gallery(**changes: Any) -> Gallery:
    """Make two finished pictures by hand; their files hold no picture."""
    values = {
        "job": make_picture_job(),
        "lora": make_lora(),
        "pictures": [make_picture(0), make_picture(1)],
        "files": [b"first", b"second"],
        "maker_title": "Sketch",
        "notice": "Sketch ignores the prompt.",
    }
    values |= changes
    if len(values["files"]) != len(values["pictures"]):
        values["files"] = [b"picture"] * len(values["pictures"])
    return Gallery(**values)
