"""Owns how Together is spoken to, and what its answers and failures mean; never keeps anything."""

import asyncio
import base64
import importlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from providers.errors import ContentRejected, ProviderError, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.http import error_for, fit_for_people

if TYPE_CHECKING:
    from together import AsyncTogether

#: Words of a complaint that is about the prompt or its pictures and not about the request.
_ABOUT_CONTENT = ("nsfw", "safety", "moderat", "content policy", "content_policy", "inappropriate")


class TogetherSettings(BaseModel):
    """How to reach Together."""

    model_config = ConfigDict(frozen=True)

    api_key: SecretStr = Field(description="A key, from api.together.ai/settings/api-keys.")
    base_url: str = Field(
        default="https://api.together.ai", description="Scheme and host of its API, without /v1, which paths carry."
    )
    timeout_seconds: float = Field(
        default=180.0, gt=0, description="How long a call may take; the paid one answers with the finished pictures."
    )


class _CatalogueEntry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str


class _Picture(BaseModel):
    model_config = ConfigDict(extra="ignore")

    index: int = 0
    b64_json: str | None = None


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    data: list[_Picture]


_CATALOGUE = TypeAdapter(list[_CatalogueEntry])


class TogetherApi:
    """Makes each call with a client of its own, so that there is nothing to close."""

    def __init__(self, settings: TogetherSettings) -> None:
        self._settings = settings

    async def catalogue(self) -> frozenset[str]:
        """Return the ids of all models that are listed now."""
        async with await asyncio.to_thread(self._client) as client:
            try:
                # The package's models.list asks for the models of a project; the catalogue is another route.
                entries = _CATALOGUE.validate_python(await client.get("/v1/models", cast_to=object))
            except ValidationError:
                raise UnexpectedAnswer("Together's catalogue can't be read.") from None
            except Exception as error:  # noqa: BLE001 - the package and what it is built on may raise anything
                raise _meaning(error, hide=(), paid=False) from None
        return frozenset(entry.id for entry in entries)

    async def generate(self, request: Mapping[str, Any], *, hide: Sequence[str]) -> list[bytes]:
        """Send the paid call, once, and return the pictures of its answer in their order, unchecked.

        Args:
            request: The body of POST /v1/images/generations.
            hide: What must not stand in an error, though Together may repeat it.

        Raises:
            SubmitUnsure: it may have been accepted.
        """
        async with await asyncio.to_thread(self._client) as client:
            try:
                answer = await client.images.with_raw_response.generate(**request)
                body = await answer.read()
            except Exception as error:  # noqa: BLE001 - the package and what it is built on may raise anything
                raise _meaning(error, hide=hide, paid=True) from None
        return await asyncio.to_thread(_pictures, body)

    def _client(self) -> "AsyncTogether":
        """Return a client that sends nothing twice; blocks, for a second the first time."""
        # At DEBUG the package writes whole requests, prompts included.
        logging.getLogger("together").setLevel(logging.INFO)
        client: AsyncTogether = importlib.import_module("together").AsyncTogether(
            api_key=self._settings.api_key.get_secret_value(),
            base_url=self._settings.base_url,
            max_retries=0,
            timeout=self._settings.timeout_seconds,
        )
        return client


def _pictures(body: bytes) -> list[bytes]:
    try:
        told = sorted(_Answer.model_validate_json(body).data, key=lambda picture: picture.index)
        return [base64.b64decode(one.b64_json, validate=True) for one in told if one.b64_json]
    except ValueError:  # also pydantic's and base64's own
        raise SubmitUnsure(
            "{provider} accepted the order, but its answer can't be read.", values={"provider": "Together"}
        ) from None


def _meaning(error: Exception, *, hide: Sequence[str], paid: bool) -> ProviderError:
    """Return what a failure of the package means; for the paid call, what is not surely a refusal is unsure."""
    import httpx  # noqa: PLC0415 - comes with the package, which is loaded only when it is used
    import together  # noqa: PLC0415 - see above

    if isinstance(error, together.APIStatusError):
        said = _said(error.body)
        if 400 <= error.status_code < 500 and any(word in said.lower() for word in _ABOUT_CONTENT):
            return ContentRejected("Together's rules forbid this prompt or its pictures.")
        detail = fit_for_people(said, hide=hide)
        headers = error.response.headers
        return error_for(error.status_code, provider="Together", detail=detail, headers=headers, paid=paid)
    never_left = isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout | httpx.UnsupportedProtocol)
    if never_left or not paid:
        return Unavailable("{provider} can't be reached.", values={"provider": "Together"})
    return SubmitUnsure("{provider} was sent the order, and its answer did not come.", values={"provider": "Together"})


def _said(body: object) -> str:
    """Return the words of an error body, {"error": {"message": …}} or what the package made of it."""
    inner = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(inner, Mapping):
        return " ".join(str(inner[key]) for key in ("message", "code") if inner.get(key))
    return inner if isinstance(inner, str) else ""
