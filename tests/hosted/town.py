"""A bot among played Replicate, fal, Together and ComfyUI, all on this machine; the adapters are the real ones."""

import socket
import tempfile
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.web.files import SignedFiles, read_or_make_secret
from playground.outcome import Outcome
from playground.person import Place, SeenMessage
from playground.server import Playground
from providers.artifacts import Artifacts
from providers.base import FileLinks, ImageMaker, Trainer
from providers.comfy.api import ComfySettings
from providers.comfy.bases import read_files
from providers.comfy.image_maker import ComfyImageMaker
from providers.comfy.shelf import Shelf
from providers.fal.api import FalSettings
from providers.fal.endpoints import TRAINERS
from providers.fal.image_maker import FalImageMaker
from providers.fal.trainer import FalTrainer
from providers.registry import Registry
from providers.replicate.image_maker import ReplicateImageMaker
from providers.replicate.settings import ReplicateSettings
from providers.replicate.trainer import ReplicateTrainer
from providers.together.api import TogetherSettings
from providers.together.image_maker import TOGETHER_TRAINS_NOT, TogetherImageMaker
from tests.cogs.photos import foxes
from tests.fakes import fal as fal_fake
from tests.fakes import replicate as replicate_fake
from tests.fakes import together as together_fake
from tests.fakes.comfy import FakeComfy
from tests.fakes.fal import FakeFal
from tests.fakes.replicate import FakeReplicate
from tests.fakes.together import FakeTogether
from tests.house import House, running_bot
from tests.playing import running_playground
from tests.providers.comfy_bench import FILES
from tests.providers.replicate_bench import assert_conforms

EVERYBODY = ("replicate", "fal", "together")


@dataclass(kw_only=True)
class Town:
    """The four services, and which of them this bot knows; ComfyUI only when it is named."""

    replicate: FakeReplicate
    fal: FakeFal
    together: FakeTogether
    comfy: FakeComfy
    session: aiohttp.ClientSession
    poll_seconds: float
    configured: Collection[str]

    def registry(self, folder: Path, links: FileLinks | None) -> Registry:
        """Make the adapters as `bot.adapters.build_registry` does, but with the addresses of this town."""
        trainers: dict[str, Trainer] = {}
        makers: dict[str, ImageMaker] = {}
        files = Artifacts(loopback=True)
        if "replicate" in self.configured:
            settings = ReplicateSettings(token=SecretStr(replicate_fake.TOKEN), base_url=self.replicate.base_url)
            trainers["replicate"] = self._polled(ReplicateTrainer)(settings, links=links, artifacts=files)
            makers["replicate"] = self._polled(ReplicateImageMaker)(settings, links=links, artifacts=files)
        if "fal" in self.configured:
            parts = (self._fal_settings(), self.session)
            for endpoint in TRAINERS:
                trainers[endpoint.name] = self._polled(FalTrainer)(*parts, endpoint, links=links, artifacts=files)
            makers["fal"] = self._polled(FalImageMaker)(*parts, links=links, artifacts=files)
        if "together" in self.configured:
            key = SecretStr(together_fake.KEY)
            settings = TogetherSettings(api_key=key, base_url=self.together.url, timeout_seconds=5)
            makers["together"] = self._polled(TogetherImageMaker)(settings, folder / "together", links=links)
        if "comfy" in self.configured:
            makers["comfy"] = self._polled(ComfyImageMaker)(
                ComfySettings(url=self.comfy.url),
                self.session,
                shelf=Shelf(self.comfy.loras, folder / "comfy"),
                files={base: found for base, text in FILES.items() if (found := read_files(base, text))},
            )
        return Registry(trainers=trainers, image_makers=makers, trains_not={"together": TOGETHER_TRAINS_NOT})

    def _fal_settings(self) -> FalSettings:
        url = self.fal.url
        return FalSettings(
            key=SecretStr(fal_fake.KEY),
            queue_url=f"{url}/queue",
            rest_url=f"{url}/rest",
            platform_url=f"{url}/platform/v1",
        )

    def _polled(self, kind: Any) -> Any:
        """Return the same adapter, asked as often as this town wants it."""
        seconds = self.poll_seconds

        class Polled(kind):
            @property
            def capabilities(self):
                return replace(super().capabilities, poll_seconds=seconds)

        return Polled


@dataclass(frozen=True, kw_only=True)
class Resident:
    """Alice with her bot in a town."""

    town: Town
    house: House
    place: Place
    session: aiohttp.ClientSession

    async def draft(self, base_model: str, *, photos: int = 4) -> None:
        await self.place.slash(
            "draft new", name="Rusty", trigger_word="rustyfox", kind="animal", who="nobody", base_model=base_model
        )
        files = foxes(photos)
        await self.place.slash("draft add", **{f"photo{n}": file for n, file in enumerate(files, start=1)})

    async def train(self, base_model: str, **options: Any) -> SeenMessage:
        """Train a model to its last word and return that."""
        await self.draft(base_model)
        quote = await self.place.slash("train", **options)
        await self.place.press(quote, "Train it")
        return await self.place.wait_for(lambda m: "Rusty is ready" in m.text or "Rusty: failed" in m.text)

    async def generate(self, **options: Any) -> SeenMessage:
        """Ask for pictures and return their gallery."""
        before = {message.id for message in self.place.sees()}
        answer: Outcome = await self.place.slash("generate", model="Rusty", **options)
        assert "Drawing" in answer.text
        return await self.place.wait_for(lambda m: m.id not in before and m.has_button("Details"))

    async def knock(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Post to the bot's own web server and return the status."""
        url = f"http://127.0.0.1:{self.house.services.web_port}{path}"
        async with self.session.post(url, data=body, headers=headers) as answer:
            return answer.status


@asynccontextmanager
async def open_town(*, poll_seconds: float = 0.02, configured: Collection[str] = EVERYBODY) -> AsyncIterator[Town]:
    """Open the four services; what Replicate was asked and said is judged by its OpenAPI file at the end."""
    async with AsyncExitStack() as stack:
        fakes = [await stack.enter_async_context(kind()) for kind in (FakeReplicate, FakeFal, FakeTogether)]
        session = await stack.enter_async_context(aiohttp.ClientSession())
        replicate, fal, together = fakes
        loras = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        comfy = await stack.enter_async_context(FakeComfy(loras))
        fal.brisk = comfy.brisk = True
        yield Town(
            replicate=replicate,
            fal=fal,
            together=together,
            comfy=comfy,
            session=session,
            poll_seconds=poll_seconds,
            configured=configured,
        )
        assert_conforms(replicate)


@asynccontextmanager
async def resident(tmp_path: Path, *, public: bool = True, **how: Any) -> AsyncIterator[Resident]:
    """Move alice and her bot into a town; the bot's own web server is found on this machine if it is public."""
    data = tmp_path / "data"
    data.mkdir()
    port = _free_port()
    web = {"public_url": f"http://127.0.0.1:{port}" if public else None, "darkroom_web_port": port}
    async with open_town(**how) as town, running_playground() as discord:
        links = _links(data, web["public_url"]) if public else None
        registry = town.registry(data, links)
        # A FLUX.2 training of the usual length costs more than people may spend a day by default.
        async with running_bot(discord, data, registry=registry, darkroom_person_usd_a_day=50, **web) as house:
            await house.services.router.check_all()
            place = _home(discord)
            yield Resident(town=town, house=house, place=place, session=town.session)


def _home(discord: Playground) -> Place:
    return discord.person("alice").in_channel()


def _links(data: Path, public_url: str) -> SignedFiles:
    # The bot reads the same secret, so that it serves what these links lead to.
    secret = read_or_make_secret(data / "secret.key")
    return SignedFiles(root=data, secret=secret, public_url=public_url, clock=SystemClock())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
