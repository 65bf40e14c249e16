"""Owns the parts of Replicate's answers that we read; whatever else is in them is let pass."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _or_empty(value: Any) -> Any:
    return {} if value is None else value


_Object = Annotated[Mapping[str, Any], BeforeValidator(_or_empty)]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class Account(_Answer):
    """Whose token this is."""

    username: str


class Version(_Answer):
    """One version of a model."""

    id: str
    openapi_schema: Mapping[str, Any] | None = None


class Model(_Answer):
    """A model, public or ours."""

    visibility: str | None = None
    latest_version: Version | None = None


class FileUrls(_Answer):
    """Where a file is."""

    get: str


class RemoteFile(_Answer):
    """A file that we uploaded."""

    id: str
    urls: FileUrls
    expires_at: datetime
    checksums: _Object = {}
    metadata: _Object = {}


class Metrics(_Answer):
    """What a job took, in seconds."""

    predict_time: float | None = None


class RemoteJob(_Answer):
    """A training or a prediction."""

    id: str
    #: Not an enumeration: a word that we don't know must not hide the rest.
    status: str
    created_at: datetime | None = None
    version: str | None = None
    model: str | None = None
    input: _Object = {}
    output: Any = None
    logs: str | None = None
    error: str | None = None
    metrics: Metrics | None = None
    data_removed: bool = False


class Page(_Answer):
    """A part of a list, the newest first."""

    results: list[Any] = []
    next: str | None = None


class WebhookSecret(_Answer):
    """What signs the messages to our webhook."""

    key: str
