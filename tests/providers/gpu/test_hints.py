"""What agents say of their failures: taken apart where that is safe, as it is where it is not."""

import pytest

from providers.gpu.agent.job import NO_ENGINE, WorkFailed
from providers.gpu.hints import worded
from providers.wording import Sentence


def test_hint_keeps_its_values_apart():
    told = WorkFailed(NO_ENGINE, "There is no {program}.", {"program": "run.py"}).as_json()
    assert told["hint"] == "There is no run.py."
    assert worded(told["hint"], told["template"], told["values"]) == Sentence(
        "There is no {program}.", values={"program": "run.py"}
    )


def test_hint_holds_a_reason_that_can_be_translated():
    told = worded("No LoRA: it is cut off.", "No LoRA: {reason}.", {"reason": "it is cut off"})
    assert told == Sentence("No LoRA: {reason}.", values={"reason": Sentence("it is cut off")})


def test_hint_of_an_earlier_agent_is_told_as_it_is():
    assert worded("The GPU ran out of {memory}.") == "The GPU ran out of {memory}."
    assert worded("") is None


@pytest.mark.parametrize(
    "template",
    [
        "{x:>999999999}",
        "{x.__class__}",
        "{x!r}",
        "{y}",
        "{",
        "Something else.",
        "{x} and more",
    ],
)
def test_template_that_says_more_than_its_hint_is_not_taken(template):
    assert worded("a", template, {"x": "a"}) == "a"
