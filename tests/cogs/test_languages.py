"""Who is answered in which language: people in theirs, channels in their server's; commands described in all."""

from dataclasses import replace

import pytest

from bot.texts import languages, speaking, told
from cogs.ui import words
from cogs.ui.settings_panel import told_value
from providers.http import error_for
from providers.prices import PriceList, Unit
from tests.cogs.photos import foxes
from tests.fakes.till import QUEUED, RUNNING, SUCCEEDED, Look, Till
from tests.fakes.till_adapter import TillTrainer, till_registry
from tests.house import open_house, running_bot
from tests.playing import running_playground
from tests.test_architecture import described

RUSTY = {"name": "Rusty", "trigger_word": "rustyfox", "kind": "animal", "who": "nobody"}
FAILED = Look(status="failed")
OTHERS = [language for language in languages() if language != "en"]


def german(house, name="greta"):
    person = house.discord.person(name)
    person.user.locale = "de"
    return person


async def test_panel_speaks_the_language_of_its_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        panel = await german(house).in_channel().slash("draft new", **RUSTY)

    assert "Trigger-Wort `rustyfox` · Tier" in panel.text
    assert "Gib **Rusty** jetzt Fotos: Drücke *Fotos hinzufügen*" in panel.text
    assert panel.message.has_button("Fotos hinzufügen")


async def test_form_speaks_the_language_of_its_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = german(house).in_channel()
        form = await place.press(await place.slash("draft new", **RUSTY), "Fotos hinzufügen")

    assert form.modal.title == "Fotos zu Rusty hinzufügen"


async def test_refusal_speaks_the_language_of_its_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = german(house).in_channel()
        await place.slash("draft new", **RUSTY)
        await place.slash("draft add", photo1=foxes(1)[0])
        refused = await place.slash("train")

    assert refused.ephemeral
    assert refused.text.startswith("Sketch (this machine) braucht mindestens 2 Fotos, und dieser Entwurf hat 1.")


async def test_photos_by_message_are_answered_in_the_language_of_their_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        greta = german(house)
        await greta.in_channel().slash("draft new", **RUSTY)
        await greta.dm().say("", foxes(2))
        answer = await greta.dm().wait_for(lambda m: m.author_is_bot)

    assert "2 Fotos zu **Rusty** hinzugefügt." in answer.text


async def test_quote_says_what_a_provider_declares_in_the_language_of_its_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = german(house).in_channel()
        await place.slash("draft new", **RUSTY)
        await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        quote = await place.slash("train")

    assert "Rusty mit Sketch (this machine) trainieren?" in quote.text
    assert "läuft auf diesem Rechner: kostenlos" in quote.text
    assert "Sketch lernt nur aus den Fotos" in quote.text


async def drafted(place):
    await place.slash("draft new", **RUSTY)
    await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
    return await place.slash("train")


async def train(house, place):
    quote = await drafted(place)
    return await place.press(quote, "Los geht’s" if place.person.user.locale == "de" else "Train it")


@pytest.mark.parametrize(
    ("person_speaks", "server_speaks", "answer", "card"),
    [
        ("de", "en-US", "wird trainiert. Die Karte ist in diesem Kanal.", "Training Rusty"),
        ("en-US", "de", "is being trained. Its card is in this channel.", "Training von Rusty"),
        ("de", "de", "wird trainiert. Die Karte ist in diesem Kanal.", "Training von Rusty"),
    ],
)
async def test_card_speaks_the_language_of_its_server(tmp_path, person_speaks, server_speaks, answer, card):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, RUNNING)
        discord.guild.locale = server_speaks
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            person = discord.person("pat")
            person.user.locale = person_speaks
            begun = await train(house, person.in_channel())
            assert answer in begun.text
            await person.in_channel().wait_for(lambda m: not m.ephemeral and f"### {card}\n" in m.text)


async def test_card_in_a_direct_message_speaks_the_language_of_its_person(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, FAILED)
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            place = german(house).dm()
            await train(house, place)
            told = await place.wait_for(lambda m: "Rusty: Gescheitert" in m.text)

    assert "Der Anbieter hat aufgegeben, ohne zu sagen warum." in told.text
    assert "Mit /train versuchst du es noch einmal." in told.text


class _Refusing(TillTrainer):
    async def prepare(self, order):
        raise error_for(402, provider="Till", detail="no {credit}")


async def test_refusal_of_a_provider_is_told_with_its_words_in_the_language_of_its_person(tmp_path):
    async with running_playground() as discord, Till() as till:
        registry = replace(till_registry(till.url), trainers={"till": _Refusing(till.url)})
        async with running_bot(discord, tmp_path / "data", registry=registry) as house:
            place = german(house).dm()
            await train(house, place)
            told = await place.wait_for(lambda m: "Rusty: Gescheitert" in m.text)

    assert "Bei Till ist unser Guthaben aufgebraucht (no {credit})." in told.text
    assert "Der Betreiber dieses Bots muss das Konto aufladen oder einen anderen Anbieter wählen." in told.text


async def test_trouble_of_the_background_is_told_in_the_language_of_its_person(tmp_path):
    async with open_house(tmp_path / "data") as house:
        place = german(house).dm()
        quote = await drafted(place)
        for stored in (tmp_path / "data" / "blobs" / "photos").iterdir():
            stored.unlink()
        await place.press(quote, "Los geht’s")
        told = await place.wait_for(lambda m: "Rusty: Gescheitert" in m.text)

    assert "Foto 1 ist nicht mehr gespeichert." in told.text


def test_numbers_of_an_estimate_are_explained_in_every_language():
    basis = PriceList().find("fal/fal-ai/flux-lora-fast-training", Unit.STEP).basis
    with speaking("de"):
        assert told(basis) == "$0.002 pro Schritt (Angabe eines Dritten: etwa $2 je 1.000 Schritte, 2026-07-01)"


async def test_letter_speaks_the_language_of_its_person(tmp_path):
    async with running_playground() as discord, Till() as till:
        till.script = (QUEUED, SUCCEEDED)
        async with running_bot(discord, tmp_path / "data", registry=till_registry(till.url)) as house:
            greta = german(house)
            await train(house, greta.in_channel())
            letter = await greta.dm().wait_for(lambda m: m.author_is_bot)

    assert letter.text.startswith("**Rusty** ist fertig.")
    assert [button.label for button in letter.buttons] == ["Keine solchen Nachrichten mehr", "Zeigen"]


async def test_commands_are_described_in_every_language(tmp_path):
    async with open_house(tmp_path / "data") as house:
        told = [entry for command in house.discord.commands() for entry in described(command)]

    translated = {name: set(p["description_localizations"] or ()) for name, p in told if p.get("description")}
    assert len(translated) > 100
    lacking = [name for name, found in translated.items() if not found >= set(OTHERS)]
    assert lacking == []


@pytest.mark.parametrize("locale", OTHERS)
async def test_settings_and_presets_fit_discord_in_every_language(tmp_path, locale):
    async with open_house(tmp_path / "data") as house:
        mia = house.discord.person("mia", manage_guild=True)
        mia.user.locale = locale
        place = mia.in_channel()
        panel = await place.slash("admin settings")
        sections = panel.selects[-1]
        for option in sections.options:
            panel = await place.select(panel, sections.custom_id, option.value)
            assert not panel.failed
            assert option.name in panel.text
        await place.slash("draft new", **RUSTY)
        await place.slash("draft add", photo1=foxes(2)[0], photo2=foxes(2)[1])
        [presets] = (await place.slash("train")).selects
        # What is cut is not read.
        assert [option for option in presets.options if len(option.description) == 100] == []


@pytest.mark.parametrize(
    ("phase", "told"),
    [
        ("drawing picture 2 of 4", "macht Bild 2 von 4"),
        ("reading the photos", "liest die Fotos"),
        ("polishing {it}", "polishing {it}"),
        ("", ""),
    ],
)
def test_phase_is_translated_where_it_is_known(phase, told):
    with speaking("de"):
        assert words.phase(phase) == told


def test_audit_log_names_what_was_set_in_the_language_of_its_reader():
    with speaking("de"):
        assert told_value("adult", "never") == "Nie auf diesem Server"
