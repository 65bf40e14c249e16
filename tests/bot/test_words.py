"""The rules for words that people type and others read, at their edges."""

import pytest

from bot import words
from bot.errors import BadInput

#: What Discord would read as a mention, a link or formatting.
MARKUP = (
    *("@everyone", "@here", "<@1>", "<@&1>", "<#1>", "<:fox:1>", "</train:1>", "<t:0:R>"),
    *("**loud**", "*soft*", "__under__", "~~gone~~", "||hidden||", "`code`", "> said", "# head", "[a](b)", "a\\b"),
    *("https://example.org", "HTTP://example.org", "see http://example.org"),
)
#: Signs that nobody sees, and that turn or hide what stands around them.
INVISIBLE = ("Ru\u202esty", "Ru\u200bsty", "Ru\x00sty", "Ru\x1bsty", "Ru\ufeffsty", "Ru\x7fsty")


@pytest.mark.parametrize(
    "name",
    [
        "Rusty",
        "R",
        "7",
        "Rusty 2",
        "Rusty's fox, the 2nd!",
        "Füchsin",
        "狐",
        "Лис",
        "ثعلب",
        "🦊",
        "snake_case",
        "a - b",
    ],
)
def test_model_name_may_be_whatever_people_call_things(name):
    assert words.model_name(name) == name


@pytest.mark.parametrize(("typed", "name"), [("  Rusty  ", "Rusty"), ("Rusty\n\tthe\u00a0 fox", "Rusty the fox")])
def test_model_name_is_on_one_line_with_single_spaces(typed, name):
    assert words.model_name(typed) == name


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u00a0\u2003"])
def test_model_name_of_nothing_is_refused(blank):
    with pytest.raises(BadInput, match="at least one letter"):
        words.model_name(blank)


def test_model_name_has_a_longest():
    longest = "x" * words.LONGEST_NAME
    assert words.model_name(f" {longest} ") == longest
    with pytest.raises(BadInput, match=f"has {words.LONGEST_NAME + 1} characters and at most {words.LONGEST_NAME}"):
        words.model_name(longest + "x")


@pytest.mark.parametrize("name", MARKUP)
def test_model_name_with_markup_is_refused(name):
    with pytest.raises(BadInput, match="mentions, links or formatting"):
        words.model_name(f"Rusty {name}")


@pytest.mark.parametrize("name", INVISIBLE)
def test_model_name_with_invisible_signs_is_refused(name):
    with pytest.raises(BadInput):
        words.model_name(name)


@pytest.mark.parametrize("word", ["ab", "rustyfox", "R2D2", "9lives", "rusty-fox", "rusty_fox", "a-", "x" * 24])
def test_trigger_word_is_one_plain_word(word):
    assert words.trigger_word(f" {word}\n") == word


@pytest.mark.parametrize(
    "word", ["", " ", "a", "x" * 25, "-fox", "_fox", "füchsin", "狐狸", "fox!", "@fox", "fox\u200b"]
)
def test_trigger_word_of_other_signs_or_lengths_is_refused(word):
    with pytest.raises(BadInput, match="2 to 24 plain letters"):
        words.trigger_word(word)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("rusty fox", "**rustyfox** would do."),
        ("Rusty the fox!", "**Rustythefox** would do."),
        ("@every one", "**everyone** would do."),
        ("狐 狸", "Something like **rustyfox** would do."),
        ("x " * 30, f"**{'x' * 24}** would do."),
    ],
)
def test_trigger_word_of_several_words_is_refused_with_one_that_would_do(typed, hint):
    with pytest.raises(BadInput, match="one word, without spaces") as refused:
        words.trigger_word(typed)
    assert refused.value.advice == hint


@pytest.mark.parametrize("typed", ["- - fox", "_ fox", "a !", "- -"])
def test_trigger_word_that_would_do_is_one_that_is_taken(typed):
    with pytest.raises(BadInput) as refused:
        words.trigger_word(typed)
    suggested = refused.value.advice.split("**")[1]
    assert words.trigger_word(suggested) == suggested


@pytest.mark.parametrize(
    ("rule", "longest"), [(words.caption, words.LONGEST_CAPTION), (words.prompt, words.LONGEST_PROMPT)]
)
def test_caption_and_prompt_have_a_longest(rule, longest):
    text = "ä" * longest
    assert rule(f"  {text}\n") == text
    with pytest.raises(BadInput, match=f"at most {longest} characters, this one has {longest + 1}"):
        rule(text + "ä")


@pytest.mark.parametrize("rule", [words.caption, words.prompt])
@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("", ""),
        (" \n ", ""),
        ("a fox\n\nin  the\tsnow ", "a fox in the snow"),
        ("(fox:1.2), [snow], <lora:x> @ f/2.8 #3", "(fox:1.2), [snow], <lora:x> @ f/2.8 #3"),
    ],
)
def test_caption_and_prompt_are_one_line_and_else_as_typed(rule, typed, line):
    assert rule(typed) == line


@pytest.mark.parametrize("name", MARKUP)
def test_file_label_holds_no_markup(name):
    label = words.file_label(f"{name}.jpg")
    assert label.endswith(".jpg")
    assert words.model_name(label) == label


@pytest.mark.parametrize("name", ["h<ttps://evil.example", "_@_x", "ht@tp://evil.example", "_*_under_*_"])
def test_file_label_holds_no_markup_that_comes_about_by_removing_some(name):
    label = words.file_label(f"{name}.jpg")
    assert words.model_name(label) == label


def test_file_label_leaves_out_what_nobody_sees():
    assert words.file_label("fox\u202egpj.\x00exe\n") == "foxgpj.exe"


def test_file_label_keeps_plain_names():
    assert words.file_label("Füchsin (2) – 狐.jpeg") == "Füchsin (2) – 狐.jpeg"


def test_file_label_shortens_long_names_and_keeps_their_ends():
    assert words.file_label("x" * 56 + ".jpg") == "x" * 56 + ".jpg"
    label = words.file_label("x" * 300 + "-last.jpeg")
    assert label.startswith("xxx")
    assert label.endswith("x-last.jpeg")
    assert len(label) <= 60
