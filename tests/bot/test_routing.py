"""Whom a job goes to when a server has wishes of its own: its order of preference, and whom it allows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.draft import Draft, DraftState
from bot.errors import CannotServe
from bot.events import News
from bot.routing import CHOSEN, Router
from bot.training.circuit import Circuits
from bot.training.presets import Wishes
from providers.base import LoraFormat
from providers.recipe import BaseModelName, SubjectKind
from providers.registry import Registry
from tests.factories import make_lora
from tests.fakes.till_adapter import TillImageMaker, TillTrainer

NOWHERE = "http://127.0.0.1:9"
NOW = datetime(2026, 3, 14, tzinfo=UTC)
DRAFT = Draft(
    id="draft",
    owner_id=1,
    name="Rusty",
    trigger_word="rustyfox",
    kind=SubjectKind.ANIMAL,
    base_model=BaseModelName.FLUX_1_DEV,
    state=DraftState.OPEN,
    created_at=NOW,
    updated_at=NOW,
)
LORA = make_lora(base_model=BaseModelName.FLUX_1_DEV, format=LoraFormat.DIFFUSERS)


def shop(kind, shop_name, usd):
    class Shop(kind):
        name = shop_name
        title = shop_name.title()

        def estimate(self, *what):
            return replace(super().estimate(*what), low_usd=usd, high_usd=usd)

    return Shop(NOWHERE)


def make_router(**changes):
    prices = {"cheap": 1.0, "middling": 2.0, "dear": 3.0}
    registry = Registry(
        trainers={name: shop(TillTrainer, name, usd) for name, usd in prices.items()},
        image_makers={name: shop(TillImageMaker, name, usd) for name, usd in prices.items()},
    )
    return Router(registry=registry, circuits=Circuits(database=None, news=News()), **changes)


def trainer(router, wanted=None, **wishes):
    choice = router.trainer_for(DRAFT, 8, Wishes(), wanted=wanted, **wishes)
    return choice.trainer.name, choice.why


def maker(router, wanted=None, **wishes):
    choice = router.maker_for(LORA, 2, wanted=wanted, **wishes)
    return choice.maker.name, choice.why


@pytest.fixture(params=[trainer, maker], ids=["trainer", "maker"])
def choose(request):
    return request.param


def test_routing_takes_the_cheapest_where_nobody_prefers_any(choose):
    assert choose(make_router()) == ("cheap", "the cheapest of 3")


def test_routing_takes_what_the_server_prefers_before_what_the_operator_does(choose):
    router = make_router(preferred=["middling"])
    assert choose(router) == ("middling", "preferred here")
    assert choose(router, preferred=["dear"]) == ("dear", "preferred here")


def test_routing_falls_back_on_the_operators_preference_where_the_servers_cannot(choose):
    router = make_router(preferred=["middling"])
    assert choose(router, preferred=["unknown"]) == ("middling", "preferred here")
    assert choose(router, preferred=["dear"], without=["dear"]) == ("middling", "preferred here")


def test_routing_stays_among_those_that_the_server_allows(choose):
    assert choose(make_router(), allowed=["middling", "dear"]) == ("middling", "the cheapest of 2")
    assert choose(make_router(preferred=["cheap"]), allowed=["dear"])[0] == "dear"


def test_routing_takes_the_wanted_one_that_is_allowed(choose):
    assert choose(make_router(), "dear", allowed=["dear"]) == ("dear", CHOSEN)


def test_routing_refuses_a_wanted_one_that_the_server_does_not_allow_and_names_others(choose):
    with pytest.raises(CannotServe) as refused:
        choose(make_router(), "cheap", allowed=["middling", "dear"])
    assert "not allowed in this server" in refused.value.sentence
    assert refused.value.advice == "`middling` or `dear` may do it here."


def test_routing_refuses_where_the_server_allows_none_that_can(choose):
    with pytest.raises(CannotServe) as refused:
        choose(make_router(), allowed=["elsewhere"])
    assert "not allowed in this server" in refused.value.sentence
    assert "moderator" in refused.value.advice


def test_routing_says_plainly_that_nobody_can_where_nobody_can():
    router = Router(registry=Registry(), circuits=Circuits(database=None, news=News()))
    for ask in (trainer, maker):
        with pytest.raises(CannotServe, match="No provider here"):
            ask(router, allowed=["cheap"])


def able(name, **can):
    maker = shop(TillImageMaker, name, 1.0)
    maker.capabilities = replace(maker.capabilities, **can)
    return maker


def make_studio():
    flux = BaseModelName.FLUX_1_DEV
    makers = [able("plain"), able("mixing", max_loras=2), able("heeding", negative_prompts=frozenset({flux}))]
    registry = Registry(image_makers={maker.name: maker for maker in makers})
    return Router(registry=registry, circuits=Circuits(database=None, news=News()))


def test_routing_finds_who_mixes_several_models():
    assert maker(make_studio(), extra=[LORA]) == ("mixing", "the only one here for FLUX.1 [dev] models")


def test_routing_finds_who_heeds_a_negative_prompt():
    assert maker(make_studio(), negative_prompt=True)[0] == "heeding"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"extra": [LORA, LORA]}, "mixes 3 such models"),
        ({"extra": [LORA], "negative_prompt": True}, "negative prompt"),
        ({"extra": [replace(LORA, base_model=BaseModelName.SDXL)]}, "different kinds"),
        ({"extra": [replace(LORA, format=LoraFormat.SKETCH)]}, "mixes 2 such models"),
    ],
)
def test_routing_says_what_nobody_here_can_do_with_a_model(asked, told):
    with pytest.raises(CannotServe, match=told) as refused:
        maker(make_studio(), **asked)
    assert refused.value.advice


def test_routing_takes_the_last_resort_where_nobody_else_can_or_somebody_prefers_it():
    makers = [able("slow", last_resort=True), shop(TillImageMaker, "paid", 9.0)]
    router = Router(registry=Registry(image_makers={m.name: m for m in makers}), circuits=make_router().circuits)
    assert maker(router)[0] == "paid"
    assert maker(router, without=["paid"])[0] == "slow"
    assert maker(router, preferred=["slow"])[0] == "slow"
