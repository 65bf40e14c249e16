"""Several providers: trained at one, pictures from another, and who is offered for what."""

import pytest

from tests.hosted.town import resident


async def test_model_trained_at_fal_makes_pictures_at_together(tmp_path):
    async with resident(tmp_path) as alice:
        alice.town.fal.fetched, alice.town.together.fetched = {}, {}
        last_word = await alice.train("flux.2-dev", provider="fal-flux2")
        assert len(last_word.images) == 4
        gallery = await alice.generate(prompt="rustyfox at night", count=2, provider="together")
        assert len(gallery.images) == 2
        assert "Made with Together" in gallery.text
        [archive] = alice.town.fal.fetched.values()
        assert archive.startswith(b"PK")
        [link] = set(alice.town.together.fetched)
        assert link.endswith("/lora.safetensors")
        assert b"lora_A.weight" in alice.town.together.fetched[link]


async def test_model_trained_at_replicate_makes_pictures_at_fal(tmp_path):
    async with resident(tmp_path, configured=["replicate", "fal"]) as alice:
        await alice.train("flux.1-dev", provider="replicate")
        gallery = await alice.generate(prompt="rustyfox at night", count=2, provider="fal")
        assert len(gallery.images) == 2
        assert "Made with fal" in gallery.text
        assert alice.town.fal.bill == ["fal-ai/flux-lora"]
        [training, _samples] = alice.town.replicate.jobs.values()
        assert training.model == "ostris/flux-dev-lora-trainer"


async def test_card_says_which_provider_and_why(tmp_path):
    async with resident(tmp_path) as alice:
        await alice.train("flux.2-dev")
        card = await alice.place.wait_for(lambda m: "Training Rusty" in m.text)
        assert "fal (FLUX.2) (the only one here for FLUX.2 [dev])" in card.text


async def test_together_asked_to_train_says_why_not_and_who_can(tmp_path):
    async with resident(tmp_path) as alice:
        await alice.draft("flux.1-dev")
        answer = await alice.place.slash("train", provider="together")
        assert "Together can't train image models" in answer.text
        assert "language and vision-language models only" in answer.text
        assert "Here you can train with Replicate, fal (FLUX.1), fal (FLUX.2)." in answer.text
        assert not answer.message.buttons


@pytest.mark.parametrize(
    ("base_model", "trainers"),
    [("flux.1-dev", ["auto", "replicate", "fal"]), ("flux.2-dev", ["auto", "fal-flux2"])],
)
async def test_train_offers_only_who_can_train_the_draft(tmp_path, base_model, trainers):
    async with resident(tmp_path) as alice:
        await alice.draft(base_model)
        offered = await alice.place.autocomplete("train", "provider")
        assert [choice.value for choice in offered] == trainers


async def test_generate_offers_only_who_can_use_the_model(tmp_path):
    async with resident(tmp_path) as alice:
        await alice.train("flux.2-dev")
        offered = await alice.place.autocomplete("generate", "provider", model="Rusty")
        assert [choice.value for choice in offered] == ["auto", "fal", "together"]


async def test_provider_that_cannot_use_the_model_is_refused_by_name(tmp_path):
    async with resident(tmp_path) as alice:
        await alice.train("flux.2-dev")
        answer = await alice.place.slash("generate", model="Rusty", prompt="rustyfox", provider="replicate")
        assert "cannot use this model" in answer.text
        assert "`fal` or `together`" in answer.text


async def test_pictures_that_fal_flags_are_left_out_and_counted(tmp_path):
    async with resident(tmp_path, configured=["fal"]) as alice:
        await alice.train("flux.1-dev")
        alice.town.fal.flags = {1}
        gallery = await alice.generate(prompt="rustyfox", count=3)
        assert len(gallery.images) == 2
        assert "fal's filter kept 1 of 3 back." in gallery.text


async def test_pictures_that_together_keeps_back_are_counted_even_when_they_are_all(tmp_path):
    async with resident(tmp_path) as alice:
        await alice.train("flux.2-dev")
        alice.town.together.withholds = 2
        gallery = await alice.generate(prompt="rustyfox", count=2, provider="together")
        assert not gallery.images
        assert "Together's filter kept 2 of 2 back. Another prompt or seed may pass." in gallery.text
