"""Without PUBLIC_URL nobody can follow our links: who needs them says so and is offered no job."""

from bot.doctor import examine
from tests.hosted.town import open_town, resident
from tests.house import make_settings
from tests.playing import running_playground


async def found(tmp_path, **settings):
    """Return what the doctor finds, by part."""
    async with open_town() as town, running_playground() as discord:
        ours = make_settings(discord, tmp_path / "data", **settings)
        registry = town.registry(tmp_path / "data", links=None)
        findings = await examine(ours, registry=registry)
        await registry.close()
        return {finding.part: finding for finding in findings}


async def test_doctor_says_of_together_what_to_set(tmp_path):
    together = (await found(tmp_path))["Together"]
    assert not together.ok
    assert together.detail.startswith("Together has to fetch LoRAs from this bot: set PUBLIC_URL.")
    assert "It trains nothing: its fine-tuning takes language" in together.detail


async def test_doctor_says_of_the_others_what_they_can_do_without(tmp_path):
    parts = await found(tmp_path)
    assert not parts["Public URL"].ok
    assert parts["Replicate"].ok
    assert "trains with ostris/flux-dev-lora-trainer" in parts["Replicate"].detail
    assert "with models trained there alone; set PUBLIC_URL for all others" in parts["Replicate"].detail
    assert parts["fal (FLUX.2)"].ok
    assert parts["fal (FLUX.2)"].detail.endswith("It trains FLUX.2 [dev].")


async def test_together_is_offered_no_job_and_named_by_nobody(tmp_path):
    async with resident(tmp_path, public=False) as alice:
        await alice.train("flux.2-dev")
        offered = await alice.place.autocomplete("generate", "provider", model="Rusty")
        assert [choice.value for choice in offered] == ["auto", "fal"]
        answer = await alice.place.slash("generate", model="Rusty", prompt="rustyfox", provider="together")
        assert "cannot use this model" in answer.text
        assert not alice.town.together.bill


async def test_replicate_refuses_a_model_of_others_that_it_cannot_fetch(tmp_path):
    async with resident(tmp_path, public=False, configured=["fal", "replicate"]) as alice:
        await alice.train("flux.1-dev", provider="fal")
        await alice.place.slash("generate", model="Rusty", prompt="rustyfox", provider="replicate")
        card = await alice.place.wait_for(lambda m: "can't reach this model" in m.text)
        assert "set PUBLIC_URL" in card.text
