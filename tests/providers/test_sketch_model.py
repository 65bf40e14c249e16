"""Sketch's mathematics and its file, in this process."""

import numpy as np
import pytest
from PIL import Image

from providers.base import Aspect
from providers.sketch.denoiser import Patch, denoise
from providers.sketch.errors import ModelBroken
from providers.sketch.fitting import Fitting
from providers.sketch.model import load_model, save_model
from providers.sketch.pictures import fit_photo, save_png
from providers.sketch.sampling import sample
from tests.providers.naive_denoiser import naive_denoise
from tests.providers.sketch_bench import PROMPT, make_model, make_photo


def draw(model=None, **changes):
    model = model or make_model()
    return sample(model.photos, model.plan, **{"seed": 3, "aspect": Aspect.TALL, **changes})


def photos_like(picture):
    return [fit_photo(photo, *picture.shape[1:]) for photo in make_model().photos]


def rms(one, other):
    return float(np.sqrt(np.square(one - other).mean()))


@pytest.mark.parametrize("tint", [0.0, 0.3])
def test_denoiser_equals_its_definition_patch_by_patch(tint):
    rng = np.random.default_rng(0)
    photos = rng.uniform(-1, 1, (3, 3, 12, 9)).astype(np.float32)
    noisy = (0.8 * photos[1] + 0.6 * rng.standard_normal((3, 12, 9))).astype(np.float32)
    patch = Patch(radius=0.1, reach=0.17, tint=tint)
    fast = denoise(noisy, photos, patch, alpha=0.8, sigma=0.6)
    np.testing.assert_allclose(fast.picture, naive_denoise(noisy, photos, patch, alpha=0.8, sigma=0.6), atol=2e-4)
    assert fast.shares.sum() == pytest.approx(1, abs=1e-4)


def test_fitting_lowers_the_loss_and_never_raises_it():
    photos = [np.asarray(make_photo(number)) for number in range(4)]
    losses = [step.loss for step in Fitting(photos, 128, []).run(16)]
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0] * 0.98


def test_fitting_goes_on_from_its_journal_to_the_same_plan():
    photos = [np.asarray(make_photo(number)) for number in range(3)]
    whole = Fitting(photos, 128, [])
    steps = list(whole.run(14))
    resumed = Fitting(photos, 128, whole.journal[:12])
    assert list(resumed.run(14)) == steps
    assert resumed.plan == whole.plan


def test_fitting_finds_new_candidates_for_as_many_steps_as_are_allowed():
    photos = [np.asarray(make_photo(number)) for number in range(2)]
    journal = np.random.default_rng(1).random(7 + 2000).tolist()
    assert len(list(Fitting(photos, 128, journal).run(2000))) == 2001


def test_sampling_gives_the_same_picture_for_the_same_seed():
    assert np.array_equal(draw(), draw())


def test_sampling_gives_different_pictures_for_different_seeds():
    assert rms(draw(seed=1), draw(seed=2)) > 0.1


def test_sampling_gives_pictures_that_are_no_copies_of_photos():
    for seed in range(3):
        picture = draw(seed=seed)
        assert min(rms(picture, photo) for photo in photos_like(picture)) > 0.05


def test_sampling_gives_pictures_closer_to_the_photos_than_noise_is():
    picture = draw()
    photos = photos_like(picture)
    between = np.mean([rms(one, other) for one in photos for other in photos if one is not other])
    assert min(rms(picture, photo) for photo in photos) < 1.2 * between


def test_sampling_heeds_strength():
    assert rms(draw(strength=0.3), draw(strength=1.0)) > 0.05


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        (Aspect.SQUARE, (256, 256)),
        (Aspect.PORTRAIT, (192, 256)),
        (Aspect.LANDSCAPE, (256, 192)),
        (Aspect.TALL, (144, 256)),
        (Aspect.WIDE, (256, 144)),
    ],
)
def test_sampling_makes_every_aspect(tmp_path, aspect, size):
    assert save_png(draw(aspect=aspect), tmp_path / "picture.png") == size
    with Image.open(tmp_path / "picture.png") as image:
        assert image.size == size


def test_model_draws_the_same_after_it_was_stored(tmp_path):
    save_model(make_model(), tmp_path / "model.safetensors")
    assert np.array_equal(draw(load_model(tmp_path / "model.safetensors")), draw())


def test_model_file_holds_no_prompt_or_caption(tmp_path):
    save_model(make_model(), tmp_path / "model.safetensors")
    content = (tmp_path / "model.safetensors").read_bytes()
    assert PROMPT.encode() not in content
    assert b"a photo of" not in content


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "foreign", "plan"])
def test_model_file_that_is_damaged_is_named_so(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    save_model(make_model(), path)
    content = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "truncated":
            path.write_bytes(content[: len(content) // 2])
        case "foreign":
            path.write_bytes(content.replace(b"darkroom-sketch-1", b"darkroom-sketch-9"))
        case _:
            path.write_bytes(content.replace(b"alpha_bar", b"alphabeta"))
    with pytest.raises(ModelBroken, match="train the model again"):
        load_model(path)


def test_photo_in_another_shape_is_never_stretched():
    photo = np.zeros((128, 128, 3), np.uint8)
    photo[34:94, 34:94] = 255
    fitted = fit_photo(photo, 72, 128)
    bright = np.argwhere(fitted[0] > 0)
    tall, wide = bright.max(0) - bright.min(0)
    assert abs(int(tall) - int(wide)) <= 1
