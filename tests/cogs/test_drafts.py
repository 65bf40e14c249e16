from dataclasses import replace

import pytest

from bot.draft import DraftState
from bot.drafts import Taker
from bot.errors import Missing
from bot.services import Services
from bot.store import drafts as rows
from cogs.ui.draft_panel import _count, _hint_lines
from playground.person import Person, PersonError, Place, Upload
from tests.cogs.photos import foxes, swatches
from tests.house import open_house, running_bot
from tests.playing import running_playground

LABELS = ["Add photos", "Captions", "Remove", "Train", "Discard"]
ALL_LABELS = [*LABELS, "Caption all", "Download", "Who is in it"]


async def begin(place: Place, **changes):
    """Open a draft and give the panel's outcome."""
    return await place.slash(
        "draft new", **{"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal", "who": "nobody"} | changes
    )


async def fill(place: Place, uploads, **options):
    """Add up to ten photos with /draft add."""
    return await place.slash("draft add", **{f"photo{n}": one for n, one in enumerate(uploads, start=1)}, **options)


async def photos_of(services: Services, person: Person):
    """Give the photos in the person's only open draft."""
    draft = await services.drafts.current(person.id)
    return (await services.drafts.view(person.id, draft.id, with_sheet=False)).photos


def disabled(outcome):
    return [button.label for button in outcome.buttons if button.disabled]


async def test_draft_new_shows_an_empty_panel_to_its_person_alone(tmp_path):
    async with open_house(tmp_path / "data") as house:
        panel = await begin(house.discord.person("alice").in_channel())
        assert panel.ephemeral
        assert "## Rusty" in panel.text
        assert "`rustyfox` · animal · Sketch" in panel.text
        assert "**0 photos** · 2 to 30 for Sketch" in panel.text
        assert "Add 2 photos to train." in panel.text
        assert [button.label for button in panel.buttons] == ALL_LABELS
        assert disabled(panel) == ["Captions", "Remove", "Train", "Caption all", "Download"]


async def test_draft_new_says_how_photos_come_in(tmp_path):
    async with open_house(tmp_path / "data") as house:
        assert "direct message" in (await begin(house.discord.person("alice").in_channel())).text


async def test_draft_new_names_no_direct_message_when_they_are_switched_off(tmp_path):
    async with open_house(tmp_path / "data", darkroom_dm_intake=False) as house:
        assert "direct message" not in (await begin(house.discord.person("alice").in_channel())).text


async def test_draft_new_suggests_base_models(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        found = await place.autocomplete("draft new", option="base_model", typed="ske")
        assert [(choice.name, choice.value) for choice in found] == [("Sketch", "sketch")]
        assert await place.autocomplete("draft new", option="base_model", typed="nothing like it") == []


async def test_draft_new_takes_a_base_model_by_its_label(tmp_path):
    async with open_house(tmp_path / "data") as house:
        panel = await begin(house.discord.person("alice").in_channel(), base_model="Sketch")
        assert "## Rusty" in panel.text


async def test_draft_add_shows_the_photos_on_a_contact_sheet(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, foxes())
        assert "Added 4 photos to **Rusty**." in panel.text
        assert "**4 photos** · 2 to 30 for Sketch" in panel.text
        assert "Ready to train." in panel.text
        assert len(panel.images) == 1
        assert disabled(panel) == []


async def test_draft_add_keeps_the_order_of_the_options(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await begin(alice.in_channel())
        await fill(alice.in_channel(), swatches(10))
        names = [photo.file_name for photo in await photos_of(house.services, alice)]
        assert names == [upload.name for upload in swatches(10)]


async def test_draft_add_asks_which_of_several_drafts(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await begin(place, name="Luna", trigger_word="lunacat")
        question = await fill(place, swatches(2))
        assert "Which draft are these for?" in question.text
        panel = await place.select(question, "Choose a draft", "Rusty")
        assert panel.message.id == question.message.id
        assert "Added 2 photos to **Rusty**." in panel.text


async def test_draft_add_takes_a_draft_by_its_suggestion_or_its_name(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await begin(place, name="Luna", trigger_word="lunacat")
        [suggested] = await place.autocomplete("draft add", option="draft", typed="LUN")
        assert suggested.name == "Luna (lunacat)"
        assert "to **Luna**" in (await fill(place, swatches(1), draft=suggested.value)).text
        assert "to **Rusty**" in (await fill(place, swatches(1), draft="rusty")).text


async def test_draft_suggestions_are_empty_when_the_database_is_gone(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        async with house.services.database.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE drafts RENAME TO elsewhere")
        assert await place.autocomplete("draft show", option="draft", typed="") == []


async def test_draft_show_lets_pick_one_of_several_which_then_gets_the_photos(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        await begin(place, name="Luna", trigger_word="lunacat")
        question = await place.slash("draft show")
        assert "You have 2 open drafts." in question.text
        panel = await place.select(question, "Choose a draft", "Rusty")
        assert panel.message.id == question.message.id
        assert "## Rusty" in panel.text
        assert "Added 1 photo to **Rusty**." in (await fill(place, swatches(1))).text


async def test_panel_takes_ten_photos_through_its_form_and_is_redrawn_in_place(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        panel = await begin(place)
        form = await place.press(panel, "Add photos")
        redrawn = await place.submit(form, photos=list(swatches(10)))
        assert redrawn.message.id == panel.message.id
        assert "Added 10 photos to **Rusty**." in redrawn.text
        assert len(redrawn.images) == 1


async def test_panel_names_twins_first_and_a_fault_of_many_photos_once(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(10))
        lines = [line for line in panel.text.splitlines() if line.startswith("- ")]
        assert "looks almost like photo" in lines[0]
        [small] = [line for line in lines if "small" in line]
        assert small.startswith("- Photos 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 are small (under 512 pixels")


async def test_panel_names_the_fault_of_few_photos_with_its_number(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(1))
        assert "- Photo 1 is small (64 × 64 pixels" in panel.text


def test_hints_over_eight_are_counted():
    lines = _hint_lines([f"Hint {number}." for number in range(11)])
    assert len(lines) == 9
    assert lines[-1] == "- and 3 more"


async def test_captions_of_up_to_five_photos_are_written_in_one_form(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        panel = await fill(place, swatches(3))
        form = await place.press(panel, "Captions")
        assert [field.label for field in form.modal.fields] == ["Photo 1", "Photo 2", "Photo 3"]
        saved = await place.submit(form, photo_2="in the \n grass ")
        assert saved.message.id == panel.message.id
        assert "The captions are saved." in saved.text
        assert [photo.caption for photo in await photos_of(house.services, alice)] == ["", "in the grass", ""]


async def test_captions_form_holds_what_was_written_before(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(2))
        await place.submit(await place.press(panel, "Captions"), photo_1="asleep", photo_2="awake")
        again = await place.press(panel, "Captions")
        assert [field.value for field in again.modal.fields] == ["asleep", "awake"]
        await place.submit(again, photo_1="")
        assert [f.value for f in (await place.press(panel, "Captions")).modal.fields] == ["", "awake"]


async def test_captions_of_more_photos_are_written_in_groups_of_five(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        groups = await place.press(await fill(place, swatches(6)), "Captions")
        assert groups.ephemeral
        assert [option.name for option in groups.selects[0].options] == ["Photos 1–5", "Photo 6"]
        form = await place.select(groups, "Choose photos", "Photos 1–5")
        saved = await place.submit(form, photo_5="jumping")
        assert saved.message.id == groups.message.id
        assert "The captions of photos 1–5 are saved." in saved.text
        assert [option.description for option in saved.selects[0].options] == ["1 of 5 written", "0 of 1 written"]
        assert (await photos_of(house.services, alice))[4].caption == "jumping"


async def test_captions_stay_with_their_photos_when_others_are_removed_meanwhile(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        panel = await fill(place, swatches(3))
        form = await place.press(panel, "Captions")
        await place.submit(await place.press(panel, "Remove"), photos_1=["Photo 1: swatch-01.png"])
        await place.submit(form, photo_1="gone", photo_3="third")
        kept = [(photo.file_name, photo.caption) for photo in await photos_of(house.services, alice)]
        assert kept == [("swatch-02.png", ""), ("swatch-03.png", "third")]


async def test_captions_of_a_group_that_is_gone_are_not_asked_for(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(6))
        groups = await place.press(panel, "Captions")
        await place.submit(await place.press(panel, "Remove"), photos_1=["Photo 6: swatch-06.png"])
        answer = await place.select(groups, "Choose photos", "Photo 6")
        assert answer.text == "These photos are no longer in the draft. Press Captions once more."


async def test_remove_takes_several_photos_out_and_renumbers_the_others(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        panel = await fill(place, swatches(4))
        form = await place.press(panel, "Remove")
        redrawn = await place.submit(form, photos_1=["Photo 1: swatch-01.png", "Photo 3: swatch-03.png"])
        assert redrawn.message.id == panel.message.id
        assert "Removed 2 photos." in redrawn.text
        assert "**2 photos**" in redrawn.text
        names = [photo.file_name for photo in await photos_of(house.services, alice)]
        assert names == ["swatch-02.png", "swatch-04.png"]


async def test_remove_offers_all_of_thirty_photos_in_two_menus(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        for first in (0, 10, 20):
            panel = await fill(place, swatches(30)[first : first + 10])
        form = await place.press(panel, "Remove")
        assert [(f.label, len(f.options)) for f in form.modal.fields] == [
            ("Photos 1 to 25", 25),
            ("Photos 26 to 30", 5),
        ]
        redrawn = await place.submit(form, photos_26=["Photo 30: swatch-30.png"])
        assert "Removed 1 photo." in redrawn.text
        assert len(await photos_of(house.services, alice)) == 29


async def test_older_panel_of_a_draft_without_photos_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        older = await fill(place, swatches(1))
        newer = await place.slash("draft show")
        await place.submit(await place.press(newer, "Remove"), photos_1=["Photo 1: swatch-01.png"])
        for label in ("Captions", "Remove"):
            assert (await place.press(older, label)).text == "**Rusty** has no photos. Press Add photos first."


async def test_remove_without_a_choice_removes_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        for first in (0, 10, 20):
            panel = await fill(place, swatches(30)[first : first + 10])
        redrawn = await place.submit(await place.press(panel, "Remove"))
        assert "Nothing was removed." in redrawn.text
        assert "**30 photos**" in redrawn.text


async def test_full_draft_offers_no_more_photos(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        for first in (0, 10, 20):
            panel = await fill(place, swatches(30)[first : first + 10])
        assert disabled(panel) == ["Add photos"]


async def test_discard_asks_first_and_keeps_the_draft_on_request(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        question = await place.press(await fill(place, swatches(2)), "Discard")
        assert question.ephemeral
        assert question.text == "Throw **Rusty** and its 2 photos away? There is no way back."
        kept = await place.press(question, "Keep it")
        assert kept.text == "**Rusty** stays as it is."
        assert "**2 photos**" in (await place.slash("draft show")).text


async def test_discard_deletes_the_draft_and_its_photos(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        question = await place.press(await fill(place, swatches(2)), "Discard")
        gone = await place.press(question, "Discard it")
        assert gone.text == "**Rusty** is discarded, and its photos are deleted."
        assert list((tmp_path / "data" / "blobs").rglob("*.png")) == []
        with pytest.raises(Missing):
            await house.services.drafts.current(alice.id)


async def test_old_panel_of_a_discarded_draft_says_so(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(2))
        await place.press(await place.press(panel, "Discard"), "Discard it")
        for label in ("Add photos", "Captions", "Remove", "Discard"):
            answer = await place.press(panel, label)
            assert answer.text == "There is no such draft. /draft show shows yours."
            assert answer.ephemeral


@pytest.mark.parametrize(
    ("state", "says"),
    [(DraftState.TRAINING, "It is being trained now"), (DraftState.TRAINED, "It has been trained.")],
)
async def test_panel_of_a_draft_that_is_no_longer_open_has_nothing_to_press(tmp_path, state, says):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        old = await fill(place, swatches(2))
        draft = await house.services.drafts.current(alice.id)
        async with house.services.database.begin() as connection:
            await rows.set_state(connection, draft.id, state, at=house.services.clock.now())
        panel = await place.slash("draft show", draft=draft.id)
        assert says in panel.text
        assert disabled(panel) == [*LABELS, "Caption all"]
        for label in ("Add photos", "Captions", "Remove", "Discard"):
            assert "trained already" in (await place.press(old, label)).text


async def test_form_that_was_open_when_training_began_changes_nothing(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        place = alice.in_channel()
        await begin(place)
        panel = await fill(place, swatches(2))
        form = await place.press(panel, "Remove")
        draft = await house.services.drafts.current(alice.id)
        async with house.services.database.begin() as connection:
            await rows.set_state(connection, draft.id, DraftState.TRAINING, at=house.services.clock.now())
        answer = await place.submit(form, photos_1=["Photo 1: swatch-01.png"])
        assert "is being trained already, so its photos stay as they are." in answer.text
        view = await house.services.drafts.view(alice.id, draft.id, with_sheet=False)
        assert len(view.photos) == 2


async def test_panel_buttons_work_after_a_restart(tmp_path):
    async with running_playground() as discord:
        place = discord.person("alice").in_channel()
        async with running_bot(discord, tmp_path / "data"):
            await begin(place)
            panel = await fill(place, swatches(2))
        async with running_bot(discord, tmp_path / "data"):
            redrawn = await place.submit(await place.press(panel, "Add photos"), photos=[swatches(3)[2]])
            assert redrawn.message.id == panel.message.id
            assert "**3 photos**" in redrawn.text
            await place.submit(await place.press(panel, "Captions"), photo_1="asleep")
            await place.submit(await place.press(panel, "Remove"), photos_1=["Photo 1: swatch-01.png"])
            gone = await place.press(await place.press(panel, "Discard"), "Discard it")
            assert "is discarded" in gone.text


async def test_form_opened_before_a_restart_is_taken_after_it(tmp_path):
    async with running_playground() as discord:
        place = discord.person("alice").in_channel()
        async with running_bot(discord, tmp_path / "data"):
            panel = await begin(place)
            form = await place.press(panel, "Add photos")
        async with running_bot(discord, tmp_path / "data"):
            redrawn = await place.submit(form, photos=list(swatches(2)))
            assert "Added 2 photos to **Rusty**." in redrawn.text
            assert redrawn.message.id == panel.message.id


async def test_caption_longer_than_fits_is_stopped_by_the_form_itself(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        form = await place.press(await fill(place, swatches(1)), "Captions")
        with pytest.raises(PersonError, match="0 to 300 characters"):
            await place.submit(form, photo_1="x" * 301)


async def test_panel_with_ten_refusals_and_every_hint_fits_discords_limit(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place, name="N" * 60, trigger_word="t" * 24)
        await fill(place, swatches(10))
        await fill(place, swatches(20)[10:])
        texts = [Upload(f"{n}{'n' * 70}.jpg", b"these are only words") for n in range(10)]
        panel = await fill(place, texts)
        assert panel.text.count("is a text file") == 10
        lines = [line for line in panel.text.splitlines() if line.startswith("- ")]
        assert len(lines) == 10 + 9
        assert len(panel.text) < 4000


async def test_panel_names_the_photos_that_each_trainer_takes(tmp_path):
    async with open_house(tmp_path / "data") as house:
        alice = house.discord.person("alice")
        await begin(alice.in_channel())
        draft = await house.services.drafts.current(alice.id)
        view = await house.services.drafts.view(alice.id, draft.id)
        takers = [Taker(title=title, low=4, high=30) for title in ("One", "Two")]
        takers.append(Taker(title="Three", low=2, high=9))
        text = _count(replace(view, takers=takers))
        assert text == "**0 photos** · 4 to 30 for One and Two · 2 to 9 for Three"
        assert replace(view, takers=takers).fewest == 2


async def test_command_that_is_under_way_ends_before_the_bot_leaves(tmp_path):
    async with running_playground() as discord:
        alice = discord.person("alice")
        async with running_bot(discord, tmp_path / "data"):
            await alice.in_channel().slash("draft new", name="Rusty", trigger_word="fox", kind="animal", wait=False)
        async with running_bot(discord, tmp_path / "data") as house:
            [draft] = await house.services.drafts.open_drafts(alice.id)
            assert draft.name == "Rusty"
        assert [message.loading for message in alice.in_channel().sees()] == [False]
