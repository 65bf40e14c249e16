"""What the presets mean at trainers with different limits."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.draft import Draft, DraftState
from bot.errors import BadInput
from bot.training.presets import PRESETS, Preset, Wishes, ignored_wishes, recipe_for, same_again, usual_numbers
from providers.recipe import BaseModelName, Limits, SubjectKind
from tests.fakes.till_adapter import TillTrainer

NOW = datetime(2026, 3, 14, tzinfo=UTC)
DRAFT = Draft(
    id="draft",
    owner_id=1,
    name="Rusty",
    trigger_word="rustyfox",
    kind=SubjectKind.ANIMAL,
    base_model=BaseModelName.FLUX_1_DEV,
    state=DraftState.OPEN,
    created_at=NOW,
    updated_at=NOW,
)


def trainer(**capabilities):
    made = TillTrainer("http://127.0.0.1:9")
    made.capabilities = replace(
        made.capabilities,
        **{
            "steps": Limits(low=100, high=2000, default=1000),
            "rank": Limits(low=1, high=32, default=16),
            "learning_rate": Limits(low=1e-6, high=1e-2, default=4e-4),
            "resolutions": (512, 1024),
            "caption_dropout": Limits(low=0, high=1, default=0.05),
        }
        | capabilities,
    )
    return made


@pytest.mark.parametrize("preset", [p for p in Preset if p is not Preset.USUAL])
def test_preset_stays_within_what_the_trainer_takes(preset):
    can = trainer().capabilities
    numbers = usual_numbers(SubjectKind.PERSON, can, preset)
    assert numbers.steps in can.steps
    assert numbers.rank in can.rank
    assert numbers.learning_rate in can.learning_rate
    assert numbers.resolution in can.resolutions


@pytest.mark.parametrize("what", ["portrait", "animal", "object", "style"])
def test_thorough_takes_more_steps_and_finer_pictures_than_fast(what):
    can = trainer().capabilities
    fast, thorough = [usual_numbers(SubjectKind.PERSON, can, Preset(f"{what}-{pace}")) for pace in ("fast", "thorough")]
    assert fast.steps < thorough.steps
    assert (fast.resolution, thorough.resolution) == (512, 1024)


def test_presets_explain_themselves_in_a_menu():
    assert all(0 < len(tuning.meaning) <= 100 for tuning in PRESETS.values())
    assert len({tuning.title for tuning in PRESETS.values()}) == len(Preset) == 9


def test_usual_numbers_heed_what_the_photos_show():
    can = trainer().capabilities
    animal, style = [usual_numbers(kind, can, Preset.USUAL) for kind in (SubjectKind.ANIMAL, SubjectKind.STYLE)]
    assert (animal.steps, animal.learning_rate) == (1000, 4e-4)
    assert (style.steps, style.learning_rate) == (1500, 2e-4)


def test_own_number_comes_before_the_presets():
    recipe = recipe_for(DRAFT, trainer(), Wishes(preset=Preset.STYLE_THOROUGH, rank=4, caption_dropout=0.2))
    assert (recipe.steps, recipe.rank, recipe.caption_dropout) == (2000, 4, 0.2)


def test_own_number_out_of_reach_is_refused_with_the_reach():
    with pytest.raises(BadInput, match="`caption_dropout` goes from 0 to 1 here, and 3 is outside of it"):
        recipe_for(DRAFT, trainer(), Wishes(caption_dropout=3))


def test_numbers_that_the_trainer_lacks_are_left_out():
    without = trainer(rank=None, learning_rate=None, caption_dropout=None)
    recipe = recipe_for(DRAFT, without, Wishes(preset=Preset.PORTRAIT_FAST, caption_dropout=0.1))
    assert (recipe.rank, recipe.learning_rate, recipe.caption_dropout) == (0, 0, None)
    assert ignored_wishes(without, Wishes(rank=3, caption_dropout=0.1)) == ["rank", "caption_dropout"]


def test_recipe_can_be_wished_for_again():
    recipe = recipe_for(DRAFT, trainer(), Wishes(preset=Preset.OBJECT_FAST, steps=777, autocaption=True))
    assert recipe_for(DRAFT, trainer(), same_again(recipe)) == recipe
