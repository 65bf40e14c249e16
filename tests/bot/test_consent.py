import hashlib

import pytest

from bot.consent import _TEXTS, TEXT_VERSION, Depicted, adult_allowed, is_adult, refuse_adult, statement
from bot.errors import BadInput


def test_statement_of_each_version_is_the_one_that_people_confirmed():
    digests = {version: hashlib.sha256(text.encode()).hexdigest()[:12] for version, text in _TEXTS.items()}
    assert digests == {1: "3937b17ab591"}, "a text that was confirmed must not change: give the new one a new version"
    assert statement() == _TEXTS[TEXT_VERSION]


@pytest.mark.parametrize(
    ("depicted", "allowed"),
    [(Depicted.ME, True), (Depicted.ADULT, True), (Depicted.NOBODY, True), (Depicted.CHILD, False), (None, False)],
)
def test_adult_pictures_are_for_those_who_are_known_to_be_no_child(depicted, allowed):
    assert adult_allowed(depicted) is allowed


@pytest.mark.parametrize(
    "prompt",
    ["nude on a beach", "she is NAKED", "nackter Mann", "nsfw, best quality", "underwear shot", "desnuda", "sex"],
)
def test_adult_prompts_are_found(prompt):
    assert is_adult(prompt)


@pytest.mark.parametrize(
    "prompt",
    ["", "a girl on the Essex coast", "a classic glass bass", "passing the sextant", "in a red coat, nudibranch, snow"],
)
def test_harmless_prompts_are_left_alone(prompt):
    assert not is_adult(prompt)


def test_adult_prompt_for_a_child_is_refused_and_others_are_drawn():
    refuse_adult(Depicted.CHILD, "in the snow", "")
    refuse_adult(Depicted.ME, "naked")
    with pytest.raises(BadInput, match="A model of a child makes no adult pictures"):
        refuse_adult(Depicted.CHILD, "in the snow", "naked")
    with pytest.raises(BadInput, match="Nobody has said who is in the photos"):
        refuse_adult(None, "naked")
