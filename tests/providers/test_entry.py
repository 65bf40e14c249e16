"""The table of providers: what an entry must be, and that it is all that switching one on needs."""

import aiohttp
import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError, create_model

from bot.settings import OwnSettings, Settings
from providers.entry import Adapters, ProviderEntry, Setup
from providers.gpu.leases import NoLeases
from providers.prices import PriceList
from providers.recipe import BaseModelName
from providers.replicate.entry import REPLICATE, ReplicateOptions
from providers.table import PROVIDERS
from tests.fakes.till_adapter import TillImageMaker, TillTrainer

by_name = pytest.mark.parametrize("entry", PROVIDERS, ids=lambda entry: entry.name)


class ShopOptions(BaseModel):
    shop_key: SecretStr | None = Field(default=None, description="Switches the shop on: a key from its counter.")
    shop_url: str = Field(default="http://127.0.0.1:9", description="Where the shop is.")


def build_shop(options, setup):
    trainer, maker = TillTrainer(options.shop_url), TillImageMaker(options.shop_url)
    return Adapters(trainers={trainer.name: trainer}, image_makers={maker.name: maker})


SHOP = ProviderEntry(name="till", title="Till", options=ShopOptions, switch="shop_key", build=build_shop)


@pytest.fixture
async def setup(tmp_path):
    async with aiohttp.ClientSession() as session:
        yield Setup(
            session=session,
            links=None,
            folder=tmp_path,
            prices=PriceList(),
            leases=NoLeases(),
            webhook=lambda name: None,
        )


def test_entries_have_names_and_settings_of_their_own():
    names = [entry.name for entry in PROVIDERS]
    settings = [*OwnSettings.model_fields, *(field for entry in PROVIDERS for field in entry.options.model_fields)]
    assert sorted(set(names)) == sorted(names)
    assert sorted(set(settings)) == sorted(settings)


def test_entries_settings_are_all_settings():
    assert list(Settings.model_fields) == [
        *OwnSettings.model_fields,
        *(field for entry in PROVIDERS for field in entry.options.model_fields),
    ]


@by_name
def test_entry_says_what_to_set(entry):
    assert entry.switch in entry.options.model_fields
    assert entry.about.startswith(f"{entry.switch.upper()}: ")
    assert entry.about.endswith(".")


@by_name
async def test_entry_that_is_not_switched_on_brings_nothing(entry, setup):
    off = entry.options.model_validate({entry.switch: False if entry.is_on_by_itself else None})
    assert entry.build(off, setup) == Adapters()


@by_name
def test_entry_that_cannot_train_says_so_under_its_own_title(entry):
    assert entry.trains_not is None or entry.trains_not.title == entry.title


async def test_one_entry_is_all_that_switching_on_needs(setup, monkeypatch):
    settings_with_shop = create_model("settings_with_shop", __base__=(SHOP.options, OwnSettings))
    assert not SHOP.is_on(settings_with_shop(_env_file=None))
    monkeypatch.setenv("SHOP_KEY", "hush")
    monkeypatch.setenv("SHOP_URL", "http://127.0.0.1:10")
    settings = settings_with_shop(_env_file=None)
    assert SHOP.is_on(settings)
    options = SHOP.options_of(settings)
    assert options.shop_url == "http://127.0.0.1:10"
    assert "hush" not in repr(options)
    assert list(SHOP.build(options, setup).trainers) == ["till"]


async def test_replicate_s_options_reach_its_trainer(setup):
    told = {"batch_size": 2, "optimizer": "prodigy", "autocaption_prefix": "A", "autocaption_suffix": "Z"}
    options = {f"replicate_{name}": value for name, value in told.items()}
    wanted = {"replicate_trainer": "me/flux-2-trainer", "replicate_trainer_base_model": "flux.2-dev"}
    options = ReplicateOptions(replicate_api_token="r8_key", **options, **wanted)
    built = REPLICATE.build(options, setup)
    [trainer] = built.trainers.values()
    assert trainer.capabilities.base_models == {BaseModelName.FLUX_2_DEV}
    assert {name: getattr(trainer._settings, name) for name in told} == told
    for adapter in (*built.trainers.values(), *built.image_makers.values()):
        await adapter.close()


@pytest.mark.parametrize(
    "wrong", [{"replicate_trainer": "no-owner"}, {"replicate_destination": "a/b/c"}, {"replicate_batch_size": 9}]
)
def test_replicate_s_options_that_cannot_be_right_are_refused(wrong):
    with pytest.raises(ValidationError):
        ReplicateOptions(**wrong)
