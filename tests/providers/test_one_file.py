"""A provider in one module keeps the whole contract, and one entry in the table switches it on."""

from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

import aiohttp
import pytest
import pytest_asyncio
from pydantic import SecretStr, create_model

from bot import adapters, doctor
from bot.settings import OwnSettings
from providers.base import ImageOrder, LoraFormat
from providers.gpu.leases import NoLeases
from providers.recipe import BaseModelName
from tests.fakes.till import QUEUED, RUNNING, USUAL, Till
from tests.providers import test_contract
from tests.providers.contract import PROMPT, RETRY_AFTER, TRIGGER_WORD, Bench, Fault
from tests.providers.hosted_bench import Links, make_flux_pictures
from tests.providers.one_file import ONE_FILE, OneFileImageMaker
from tests.providers.test_contract import skip_where_not_applicable

KEY = "one-file-key-of-tests"

# Every case of the contract, in this module, where `bench` is the one below.
globals().update({name: case for name, case in vars(test_contract).items() if name.startswith("test_contract_")})


class OneFileBench(Bench):
    not_applicable: ClassVar = {"a_job_that_was_cleaned_up_is_not_found": "the till keeps its jobs"}
    secrets = (KEY,)

    def __init__(self, tmp_path) -> None:
        super().__init__(tmp_path)
        self.till = Till()

    async def start(self) -> None:
        await self.till.__aenter__()
        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))

    async def stop(self) -> None:
        await self.session.close()
        await self.till.__aexit__(None, None, None)

    def make_adapter(self) -> OneFileImageMaker:
        return OneFileImageMaker(self.till.url, SecretStr(KEY), self.session, seconds=1.0)

    def make_order(self, marker: str) -> ImageOrder:
        path = self.tmp_path / "lora.safetensors"
        path.write_bytes(b"weights")
        order = make_flux_pictures(path, marker)
        return replace(order, lora=replace(order.lora, base_model=BaseModelName.FLUX_1_DEV))

    def make_long_order(self, marker: str) -> ImageOrder:
        self.till.script = (QUEUED, RUNNING)
        return replace(self.make_order(marker), count=4)

    def unfit_orders(self) -> list[ImageOrder]:
        order = self.make_order("unfit")
        return [
            replace(order, count=5),
            replace(order, strength=7.0),
            replace(order, seed=-1),
            replace(order, lora=replace(order.lora, format=LoraFormat.SKETCH)),
            replace(order, marker="../elsewhere"),
        ]

    @contextmanager
    def busy(self):
        self.till.script = (QUEUED,)
        yield
        self.till.script = USUAL

    async def inject(self, fault: Fault) -> None:
        if fault is Fault.UNREACHABLE:
            await self.till.__aexit__(None, None, None)
            return
        refused = {"status": 422, "text": f"wrong: {PROMPT} {TRIGGER_WORD}"}
        unknown = '{"status": "pondering", "step": null, "total": null, "error": null, "cost_usd": null}'
        plans: dict[Fault, tuple[str, dict[str, Any]]] = {
            Fault.BAD_KEY: ("submit", {"status": 401}),
            Fault.NO_CREDIT: ("submit", {"status": 402}),
            Fault.REFUSED: ("submit", refused),
            Fault.RATE_LIMITED: ("submit", {"status": 429, "headers": {"Retry-After": f"{RETRY_AFTER:g}"}}),
            Fault.BROKEN_AFTER_ACCEPTING: ("submit", {"status": 500, "after": True}),
            Fault.SILENT_AFTER_ACCEPTING: ("submit", {"hang": True, "after": True}),
            Fault.CUT_AFTER_ACCEPTING: ("submit", {"after": True}),
            Fault.UNREADABLE_AFTER_ACCEPTING: ("submit", {"status": 201, "text": "<html>", "after": True}),
            Fault.BUSY_READ: ("poll", {"status": 503}),
            Fault.UNKNOWN_STATUS: ("poll", {"text": unknown, "headers": {"Content-Type": "application/json"}}),
            Fault.TRUNCATED_DOWNLOAD: ("collect", {"half": True}),
        }
        route, how = plans[fault]
        self.till.plan(route, **how)

    @property
    def accepted_jobs(self) -> int:
        return len(self.till.bill)

    def check_output(self, output, order, into) -> None:
        assert [made.seed for made in output.images] == [order.seed + n for n in range(order.count)]
        assert {(made.width, made.height) for made in output.images} == {(16, 16)}


@pytest_asyncio.fixture
async def bench(request, tmp_path):
    bench = OneFileBench(tmp_path)
    skip_where_not_applicable(bench, request.function.__name__.removeprefix("test_contract_"))
    await bench.start()
    yield bench
    await bench.stop()


@pytest.fixture
def table_with_one_more(monkeypatch):
    """Put the entry into the table, and nothing else anywhere."""
    table = (*adapters.PROVIDERS, ONE_FILE)
    monkeypatch.setattr(adapters, "PROVIDERS", table)
    monkeypatch.setattr(doctor, "PROVIDERS", table)
    return create_model("Settings", __base__=(*(entry.options for entry in reversed(table)), OwnSettings))


async def test_one_file_is_offered_once_its_key_is_set(tmp_path, table_with_one_more, monkeypatch):
    monkeypatch.setenv("ONE_FILE_KEY", KEY)
    settings = table_with_one_more(_env_file=None, darkroom_sketch=False)
    async with aiohttp.ClientSession() as session:
        parts = {"links": Links(), "leases": NoLeases(), "folder": tmp_path}
        registry = adapters.build_registry(settings, session=session, **parts)
        fitting = registry.image_makers_for(BaseModelName.FLUX_1_DEV, LoraFormat.KOHYA)
        assert [maker.name for maker in fitting] == ["one-file"]


async def test_one_file_is_told_of_by_the_doctor_while_its_key_is_missing(tmp_path, table_with_one_more):
    settings = table_with_one_more(
        _env_file=None, darkroom_data_dir=tmp_path / "data", discord_api_base="http://127.0.0.1:9"
    )
    [told] = [found for found in await doctor.examine(settings) if found.part == "One file"]
    assert told.detail == "not set up. ONE_FILE_KEY: Switches the till on: a key from its counter."
