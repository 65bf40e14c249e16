"""All captions at once: what happens to those that are there, what is shown of it, and the way back."""

import pytest

from tests.cogs.photos import swatches
from tests.cogs.test_drafts import begin, fill, photos_of
from tests.house import open_house, running_bot
from tests.playing import running_playground


async def captions_of(house, person):
    return [photo.caption for photo in await photos_of(house.services, person)]


async def drafted(place, captions):
    """Give the panel of a draft with these captions."""
    await begin(place)
    panel = await fill(place, swatches(len(captions)))
    written = {f"photo_{number}": caption for number, caption in enumerate(captions, start=1)}
    return await place.submit(await place.press(panel, "Captions"), **written)


async def change(place, panel, how, text):
    return await place.submit(await place.press(panel, "Caption all"), how=how, text=text)


async def test_form_for_all_says_how_many_are_written_and_suggests_putting_it_before(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        form = await place.press(await drafted(place, ["asleep", ""]), "Caption all")
        [ways, text] = form.modal.fields
        assert [option.name for option in ways.options] == [
            "Put it before",
            "Put it after",
            "Fill the empty ones",
            "Replace all",
        ]
        assert (ways.value, text.label) == ("before", "Text")


@pytest.mark.parametrize(
    ("how", "becomes"),
    [
        ("Put it before", ["rustyfox, asleep", "rustyfox"]),
        ("Put it after", ["asleep, rustyfox", "rustyfox"]),
        ("Fill the empty ones", ["asleep", "rustyfox"]),
        ("Replace all", ["rustyfox", "rustyfox"]),
    ],
)
async def test_all_captions_are_changed_as_chosen(tmp_path, how, becomes):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await change(alice.in_channel(), await drafted(alice.in_channel(), ["asleep", ""]), how, " rustyfox ")
        assert await captions_of(house, alice) == becomes


async def test_change_of_all_shows_before_and_after_and_leads_back(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await drafted(place, ["asleep *here*", ""])
        shown = await change(place, panel, "Put it before", "rustyfox")
        assert shown.message.id == panel.message.id
        assert shown.text.splitlines() == [
            "Changed 2 captions of **Rusty**.",
            "- 1: asleep \\*here\\* → rustyfox, asleep \\*here\\*",
            "- 2: (empty) → rustyfox",
        ]
        back = await place.press(shown, "Back to the draft")
        assert "2 with captions" in back.text
        assert len(back.images) == 1


async def test_change_of_many_shows_five_and_counts_the_rest(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        shown = await change(place, await fill(place, swatches(7)), "Fill the empty ones", "x" * 300)
        assert shown.text.endswith("- and 2 more")
        assert len(shown.text) < 1000


async def test_change_of_all_is_undone_after_a_restart_but_once(tmp_path):
    async with running_playground() as discord:
        alice = discord.person("alice")
        place = alice.in_channel()
        async with running_bot(discord, tmp_path / "data"):
            shown = await change(place, await drafted(place, ["asleep", "awake"]), "Replace all", "")
        async with running_bot(discord, tmp_path / "data") as house:
            assert await captions_of(house, alice) == ["", ""]
            undone = await place.press(shown, "Undo")
            assert undone.text.startswith("2 captions are as they were before.")
            assert await captions_of(house, alice) == ["asleep", "awake"]
            again = await place.press(shown, "Undo") if undone.message.has_button("Undo") else None
            assert again is None
            with pytest.raises(Exception, match="nothing to undo"):
                await house.services.captions.undo(alice.id, (await house.services.drafts.current(alice.id)).id)


async def test_caption_that_was_written_since_is_not_undone(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        shown = await change(place, await drafted(place, ["asleep", "awake"]), "Replace all", "rustyfox")
        panel = await place.slash("draft show")
        await place.submit(await place.press(panel, "Captions"), photo_1="written anew")
        await place.press(shown, "Undo")
        assert await captions_of(house, alice) == ["written anew", "awake"]


async def test_caption_that_would_be_too_long_stays_and_is_named(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        shown = await change(place, await drafted(place, ["y" * 290, "awake"]), "Put it after", "in the evening sun")
        assert "Changed 1 caption of **Rusty**." in shown.text
        assert "Photo 1 keeps its caption: it would have more than 300 characters." in shown.text
        assert await captions_of(house, alice) == ["y" * 290, "awake, in the evening sun"]


async def test_change_of_nothing_says_so_and_offers_no_undo(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await drafted(place, ["asleep", "awake"])
        shown = await change(place, panel, "Fill the empty ones", "rustyfox")
        assert shown.text == "No caption of **Rusty** was changed."
        assert [button.label for button in shown.buttons] == ["Back to the draft"]


async def test_text_that_is_lacking_changes_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        shown = await change(place, await drafted(place, ["asleep", "awake"]), "Put it before", " ")
        told = " ".join([shown.text, *(followup.text for followup in shown.followups)])
        assert "There is no text to put into the captions." in told
        assert await captions_of(house, alice) == ["asleep", "awake"]


async def test_panel_counts_marks_and_captions_and_names_the_marked_for_those_who_cannot_see(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await drafted(place, ["asleep", ""])
        assert "**2 photos** · 2 to 30 for Sketch (this machine) · 2 marked with ! · 1 with a caption" in panel.text
        assert panel.message.alts == (
            "Contact sheet of Rusty: 2 numbered photos; marked with an exclamation mark: 1, 2",
        )
