"""Prices that the operator knows better than the bot's own table."""

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError

from bot.adapters import build_registry
from bot.settings import Settings
from providers.gpu.leases import NoLeases
from tests.providers.replicate_bench import Links


async def makers(folder, **settings):
    """Return the image makers that these settings switch on."""
    keys = {name: SecretStr("a key") for name in ("replicate_api_token", "fal_key", "together_api_key")}
    public = "https://bot.example.org"
    chosen = Settings(_env_file=None, darkroom_data_dir=folder, public_url=public, **keys, **settings)
    async with aiohttp.ClientSession() as session:
        registry = build_registry(chosen, session=session, links=Links(), leases=NoLeases(), folder=folder)
        await registry.close()
        return registry.image_makers


async def test_price_of_the_operator_is_the_basis_of_a_quote(tmp_path):
    told = "replicate/black-forest-labs/flux-dev-lora=0.5, together/black-forest-labs/FLUX.2-dev=0.25"
    found = await makers(tmp_path, darkroom_prices=told)
    estimate = found["replicate"].estimate(2)
    assert (estimate.low_usd, estimate.high_usd) == (1.0, 1.0)
    assert "$0.5 per image (set by the operator" in str(estimate.basis)
    assert "$0.25 per megapixel (set by the operator" in str(found["together"].estimate(1).basis)
    assert "fal.ai/models/" in str(found["fal"].estimate(1).basis)


@pytest.mark.parametrize("told", ["replicate/gpu-h100", "=3", "replicate/gpu-h100=cheap", "replicate/gpu-h100=-1"])
def test_price_that_cannot_be_read_is_refused(told):
    with pytest.raises(ValidationError, match="darkroom_prices"):
        Settings(_env_file=None, darkroom_prices=told)
