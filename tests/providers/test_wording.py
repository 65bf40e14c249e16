"""Sentences with their values apart: how they read in English, and what errors keep of them."""

from providers.errors import Refused
from providers.wording import Sentence


def test_sentence_reads_in_english_with_its_values():
    told = Sentence(
        "{price}; {pace}", values={"price": Sentence("{usd} dollars", values={"usd": 2}), "pace": "a guess"}
    )
    assert str(told) == "2 dollars; a guess"


def test_sentence_without_values_keeps_its_braces():
    assert str(Sentence("It said {nothing}.")) == "It said {nothing}."


def test_error_keeps_its_template_and_its_values():
    error = Refused("{provider} takes {most} photos.", values={"provider": "Till", "most": 4})
    assert str(error) == "Till takes 4 photos."
    assert (error.message, error.values) == ("{provider} takes {most} photos.", {"provider": "Till", "most": 4})


def test_error_may_bring_an_advice_with_values():
    error = Refused("ComfyUI is too old.", advice=Sentence("Update it to {oldest}.", values={"oldest": "0.3"}))
    assert f"{error} {error.advice}" == "ComfyUI is too old. Update it to 0.3."
