from datetime import date

from providers.prices import PRICES, PriceList, Unit


def test_prices_all_have_a_date_and_a_source():
    assert all(price.usd > 0 and price.source and price.as_of.year >= 2026 for price in PRICES.values())


def test_prices_can_be_overridden_with_a_date_of_their_own():
    prices = PriceList(overrides={"replicate/gpu-h100": 0.5, "replicate/gpu-b200": 2.0}, since=date(2026, 11, 1))
    price = prices.find("replicate/gpu-h100", Unit.SECOND)
    assert (price.usd, price.as_of) == (0.5, date(2026, 11, 1))
    assert "operator" in price.basis
    assert prices.find("replicate/gpu-b200", Unit.SECOND).usd == 2.0


def test_prices_that_nobody_knows_are_none():
    assert PriceList().find("replicate/gpu-b200", Unit.SECOND) is None
    assert PriceList().find("replicate/gpu-h100", Unit.IMAGE) is None
