from datetime import date

import pytest

from providers.prices import PRICES, PriceList, Unit

#: Where each provider publishes its own prices.
OWN_PAGES = {
    "replicate": "replicate.com/",
    "together": "together.ai/",
    "fal": "fal.ai/",
    "runpod": "runpod.io/",
    "paperspace": "paperspace.com/",
}


def test_prices_all_have_a_date_and_a_source():
    assert all(price.usd > 0 and price.source and price.as_of.year >= 2026 for price in PRICES.values())


def test_prices_can_be_overridden_with_a_date_of_their_own():
    prices = PriceList(overrides={"replicate/gpu-h100": 0.5, "replicate/gpu-b200": 2.0}, since=date(2026, 11, 1))
    price = prices.find("replicate/gpu-h100", Unit.SECOND)
    assert (price.usd, price.as_of) == (0.5, date(2026, 11, 1))
    assert "operator" in str(price.basis)
    assert prices.find("replicate/gpu-b200", Unit.SECOND).usd == 2.0


def test_prices_that_nobody_knows_are_none():
    assert PriceList().find("replicate/gpu-b200", Unit.SECOND) is None
    assert PriceList().find("replicate/gpu-h100", Unit.IMAGE) is None


@pytest.mark.parametrize(("name", "price"), PRICES.items())
def test_price_that_is_not_from_the_providers_own_page_is_called_so_in_quotes(name, price):
    own = str(price.source).startswith(OWN_PAGES[name.partition("/")[0]])
    assert bool(price.caveat) is not own
    assert str(price.basis).count(str(price.caveat)) >= 1
    assert f"{price.as_of:%Y-%m-%d}" in str(price.basis)


def test_price_of_a_third_party_says_whose_it_is():
    basis = str(PriceList().find("fal/fal-ai/flux-lora-fast-training", Unit.STEP).basis)
    assert basis == "$0.002 per step (a third party's figure: about $2 per 1,000 steps, 2026-07-01)"
