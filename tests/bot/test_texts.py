"""Which language is spoken to whom, and that no catalogue lacks a sentence or breaks one."""

import re

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from bot import texts
from bot.errors import Missing
from bot.texts import CATALOGUES, _, language_of, languages, ngettext, speak, speaking, told
from providers.wording import Sentence
from tests.catalogues import everything_said, write
from tests.worded import Module, escaping, modules

#: What stands in for a value.
FIELD = re.compile(r"\{\w*\}")
#: Discord's limit for what it shows of a command.
LONGEST_DESCRIPTION = 100
TRANSLATED = [language for language in languages() if language != "en"]


@pytest.fixture
def german(tmp_path, monkeypatch):
    """Speak from a catalogue of two sentences."""
    catalog = Catalog(locale="de", fuzzy=False)
    catalog.add("Hello {name}.", "Hallo {name}.")
    catalog.add(("{count} photo", "{count} photos"), ("{count} Foto", "{count} Fotos"))
    write(catalog, tmp_path / "de.po")
    monkeypatch.setattr(texts, "CATALOGUES", tmp_path)
    for cached in (texts.languages, texts._catalogue):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (texts.languages, texts._catalogue):
        cached.cache_clear()


def test_sentence_is_english_by_default():
    assert _("Hello {name}.").format(name="Ada") == "Hello Ada."


def test_sentence_is_said_in_the_language_of_the_locale(german):
    with speaking("de"):
        assert _("Hello {name}.").format(name="Ada") == "Hallo Ada."
    assert _("Hello {name}.") == "Hello {name}."


def test_sentence_that_a_catalogue_lacks_is_said_in_english(german):
    with speaking("de"):
        assert _("Nobody translated this.") == "Nobody translated this."


def test_empty_text_stays_empty(german):
    with speaking("de"):
        assert _("") == ""


def test_number_decides_about_the_form(german):
    with speaking("de"):
        assert [ngettext("{count} photo", "{count} photos", n).format(count=n) for n in (1, 2)] == ["1 Foto", "2 Fotos"]


def test_what_was_worded_before_is_told_with_its_values(german):
    inner = Sentence("Hello {name}.", values={"name": "Ada"})
    with speaking("de"):
        assert told("Hello {name}.", {"name": "Ada"}) == "Hallo Ada."
        assert told(Sentence("“{said}”", values={"said": inner})) == "“Hallo Ada.”"


def test_what_was_worded_without_values_keeps_its_braces(german):
    with speaking("de"):
        assert told("It said {nothing}.") == "It said {nothing}."


def test_error_of_the_background_is_told_in_the_language_of_who_reads_it(german):
    error = Missing("Hello {name}.", values={"name": "Ada"})
    assert (str(error), error.sentence) == ("Hello Ada.", "Hello Ada.")
    with speaking("de"):
        assert error.sentence == "Hallo Ada."


@pytest.mark.parametrize(("locale", "language"), [("de", "de"), ("en-GB", "en"), ("pt-BR", "en"), ("", "en")])
def test_locale_leads_to_a_language(german, locale, language):
    assert language_of(locale) == language


def test_speaking_ends_with_its_block(german):
    speak("en-US")
    with speaking("de"):
        assert texts.spoken() == "de"
    assert texts.spoken() == "en"


def test_adapters_put_no_sentence_together_on_the_spot():
    found = [where for module in modules() for where in escaping(module)]
    assert found == [], "write the sentence whole, with the names of its values in braces, and hand those over"


@pytest.mark.parametrize(
    "text",
    [
        'raise Refused(f"{title} takes no prompt.")',
        'raise Refused("Till takes " + what)',
        'raise Unavailable("{}".format(what))',
        'raise Refused("No.", advice=f"Take {other}.")',
        'advice = f"Take {other}."\nraise Refused("No.", advice=advice)',
        'raise WorkFailed(NO_ENGINE, f"There is no {program}.")',
        'Snapshot(state=None, failure=f"{title} failed.")',
        'basis = "; ".join(prices)\nEstimate(minutes=1, basis=basis)',
        'Sentence(f"{title} failed.")',
    ],
)
def test_sentence_that_is_put_together_on_the_spot_is_found(text):
    assert len(list(escaping(Module.of(text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        'raise Refused("{provider} takes no prompt.", values={"provider": f"{title}!"})',
        'gone = "It is gone."\nraise NotFound(gone, advice=Sentence("Take {other}.", values={}))',
        'raise Refused("One." if one else "Many.") from None',
    ],
)
def test_sentence_with_its_values_apart_is_fine(text):
    assert list(escaping(Module.of(text))) == []


@pytest.mark.parametrize("language", TRANSLATED)
async def test_catalogue_has_every_sentence(language):
    catalog = read(language)
    missing = [m.id for m in await everything_said() if m.id and not said(catalog.get(m.id))]
    assert missing == [], f"run python -m tests.catalogues, then translate in {language}.po"


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_keeps_every_field(language):
    broken = [m.id for m in read(language) if m.id and not keeps_fields(m)]
    assert broken == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogue_describes_commands_briefly_enough_for_discord(language):
    described = [m for m in read(language) if any(where == "commands" for where, _line in m.locations)]
    assert [m.id for m in described if len(m.string) > LONGEST_DESCRIPTION] == []


def read(language):
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def said(message):
    return message is not None and (all(message.string) if message.pluralizable else bool(message.string))


def keeps_fields(message):
    ids = message.id if message.pluralizable else (message.id,)
    strings = message.string if message.pluralizable else (message.string,)
    # A form for one thing may leave out the number.
    allowed = {field for text in ids for field in FIELD.findall(text)}
    needed = set.intersection(*(set(FIELD.findall(text)) for text in ids))
    return all(needed <= set(FIELD.findall(s)) <= allowed for s in strings)
