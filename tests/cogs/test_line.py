"""The line as people see it: their place and the expected end on the card, and one word when the turn comes late."""

from datetime import timedelta

from bot import cards
from tests.cogs.test_money import drafted, market
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED


async def two_trainings(place):
    """Begin two trainings where there is room for one; return the card of the second."""
    await place.press(await place.slash("train", draft=await drafted(place, "Rusty")), "Train it")
    await place.wait_for(lambda m: "step 1 of 3" in m.text)
    await place.press(await place.slash("train", draft=await drafted(place, "Ruby")), "Train it")
    return await place.wait_for(lambda m: "Training Ruby" in m.text and "place 1 in line" in m.text)


def let_end(till):
    till.script = (QUEUED, SUCCEEDED)
    for job in till.jobs.values():
        job.looks[:] = [SUCCEEDED]


async def test_card_in_line_tells_place_and_expected_end(tmp_path):
    async with market(tmp_path, looks=(QUEUED, RUNNING), darkroom_provider_trainings=1) as (_house, till, place):
        card = await two_trainings(place)
        assert "**Waiting in line** · place 1 in line · done <t:" in card.text
        assert card.has_button("Cancel")
        assert len(till.bill) == 1
        let_end(till)
        await place.wait_for(lambda m: "Ruby is ready" in m.text)
        assert not [m for m in place.sees() if "It is the turn of" in m.text]


async def test_who_waited_long_is_told_of_the_turn_once(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "LONG_WAIT", timedelta(milliseconds=1))
    async with market(tmp_path, looks=(QUEUED, RUNNING), darkroom_provider_trainings=1) as (_house, till, place):
        await two_trainings(place)
        [first] = till.jobs.values()
        first.looks[:] = [SUCCEEDED]
        told = await place.wait_for(lambda m: "It is the turn of **Ruby** now." in m.text)
        assert told.pinged == (place.person.id,)
        let_end(till)
        await place.wait_for(lambda m: "Ruby is ready" in m.text)
        assert len([m for m in place.sees() if "It is the turn of **Ruby**" in m.text]) == 1
