"""Replicate alone: from photos to pictures, what its filter keeps back, and word that it sends."""

from tests.hosted.town import resident


async def test_person_trains_at_replicate_and_gets_pictures_of_it(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        last_word = await alice.train("flux.1-dev")
        assert len(last_word.images) == 4
        gallery = await alice.generate(prompt="rustyfox by the sea", count=2, seed=7)
        assert len(gallery.images) == 2
        assert "Made with Replicate" in gallery.text
        assert "seed `7`" in gallery.text
        [training, samples, pictures] = alice.town.replicate.jobs.values()
        assert training.model == "ostris/flux-dev-lora-trainer"
        assert training.input["trigger_word"] == "rustyfox"
        # Without a public URL, pictures are made by the version that was trained.
        assert samples.version == pictures.version
        assert training.output["version"].endswith(pictures.version)


async def test_quote_tells_low_and_high_with_their_basis_and_its_date(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        await alice.draft("flux.1-dev")
        quote = await alice.place.slash("train")
        assert "Replicate: the only one here for FLUX.1 [dev]." in quote.text
        assert "replicate.com/pricing, 2026-10-01" in quote.text
        assert "1000 steps · 1024 px · rank 16" in quote.text
        assert "Photos go to Replicate" in quote.text
        assert not alice.town.replicate.bill


async def test_pictures_go_by_the_official_model_where_our_link_can_be_followed(tmp_path):
    async with resident(tmp_path, configured=["replicate"]) as alice:
        await alice.train("flux.1-dev")
        await alice.generate(prompt="rustyfox", count=1)
        pictures = list(alice.town.replicate.jobs.values())[-1]
        assert pictures.model == "black-forest-labs/flux-dev-lora"
        link = pictures.input["lora_weights"]
        async with alice.session.get(link) as answer:
            assert answer.status == 200
            assert b"lora_A.weight" in await answer.read()


async def test_partly_filtered_pictures_are_kept_and_the_others_counted(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        alice.town.replicate.withheld = 1
        last_word = await alice.train("flux.1-dev")
        assert len(last_word.images) == 3
        assert "Replicate's filter kept 1 of 4 back." in last_word.text
        gallery = await alice.generate(prompt="rustyfox", count=3)
        assert len(gallery.images) == 2
        assert "Replicate's filter kept 1 of 3 back." in gallery.text


async def test_wholly_filtered_pictures_fail_with_what_to_do_next(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        await alice.train("flux.1-dev")
        alice.town.replicate.withheld = 2
        await alice.place.slash("generate", model="Rusty", prompt="rustyfox", count=2)
        card = await alice.place.wait_for(lambda m: m.has_button("Try again"))
        assert "another prompt or seed may pass" in card.text


async def test_cost_that_replicate_tells_ends_on_the_card(tmp_path):
    async with resident(tmp_path, public=False, configured=["replicate"]) as alice:
        await alice.train("flux.1-dev")
        card = await alice.place.wait_for(lambda m: "Training Rusty" in m.text and "$" in m.text)
        # 600 seconds of an H100, as the played Replicate tells.
        assert "$0.92" in card.text
