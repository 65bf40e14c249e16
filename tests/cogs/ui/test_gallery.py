"""How finished pictures are drawn; each layout is judged by the playground's own limits of a message."""

from dataclasses import replace

import discord

from bot.generating import Gallery
from bot.training.job import Enlarged, MixedIn
from cogs.ui.controls import Layout
from cogs.ui.gallery import draw_gallery
from playground.components import texts
from playground.limits import COMPONENTS_V2, check_message
from tests.factories import make_gallery, make_lora, make_picture, make_picture_job


def with_prompt(prompt: str) -> Gallery:
    job = make_picture_job()
    return make_gallery(job=replace(job, spec=replace(job.pictures, prompt=prompt)))


def drawn_by_its_training() -> Gallery:
    job = make_picture_job(provider="local")
    spec = replace(job.pictures, prompt="a photo of rustyfox", by_training=True)
    return make_gallery(job=replace(job, spec=spec), maker_title="Own GPU", notice="")


def read(layout: Layout, file_count: int = 0) -> str:
    components = layout.to_components()
    check_message({"components": components}, flags=COMPONENTS_V2, file_count=file_count)
    return "\n".join(texts(components))


def pictures_in(layout: Layout) -> list[discord.MediaGalleryItem]:
    return [
        item for child in layout.walk_children() if isinstance(child, discord.ui.MediaGallery) for item in child.items
    ]


def labels_of(layout: Layout) -> list[str | None]:
    return [child.label for child in layout.walk_children() if isinstance(child, discord.ui.Button)]


def test_gallery_shows_each_picture_with_its_file():
    layout, files = draw_gallery(make_gallery())

    assert [item.media.url for item in pictures_in(layout)] == [f"attachment://{file.filename}" for file in files]
    assert [file.fp.read() for file in files] == [b"first", b"second"]


def test_gallery_offers_upscaling_only_where_somebody_does_it():
    one = [make_picture()]
    alone, _ = draw_gallery(make_gallery(pictures=one, upscalable=True))
    nobody, _ = draw_gallery(make_gallery(pictures=one))
    deleted, _ = draw_gallery(
        make_gallery(pictures=one, upscalable=True, lora=make_lora(deleted_at=make_lora().created_at))
    )

    assert "Upscale" in labels_of(alone)
    assert "Upscale" not in labels_of(nobody)
    assert "Upscale" not in labels_of(deleted)


def test_gallery_of_several_pictures_lets_one_be_chosen():
    layout, _ = draw_gallery(make_gallery(upscalable=True))

    [choice] = [child for child in layout.walk_children() if isinstance(child, discord.ui.Select)]
    assert [(option.label, option.value) for option in choice.options] == [("Picture 1", "0"), ("Picture 2", "1")]
    read(layout, 2)


def test_upscaled_picture_says_so_and_is_not_drawn_again():
    job = make_picture_job()
    spec = replace(job.pictures, count=1, enlarged=Enlarged(job_id="p1ctvresj0b0", position=1, factor=2.0))
    large = make_picture(width=1024, height=1024, blob_key="pictures/large/0.jpg")
    layout, [file] = draw_gallery(make_gallery(job=replace(job, spec=spec), pictures=[large], notice=""))

    assert "upscaled 2× to 1024 × 1024 px · for <@4242>\n-# Upscaled with Sketch" in read(layout, 1)
    assert labels_of(layout) == ["Details", "Delete", "Report"]
    assert file.filename.endswith(".jpg")


def test_gallery_names_files_safely():
    _, files = draw_gallery(make_gallery(job=make_picture_job(title="../Ünïcode & Söhne")))

    assert all(file.filename.replace("-", "").replace(".png", "").isalnum() for file in files)
    assert len({file.filename for file in files}) == 2


def test_gallery_says_what_each_picture_is_to_who_cannot_see_it():
    layout, _ = draw_gallery(make_gallery())

    assert [item.description for item in pictures_in(layout)] == [
        "Rusty: rustyfox in the snow (seed 41)",
        "Rusty: rustyfox in the snow (seed 42)",
    ]


def test_gallery_tells_how_the_pictures_were_made():
    layout, _ = draw_gallery(make_gallery())

    assert read(layout, 2) == (
        "**Rusty** · rustyfox in the snow\n"
        "seeds `41`, `42` · Square (1:1) · strength 0.8 · for <@4242>\n"
        "-# Made with Sketch · Sketch ignores the prompt."
    )


def test_gallery_begins_with_its_headline():
    layout, _ = draw_gallery(make_gallery(), headline="Here they are.")

    assert read(layout, 2).startswith("Here they are.\n")


def test_gallery_uses_the_name_that_the_model_has_now():
    layout, files = draw_gallery(make_gallery(lora=make_lora(name="Sir Rusty")))

    assert "**Sir Rusty**" in read(layout, 2)
    assert files[0].filename.startswith("rusty-")


def test_gallery_shows_a_prompt_as_it_was_typed():
    layout, _ = draw_gallery(with_prompt("**bold** <@123456789012345678> @everyone [x](https://example.org)"))

    assert "\\*\\*bold\\*\\*" in read(layout, 2)
    assert "<@123456789012345678>" not in read(layout, 2)
    assert "@everyone" not in read(layout, 2)


def test_gallery_holds_the_longest_prompt():
    layout, _ = draw_gallery(with_prompt("*" * 1000))

    assert "…" in read(layout, 2)
    assert all(len(item.description or "") <= 1024 for item in pictures_in(layout))


def test_gallery_offers_more_of_the_same():
    layout, _ = draw_gallery(make_gallery())

    assert labels_of(layout) == ["Again", "Vary", "Details", "Delete", "Report"]


def test_gallery_says_how_many_were_kept_back():
    layout, _ = draw_gallery(make_gallery(job=make_picture_job(withheld=1), pictures=[make_picture(0)]))

    assert "seed `41` ·" in read(layout, 1)
    assert "Sketch's filter kept 1 of 2 back." in read(layout, 1)


def test_gallery_without_pictures_says_so():
    layout, files = draw_gallery(make_gallery(pictures=[]))

    assert read(layout).startswith("There are no pictures of **Rusty** here. They were deleted.")
    assert files == []
    assert labels_of(layout) == ["Again", "Vary", "Details"]


def test_gallery_says_when_the_filter_kept_all_back():
    layout, _ = draw_gallery(make_gallery(job=make_picture_job(withheld=2), pictures=[]))

    assert "Sketch's filter kept 2 of 2 back. Another prompt or seed may pass." in read(layout)


def test_gallery_names_a_seed_that_all_pictures_share_once():
    layout, _ = draw_gallery(make_gallery(pictures=[make_picture(0), make_picture(1, seed=41)]))

    assert "\nseed `41` ·" in read(layout, 2)


def test_gallery_of_a_deleted_model_offers_no_more():
    gone = make_lora(deleted_at=make_lora().created_at)
    layout, _ = draw_gallery(make_gallery(lora=gone))

    assert labels_of(layout) == ["Details", "Delete", "Report"]


def test_gallery_says_that_more_models_are_in_it():
    job = make_picture_job()
    mixed = replace(job.pictures, mixed_in=(MixedIn(lora_id="a", strength=1.0), MixedIn(lora_id="b", strength=0.5)))
    layout, _ = draw_gallery(make_gallery(job=replace(job, spec=mixed)))

    assert "strength 0.8 · 2 more models · for <@4242>" in read(layout, 2)


def test_gallery_says_that_a_training_drew_it():
    layout, _files = draw_gallery(drawn_by_its_training())
    assert "Drawn by the training itself, with Own GPU" in read(layout, file_count=2)
    assert "Made with" not in read(layout, file_count=2)
