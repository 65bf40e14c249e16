"""What an operator can set, as it arrives: from the environment and a .env file."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings

SECRETS = ("DISCORD_TOKEN", "REPLICATE_API_TOKEN", "FAL_KEY", "TOGETHER_API_KEY")


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    """Take away what the machine sets, and whatever .env lies about."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_settings_need_nothing_and_switch_every_hosted_provider_off():
    settings = Settings()

    assert [getattr(settings, name.lower()) for name in SECRETS] == [None] * len(SECRETS)
    assert settings.darkroom_sketch
    assert settings.darkroom_data_dir == Path("data")
    assert settings.database_url == "sqlite+aiosqlite:///data/darkroom.db"
    assert settings.darkroom_web_port is None
    assert settings.public_url is None
    assert settings.preferred_providers == ()
    assert settings.max_photo_bytes == 20 * 1024 * 1024
    assert settings.retention_times.trained_photos == timedelta(days=30)
    assert settings.retention_times.open_drafts == timedelta(days=7)
    assert settings.budget_limits.person_a_day_usd == 10
    assert settings.budget_limits.server_a_month_usd == 100
    assert settings.budget_limits.jobs_at_once == 5


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("DISCORD_TOKEN", "from-the-environment")
    monkeypatch.setenv("DARKROOM_DATA_DIR", "/srv/darkroom")
    monkeypatch.setenv("DARKROOM_KEEP_PHOTOS_DAYS", "0.5")
    settings = Settings()

    assert settings.discord_token.get_secret_value() == "from-the-environment"
    assert settings.database_url == "sqlite+aiosqlite:////srv/darkroom/darkroom.db"
    assert settings.retention_times.trained_photos == timedelta(hours=12)


def test_settings_come_from_a_file_and_the_environment_goes_first(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("FAL_KEY=of-the-file\nDARKROOM_SKETCH=false\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("FAL_KEY", "of-the-environment")
    settings = Settings()

    assert settings.fal_key.get_secret_value() == "of-the-environment"
    assert not settings.darkroom_sketch


@pytest.mark.parametrize("name", ["DARKROOM_WEB_PORT", "DISCORD_TOKEN", "PUBLIC_URL", "DARKROOM_PERSON_USD_A_DAY"])
def test_setting_that_is_empty_is_as_good_as_none(monkeypatch, name):
    monkeypatch.setenv(name, "")
    assert getattr(Settings(), name.lower()) == Settings.model_fields[name.lower()].default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DARKROOM_WEB_PORT", "65536"),
        ("DARKROOM_WEB_PORT", "-1"),
        ("DARKROOM_WEB_PORT", "http"),
        ("DARKROOM_MAX_PHOTO_MB", "0"),
        ("DARKROOM_MAX_PHOTO_MB", "101"),
        ("DARKROOM_MAX_PHOTO_MB", "2.5"),
        ("DARKROOM_CARD_SECONDS", "0"),
        ("DARKROOM_CARD_SECONDS", "nan"),
        ("DARKROOM_PERSON_USD_A_DAY", "-1"),
        ("DARKROOM_PERSON_USD_A_DAY", "$5"),
        ("DARKROOM_SERVER_USD_A_MONTH", "-0.01"),
        ("DARKROOM_JOBS_AT_ONCE", "0"),
        ("DARKROOM_KEEP_PHOTOS_DAYS", "0"),
        ("DARKROOM_KEEP_DRAFTS_DAYS", "-7"),
        ("DARKROOM_SKETCH", "perhaps"),
        ("DARKROOM_SKETCH_SLOTS", "-1"),
        ("DARKROOM_DM_INTAKE", "2"),
        ("DARKROOM_LOG_LEVEL", "LOUD"),
    ],
)
def test_setting_that_cannot_be_used_is_refused_by_its_name(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    [error] = refused.value.errors()
    assert str(error["loc"][0]).upper() == name


@pytest.mark.parametrize("port", ["0", "8080", "65535"])
def test_web_port_may_be_any_port(monkeypatch, port):
    monkeypatch.setenv("DARKROOM_WEB_PORT", port)
    assert Settings().darkroom_web_port == int(port)


@pytest.mark.parametrize("days", ["inf", "1e12", "1e6"])
@pytest.mark.parametrize("name", ["DARKROOM_KEEP_PHOTOS_DAYS", "DARKROOM_KEEP_DRAFTS_DAYS"])
def test_days_that_no_calendar_holds_are_refused_by_their_name(monkeypatch, name, days):
    monkeypatch.setenv(name, days)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert str(refused.value.errors()[0]["loc"][0]).upper() == name


@pytest.mark.parametrize("show", [repr, str, Settings.model_dump_json])
def test_settings_show_no_secret(monkeypatch, show):
    for name in SECRETS:
        monkeypatch.setenv(name, f"hush-{name}")
    assert "hush" not in show(Settings())


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("fal", ("fal",)),
        ("replicate,fal", ("replicate", "fal")),
        (" replicate , , fal, ", ("replicate", "fal")),
        (",", ()),
        ("", ()),
    ],
)
def test_preferred_providers_are_names_with_commas_between(monkeypatch, written, names):
    monkeypatch.setenv("DARKROOM_PREFERRED_PROVIDERS", written)
    assert Settings().preferred_providers == names


def test_discord_api_base_may_end_with_a_slash(monkeypatch):
    monkeypatch.setenv("DISCORD_API_BASE", "https://proxy.example.org/api/v10//")
    assert Settings().discord_api_base == "https://proxy.example.org/api/v10"


def test_database_url_goes_before_the_folder(monkeypatch):
    monkeypatch.setenv("DARKROOM_DATABASE_URL", "sqlite+aiosqlite:////var/darkroom.db")
    assert Settings().database_url == "sqlite+aiosqlite:////var/darkroom.db"


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError):
        Settings().darkroom_sketch = False
