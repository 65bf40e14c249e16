"""`.env.example` is held equal to the settings: the same names, sentences and defaults, and nothing else."""

import re
from pathlib import Path

from dotenv import dotenv_values
from pydantic import SecretStr

from bot.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[1] / ".env.example"


def written(value):
    """Write a default as a person would."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def block_of(name, field):
    return f"# {field.description}\n#{name.upper()}={written(field.default)}"


def expected_blocks():
    return [block_of(name, field) for name, field in Settings.model_fields.items()]


def written_blocks():
    _head, *blocks = EXAMPLE.read_text().strip().split("\n\n")
    return blocks


def test_env_example_holds_every_setting_with_its_sentence_and_default():
    assert written_blocks() == expected_blocks()


def test_env_example_used_as_it_is_changes_nothing(tmp_path):
    assert Settings(_env_file=EXAMPLE) == Settings(_env_file=None)


def test_env_example_with_every_line_switched_on_gives_the_defaults(tmp_path):
    switched_on = tmp_path / ".env"
    lines = (re.sub(r"^#(?=[A-Z0-9_]+=)", "", line) for line in EXAMPLE.read_text().splitlines())
    switched_on.write_text("\n".join(lines))
    assert len(dotenv_values(switched_on)) == len(Settings.model_fields)
    assert Settings(_env_file=switched_on) == Settings(_env_file=None)


def test_env_example_holds_no_default_for_a_secret():
    secrets = [
        name for name, field in Settings.model_fields.items() if SecretStr in getattr(field.annotation, "__args__", ())
    ]
    assert "discord_token" in secrets
    assert [Settings.model_fields[name].default for name in secrets] == [None] * len(secrets)


def test_settings_have_a_sentence_each():
    assert [name for name, field in Settings.model_fields.items() if len(field.description or "") < 20] == []
