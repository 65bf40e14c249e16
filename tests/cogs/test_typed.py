"""What somebody typed is not lost with the command or the form that is refused."""

import pytest

from cogs.replies import LONGEST
from tests.cogs.photos import swatches
from tests.cogs.test_drafts import begin, fill
from tests.factories import house_with_model
from tests.house import open_house

PROMPT = "rustyfox in a ```quiet``` harbour at dawn, @everyone, soft light, 35 mm film"


async def test_prompt_of_a_refused_command_is_given_back(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        refused = await place.slash("generate", model="Rusty", prompt=PROMPT)
        assert refused.text.startswith("You have no model yet.")
        assert refused.text.endswith(f"You wrote:\n```\n{PROMPT.replace('```', chr(39) * 3)}\n```")
        assert refused.ephemeral
        assert not refused.message.pinged


async def test_prompt_that_is_longer_than_an_answer_is_given_back_as_far_as_it_fits(trained_folder, tmp_path):
    async with house_with_model(trained_folder, tmp_path / "data") as scene:
        refused = await scene.owner.in_channel().slash("generate", model="Rusty", prompt="x" * 3000)
        assert "A prompt has at most 1000 characters" in refused.text
        assert refused.text.endswith("x…\n```")
        assert len(refused.text) == LONGEST


async def test_name_that_is_too_long_is_given_back(tmp_path):
    async with open_house(tmp_path / "data") as house:
        refused = await begin(house.discord.person("alice").in_channel(), name="Rusty " * 20)
        assert f"```\n{('Rusty ' * 20).strip()}\n```" in refused.text


@pytest.mark.parametrize("name", ["@everyone", "   "])
async def test_short_text_is_not_repeated(tmp_path, name):
    async with open_house(tmp_path / "data") as house:
        assert "You wrote" not in (await begin(house.discord.person("alice").in_channel(), name=name)).text


async def test_captions_of_a_refused_form_are_given_back(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = house.discord.person("alice").in_channel()
        await begin(place)
        panel = await fill(place, swatches(2))
        form = await place.press(panel, "Captions")
        await place.press(await place.press(panel, "Discard"), "Discard it")
        answer = await place.submit(form, photo_1=f"1 {PROMPT}", photo_2=f"2 {PROMPT}")
        told = " ".join([answer.text, *(followup.text for followup in answer.followups)])
        assert "There is no such draft." in told
        assert "You wrote:\n```\n1 rustyfox in a" in told
        assert "\n\n2 rustyfox in a" in told
