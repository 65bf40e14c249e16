"""How models are drawn; each layout is judged by the playground's own limits of a message."""

from bot.lora import Transfer
from bot.transfers import Offered
from cogs.ui.models import MOST_LISTED, draw_models, model_choices, told_deleted
from tests.cogs.ui.test_gallery import labels_of, read
from tests.factories import make_lora


def make_offer(number: int) -> Offered:
    lora = make_lora(id=f"lora{number}", name=f"Model {number}")
    return Offered(transfer=Transfer(lora_id=lora.id, from_id=1, to_id=2, created_at=lora.created_at), lora=lora)


def test_list_holds_as_many_models_as_there_may_be():
    loras = [make_lora(id=f"lora{n}", name="*" * 60, trigger_word="w" * 24) for n in range(100)]
    layout = draw_models(loras, 4242, offered=[make_offer(n) for n in range(9)])

    assert f"{100 - MOST_LISTED} more: type a part of the name in /models show." in read(layout)
    assert labels_of(layout) == ["Accept", "Decline"] * 5


def test_list_numbers_the_versions_of_one_model_and_no_single_one():
    line = {"family_id": "family", "name": "Rusty"}
    loras = [make_lora(id="v2", version=2, **line), make_lora(id="v1", **line), make_lora(id="other", name="Fluffy")]

    told = read(draw_models(loras, 4242))

    assert "**Rusty, version 2**" in told
    assert "**Rusty, version 1**" in told
    assert "**Fluffy**" in told


def test_suggestions_number_the_versions_of_one_model():
    loras = [make_lora(id=f"v{n}", version=n, family_id="family") for n in (2, 1)]

    choices = model_choices(loras, 4242)

    assert [one.name for one in choices] == [f"Rusty, version {n} · rustyfox, Sketch" for n in (2, 1)]


def test_list_holds_offers_alone():
    layout = draw_models([], 2, offered=[make_offer(1)])

    assert read(layout) == "<@1> offers you **Model 1**."


def test_deleted_model_that_a_provider_keeps_is_told_in_one_breath():
    told = told_deleted(make_lora(), "Replicate did not delete its copy of **Rusty**: It is busy.")

    assert told == (
        "**Rusty** is deleted here. Replicate did not delete its copy of **Rusty**: It is busy. "
        "I try it again by myself for some days."
    )
