"""Owns how fal is spoken to: its queue, storage and platform APIs over one aiohttp session; never keeps anything.

fal's own Python client sends a submit that fails up to ten times, so the paid POST is ours. Sources: the Queue API at
fal.ai/docs/api-reference/inference-api, the Platform APIs at fal.ai/docs/platform-apis.
"""

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from yarl import URL

from providers.errors import (
    ContentRejected,
    NotFound,
    ProviderError,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.fal.endpoints import app_of
from providers.http import error_for, fit_for_people, read

log = logging.getLogger(__name__)

#: Seconds after which fal deletes what we upload and what it makes; a bot may be down for some days.
KEEP_SECONDS = 7 * 24 * 3600
#: Pages of 100 requests that are searched for a lost one.
_MOST_PAGES = 10
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ABOUT_CONTENT = ("content_policy_violation", "nsfw")

ModelT = TypeVar("ModelT", bound=BaseModel)


class FalSettings(BaseModel):
    """How to reach fal; the addresses are for tests and proxies."""

    model_config = ConfigDict(frozen=True)

    key: SecretStr = Field(description="A key with the scope API, from fal.ai/dashboard/keys.")
    queue_url: str = Field(default="https://queue.fal.run", description="Where its queue is.")
    rest_url: str = Field(default="https://rest.fal.ai", description="Where its storage and its webhooks' keys are.")
    platform_url: str = Field(default="https://api.fal.ai/v1", description="Where its platform API is, with /v1.")
    timeout_seconds: float = Field(default=60.0, gt=0, description="How long any call but an upload may take.")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Submitted(_Lenient):
    request_id: str


class FalLog(_Lenient):
    """One line that a runner printed."""

    message: str = ""


class FalMetrics(_Lenient):
    """What a request took."""

    #: Seconds.
    inference_time: float | None = None


class FalStatus(_Lenient):
    """Where a request stands."""

    status: str
    queue_position: int | None = None
    logs: list[FalLog] | None = None
    error: str | None = None
    error_type: str | None = None
    metrics: FalMetrics | None = None


class FalOutcome(_Lenient):
    """What came of a request that has ended: its output, or why there is none."""

    ok: bool
    body: Any = None
    #: fal's word for the failure, such as `request_timeout`; empty if there is none.
    error_type: str = ""


class _PastRequest(_Lenient):
    request_id: str
    json_input: Any = None


class _PastRequests(_Lenient):
    items: list[_PastRequest]
    next_cursor: str | None = None


class _Price(_Lenient):
    endpoint_id: str


class _Prices(_Lenient):
    prices: list[_Price] = Field(default_factory=list)


class FalApi:
    """Speaks to fal through the session that it is given.

    The URLs of a request are put together here and not taken from answers, so that the key goes to fal alone.
    """

    def __init__(self, settings: FalSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session

    async def submit(
        self, endpoint: str, inputs: Mapping[str, Any], *, webhook: str | None = None, hide: Sequence[str] = ()
    ) -> str:
        """Send the paid call, once, and return the request's id.

        Raises:
            SubmitUnsure: it may have been accepted.
        """
        url = URL(f"{self._settings.queue_url}/{endpoint}")
        url = url.update_query(fal_webhook=webhook) if webhook else url
        headers = {"X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": KEEP_SECONDS})}
        try:
            async with self._session.post(url, json=inputs, **self._how(headers)) as answer:
                if not 200 <= answer.status < 300:
                    raise await refusal(answer, paid=True, hide=hide)
                request_id = _Submitted.model_validate_json(await answer.read()).request_id
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Unavailable("{provider} can't be reached.", values={"provider": "fal"}) from None
        except ValidationError:
            raise SubmitUnsure(
                "{provider} accepted the order, but its answer can't be read.", values={"provider": "fal"}
            ) from None
        except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            raise SubmitUnsure(
                "{provider} was sent the order, and its answer did not come.", values={"provider": "fal"}
            ) from None
        if not _REQUEST_ID.fullmatch(request_id):
            raise SubmitUnsure(
                "{provider} accepted the order under an id that can't be one.", values={"provider": "fal"}
            )
        return request_id

    async def status(self, endpoint: str, request_id: str) -> FalStatus:
        """Return where a request stands, with all that its runner printed.

        Raises:
            NotFound: fal does not know it (any more).
        """
        url = self._request_url(endpoint, request_id) / "status"
        return await self._get(url.update_query(logs="1"), FalStatus)

    async def outcome(self, endpoint: str, request_id: str) -> FalOutcome:
        """Return what came of a request that has ended; its own failure is an outcome, fal's trouble an error."""
        url = self._request_url(endpoint, request_id)

        async def once() -> FalOutcome:
            async with spoken(), self._session.get(url, **self._how()) as answer:
                raw = await answer.read()
                if answer.status == 200:
                    return FalOutcome(ok=True, body=_json(raw))
                body, kind = _json(raw, lenient=True), answer.headers.get("X-Fal-Error-Type", "")
                told = isinstance(body, Mapping) and "detail" in body
                kind = kind or (str(body.get("error_type") or "") if isinstance(body, Mapping) else "")
                if kind or (told and answer.status == 422):
                    return FalOutcome(ok=False, body=body, error_type=kind)
                raise error_for(answer.status, provider="fal", headers=answer.headers)

        return await read(once)

    async def cancel(self, endpoint: str, request_id: str) -> None:
        """Ask for the end of a request; one that has ended, or that is unknown, is fine."""
        url = self._request_url(endpoint, request_id) / "cancel"

        async def once() -> None:
            async with spoken(), self._session.put(url, **self._how()) as answer:
                # 400 says ALREADY_COMPLETED, 404 NOT_FOUND.
                if answer.status >= 300 and answer.status not in {400, 404}:
                    raise await refusal(answer)

        await read(once)

    async def forget(self, request_id: str) -> None:
        """Delete a request's inputs and outputs at fal; unknown ones are fine."""
        url = URL(f"{self._settings.platform_url}/models/requests/{_checked(request_id)}/payloads")

        async def once() -> None:
            async with spoken(), self._session.delete(url, **self._how()) as answer:
                if answer.status in {401, 403}:
                    log.warning("fal's key may not delete inputs and outputs; fal does so after %d s", KEEP_SECONDS)
                elif answer.status >= 300 and answer.status not in {400, 404, 409}:
                    raise await refusal(answer)

        await read(once)

    async def past(self, endpoint: str, since: datetime) -> AsyncIterator[tuple[str, Any]]:
        """Yield ids and inputs of requests that were sent at or after `since`."""
        url = URL(f"{self._settings.platform_url}/models/requests/by-endpoint").with_query(
            endpoint_id=endpoint, start=(since - timedelta(seconds=60)).isoformat(), expand="payloads", limit="100"
        )
        for _ in range(_MOST_PAGES):
            page = await self._get(url, _PastRequests)
            for item in page.items:
                yield item.request_id, item.json_input
            if not page.next_cursor:
                return
            url = url.update_query(cursor=page.next_cursor)

    async def priced(self, endpoints: Sequence[str]) -> frozenset[str]:
        """Return which of these endpoints fal has a price for now; free, and only for a valid key."""
        url = URL(f"{self._settings.platform_url}/models/pricing").with_query(endpoint_id=",".join(endpoints))
        return frozenset(price.endpoint_id for price in (await self._get(url, _Prices)).prices)

    def _request_url(self, endpoint: str, request_id: str) -> URL:
        return URL(f"{self._settings.queue_url}/{app_of(endpoint)}/requests/{_checked(request_id)}")

    async def _get(self, url: URL, model: type[ModelT]) -> ModelT:
        async def once() -> ModelT:
            async with spoken(), self._session.get(url, **self._how()) as answer:
                return await parsed(answer, model)

        return await read(once)

    def _how(self, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        return how(self._settings, headers)


def how(settings: FalSettings, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what every call to fal itself is made with, the key among it."""
    return {
        "headers": {"Authorization": f"Key {settings.key.get_secret_value()}", **(headers or {})},
        "allow_redirects": False,
        "timeout": aiohttp.ClientTimeout(total=settings.timeout_seconds, sock_connect=15),
    }


@asynccontextmanager
async def spoken() -> AsyncIterator[None]:
    """Turn aiohttp's errors of a free call into ours, without the URL that they name."""
    try:
        yield
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        raise Unavailable("{provider} can't be reached.", values={"provider": "fal"}) from None


def _checked(request_id: str) -> str:
    if not _REQUEST_ID.fullmatch(request_id):
        raise NotFound("{provider} doesn't know this job.", values={"provider": "fal"})
    return request_id


async def parsed(answer: aiohttp.ClientResponse, model: type[ModelT]) -> ModelT:
    """Return what an answer says, or raise what its refusal means."""
    if not 200 <= answer.status < 300:
        raise await refusal(answer)
    try:
        return model.model_validate_json(await answer.read())
    except ValidationError:
        raise UnexpectedAnswer("{provider}'s answer can't be read.", values={"provider": "fal"}) from None


async def refusal(answer: aiohttp.ClientResponse, *, paid: bool = False, hide: Sequence[str] = ()) -> ProviderError:
    """Return the error that an answer means."""
    body = _json(await answer.read(), lenient=True)
    if 400 <= answer.status < 500 and is_about_content(body):
        return ContentRejected("fal's rules forbid the photos or the prompt.")
    detail = fit_for_people(said(body), hide=hide)
    return error_for(answer.status, provider="fal", detail=detail, headers=answer.headers, paid=paid)


def _json(raw: bytes, *, lenient: bool = False) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        if lenient:
            return None
        raise UnexpectedAnswer("{provider}'s answer can't be read.", values={"provider": "fal"}) from None


def said(body: object) -> str:
    """Return the words of an error: a text under `detail`, or a list of what is wrong where, without the inputs."""
    detail = body.get("detail", "") if isinstance(body, Mapping) else ""
    if isinstance(detail, str):
        return detail
    if not isinstance(detail, list):
        return ""
    wrong = [one for one in detail if isinstance(one, Mapping)]
    return "; ".join(f"{'.'.join(map(str, one.get('loc') or []))}: {one.get('msg', '')}" for one in wrong)


def is_about_content(body: object) -> bool:
    """Tell whether an error is about what is in photos or prompts; its type decides, as fal asks for."""
    detail = body.get("detail") if isinstance(body, Mapping) else None
    kinds = [str(one.get("type")) for one in detail if isinstance(one, Mapping)] if isinstance(detail, list) else []
    return any(word in kind for kind in kinds for word in _ABOUT_CONTENT)
