"""Finding words of a list in what people wrote: whole ones, however they are written, and nothing else."""

import pytest

from bot.blocked_words import found_in


@pytest.mark.parametrize(
    "text",
    [
        "a voldemort in snow",
        "VOLDEMORT",
        "Voldemort, please",
        "voldemört",  # ö is o with a mark
        "vol\u200bdemort",  # a zero-width space inside
        "ｖｏｌｄｅｍｏｒｔ",
        "my_voldemort_fox",
        "“Voldemort”",
    ],
)
def test_word_is_found_however_it_is_written(text):
    assert found_in(["Voldemort"], text) == "Voldemort"


@pytest.mark.parametrize("text", ["voldemortish", "svoldemort", "vold emort", "v0ldemort", "", "fox"])
def test_word_is_not_found_inside_of_others(text):
    assert found_in(["Voldemort"], text) is None


def test_phrase_is_found_over_any_spaces_and_signs():
    assert found_in(["he who"], "And HE,  who must not be named") == "he who"
    assert found_in(["he who"], "the who") is None


def test_phrase_is_not_found_over_two_texts():
    assert found_in(["he who"], "he", "who") is None


def test_first_word_of_the_list_is_told():
    assert found_in(["b", "a"], "a b") == "b"


def test_word_without_letters_is_never_found():
    assert found_in(["!!", " "], "!! and more") is None


def test_words_of_other_scripts_are_found():
    assert found_in(["лиса"], "Лиса в снегу") == "лиса"
    assert found_in(["狐"], "狐") == "狐"
