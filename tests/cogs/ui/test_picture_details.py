"""How it looks what can be known about pictures, by who asks; judged by the playground's own limits of a message."""

from dataclasses import replace

from bot.picture_details import PictureDetails
from bot.training.job import MixedIn
from cogs.ui.picture_details import draw_details
from tests.cogs.ui.test_gallery import drawn_by_its_training, labels_of, read, with_prompt
from tests.factories import make_gallery, make_lora, make_picture_job


def make_details(**changes):
    values = {"gallery": make_gallery(), "mixed_in": (), "unnamed": 0, "may_use": True, "asked": True}
    return PictureDetails(**values | changes)


def test_details_tell_everything_to_who_asked():
    text = read(draw_details(make_details()))

    for part in ("Rusty", "rustyfox", "Sketch", "rustyfox in the snow", "`41`", "`42`", "512 × 512", "0.8", "<@4242>"):
        assert part in text
    assert "after 3 s" in text
    assert "`p1ctvresj0b0`" in text


def test_details_tell_neither_cost_nor_job_to_others():
    gallery = make_gallery(job=make_picture_job(cost_usd=0.02))
    asked = read(draw_details(make_details(gallery=gallery)))
    others = read(draw_details(make_details(gallery=gallery, asked=False)))

    assert "**Cost** $0.020" in asked
    assert "Cost" not in others
    assert "p1ctvresj0b0" not in others
    assert "**Trigger word** rustyfox" in others


def test_details_tell_only_what_stands_there_to_who_may_not_use_the_model():
    gallery = with_prompt("x" * 500)
    job = gallery.job
    gallery = replace(gallery, job=replace(job, spec=replace(job.pictures, negative_prompt="hats")))
    layout = draw_details(make_details(gallery=gallery, may_use=False, asked=False))

    assert "x" * 239 + "…" in read(layout)
    assert "x" * 240 not in read(layout)
    for hidden in ("Trigger word", "Base model", "hats"):
        assert hidden not in read(layout)
    assert labels_of(layout) == []


def test_details_name_what_else_went_in_as_far_as_it_may_be_known():
    mixed = [(make_lora(id="other0000000", name="Foxy"), 0.5)]
    text = read(draw_details(make_details(mixed_in=mixed, unnamed=2)))

    assert "**Also** Foxy, strength 0.5\n**Also** 2 models of others" in text


def test_details_name_the_negative_prompt():
    job = make_picture_job()
    spec = replace(job.pictures, negative_prompt="hats", mixed_in=(MixedIn(lora_id="x", strength=1),))
    text = read(draw_details(make_details(gallery=make_gallery(job=replace(job, spec=spec)))))

    assert "**Not in it** hats" in text


def test_details_hold_the_longest_prompt():
    assert "\\*" * 1000 in read(draw_details(make_details(gallery=with_prompt("*" * 1000))))


def test_details_let_the_prompt_be_saved():
    assert labels_of(draw_details(make_details())) == ["Save the prompt"]


def test_details_tell_that_a_training_drew_them_and_nothing_of_a_wait_or_a_price():
    gallery = drawn_by_its_training()
    text = read(draw_details(make_details(gallery=replace(gallery, job=replace(gallery.job, cost_usd=0.0)))))

    assert "**Drawn by** the training itself, with Own GPU" in text
    for other in ("**Made with**", "**Done**", "**Cost**"):
        assert other not in text
