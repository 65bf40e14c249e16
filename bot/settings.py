"""Owns what an operator can set, read from the environment and a .env file; never reads anything else.

Every variable stands in .env.example with the same sentence; a test holds the two together.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.budget import BudgetLimits
from bot.retention import RetentionTimes
from bot.sealing import Keyring
from bot.training.line import LineLimits
from providers.table import PROVIDERS

MIB = 1024 * 1024
#: A century; much more would lead to before the calendar's first year.
MOST_DAYS = 36_525


class OwnSettings(BaseSettings):
    """What an operator can set about the bot itself."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    discord_token: SecretStr | None = Field(
        default=None,
        description="The bot's token, from the Discord developer portal: your application, Bot, Reset Token.",
    )
    discord_api_base: str = Field(
        default="https://discord.com/api/v10",
        description="Where Discord's HTTP API is; change it for a proxy or the playground.",
    )
    discord_gateway_url: str = Field(
        default="wss://gateway.discord.gg/",
        description="Where Discord's gateway is; change it for a proxy or the playground.",
    )
    public_url: str | None = Field(
        default=None,
        description="Where the world reaches this bot's own web server, such as https://bot.example.org; "
        "some providers need it to fetch files.",
    )
    darkroom_web_host: str = Field(default="127.0.0.1", description="Address that the bot's web server listens on.")
    darkroom_web_port: int | None = Field(
        default=None, ge=0, le=65535, description="Port of the bot's web server; empty for none."
    )
    darkroom_data_dir: Path = Field(
        default=Path("data"), description="Folder of the database, photos, models and pictures."
    )
    darkroom_database_url: str = Field(
        default="",
        description="The database; empty for darkroom.db in the data folder. Form: sqlite+aiosqlite:///path/to/file.db",
    )
    darkroom_blob_key: SecretStr | None = Field(
        default=None,
        description="Seals photos, models and pictures on disk: 32 bytes in base64, as `darkroom keys new` prints; "
        "who loses it loses them.",
    )
    darkroom_old_blob_keys: SecretStr | None = Field(
        default=None,
        description="Keys from before, with commas between; they open files until `darkroom keys rotate` has sealed "
        "all of them anew.",
    )
    darkroom_owner_guild: int | None = Field(
        default=None,
        description="Id of the Discord server where the bot's owner has /owner, and whose log channel gets the reports "
        "from direct messages; empty for none.",
    )
    darkroom_dm_intake: bool = Field(
        default=True, description="Take photos that people send to the bot in direct messages: true or false."
    )
    darkroom_max_lora_mb: int = Field(
        default=512, ge=0, le=4096, description="Largest LoRA that people may import, in MiB; 0 for no imports."
    )
    darkroom_max_photo_mb: int = Field(default=20, ge=1, le=100, description="Largest photo that is taken, in MiB.")
    darkroom_card_seconds: float = Field(
        default=5.0,
        ge=0.05,
        description="Seconds between two edits of job cards in one channel; Discord allows about one a second.",
    )
    darkroom_person_usd_a_day: float | None = Field(
        default=10.0, ge=0, description="US dollars that one person may spend a day (UTC)."
    )
    darkroom_server_usd_a_month: float | None = Field(
        default=100.0, ge=0, description="US dollars that the people of one server may spend a month (UTC)."
    )
    darkroom_jobs_at_once: int = Field(
        default=5, ge=1, description="Trainings and pictures that one person may have under way at once."
    )
    darkroom_provider_trainings: int = Field(
        default=0,
        ge=0,
        description="Trainings that one provider works on at once; others wait in line. 0 for as many as it takes.",
    )
    darkroom_person_trainings: int = Field(
        default=0,
        ge=0,
        description="Trainings that one person has at work at once; their others wait in line. 0 for any number.",
    )
    darkroom_keep_photos_days: float = Field(
        default=30, gt=0, le=MOST_DAYS, description="Days that the photos of a finished training are kept."
    )
    darkroom_keep_drafts_days: float = Field(
        default=7, gt=0, le=MOST_DAYS, description="Days that a draft is kept which nobody touches."
    )
    darkroom_keep_checkpoints_days: float = Field(
        default=30, gt=0, le=MOST_DAYS, description="Days that a training's checkpoints are kept which nobody chose."
    )
    darkroom_preferred_providers: str = Field(
        default="", description="Providers in the order that the bot prefers them, names with commas between."
    )
    darkroom_prices: str = Field(
        default="",
        description="Prices in US dollars that you know better than the bot, with commas between; names as in "
        "docs/providers.md, such as replicate/gpu-h100=0.0015.",
    )
    darkroom_mailbox: str = Field(
        default="",
        pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9_/-]*)?)?$",
        description="For a bot that rented machines can't reach: a bucket through which they speak with it, such as "
        "s3://bucket/darkroom; PUBLIC_URL is not needed then.",
    )
    aws_access_key_id: SecretStr | None = Field(
        default=None, description="Key of DARKROOM_MAILBOX's bucket; it may list, read, write and delete there."
    )
    aws_secret_access_key: SecretStr | None = Field(default=None, description="The secret that belongs to that key.")
    aws_region: str = Field(default="us-east-1", description="Region of the bucket.")
    aws_endpoint_url: str | None = Field(
        default=None, description="Where the bucket's S3 is, if not at Amazon, such as an R2 or MinIO address."
    )
    darkroom_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @field_validator("discord_api_base")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @field_validator("darkroom_prices")
    @classmethod
    def _readable_prices(cls, value: str) -> str:
        if any(price < 0 for price in _prices(value).values()):
            raise ValueError("a price is below zero")
        return value

    @property
    def prices(self) -> Mapping[str, float]:
        """Return the prices that the operator knows better, in US dollars by the names of `providers.prices`."""
        return _prices(self.darkroom_prices)

    @property
    def database_url(self) -> str:
        """Return the database's URL with its default filled in."""
        return self.darkroom_database_url or f"sqlite+aiosqlite:///{self.darkroom_data_dir / 'darkroom.db'}"

    @property
    def keyring(self) -> Keyring:
        """Return the keys that seal and open files.

        Raises:
            StartupError: one of them is no key.
        """
        return Keyring.parse(self.darkroom_blob_key, self.darkroom_old_blob_keys)

    @property
    def preferred_providers(self) -> tuple[str, ...]:
        """Return the names of the preferred providers in their order."""
        return tuple(name.strip() for name in self.darkroom_preferred_providers.split(",") if name.strip())

    @property
    def budget_limits(self) -> BudgetLimits:
        """Return how much may be spent and run."""
        return BudgetLimits(
            person_a_day_usd=self.darkroom_person_usd_a_day,
            server_a_month_usd=self.darkroom_server_usd_a_month,
            jobs_at_once=self.darkroom_jobs_at_once,
        )

    @property
    def line_limits(self) -> LineLimits:
        """Return how many trainings may be under way at once before others wait in line."""
        return LineLimits(
            at_a_provider=self.darkroom_provider_trainings or None, of_a_person=self.darkroom_person_trainings or None
        )

    @property
    def retention_times(self) -> RetentionTimes:
        """Return how long photos are kept."""
        return RetentionTimes(
            trained_photos=timedelta(days=self.darkroom_keep_photos_days),
            open_drafts=timedelta(days=self.darkroom_keep_drafts_days),
            checkpoints=timedelta(days=self.darkroom_keep_checkpoints_days),
        )

    @property
    def discord_is_here(self) -> bool:
        """Tell whether Discord is played on this machine, as in tests and the demo; its files are plain http then."""
        return urlsplit(self.discord_api_base).hostname in {"127.0.0.1", "localhost", "::1"}

    @property
    def max_lora_bytes(self) -> int:
        """Return the largest LoRA in bytes."""
        return self.darkroom_max_lora_mb * MIB

    @property
    def max_photo_bytes(self) -> int:
        """Return the largest photo in bytes."""
        return self.darkroom_max_photo_mb * MIB


# The providers' options come last, each with its entry in their table, so that adding one changes nothing here.
class Settings(*(entry.options for entry in reversed(PROVIDERS)), OwnSettings):  # type: ignore[misc]
    """What an operator can set, that of the providers included."""


def _prices(text: str) -> dict[str, float]:
    found = {}
    for entry in filter(None, (one.strip() for one in text.split(","))):
        name, equals, usd = entry.rpartition("=")
        if not equals or not name.strip():
            raise ValueError(f"{entry!r} is not of the form name=price")
        found[name.strip()] = float(usd)
    return found
