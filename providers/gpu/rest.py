"""Owns how a provider of machines is spoken to: JSON over one aiohttp session, with a bearer key; knows no provider.

Reads and deletions are tried again, an order is sent once. Answers become pydantic models, refusals `ProviderError`s.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, SecretStr, ValidationError
from yarl import URL

from providers.errors import ProviderError, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.http import error_for, fit_for_people, read

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Larger answers are not read: a list of machines stays far below.
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer that came whole."""

    provider: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)
    #: The provider's own words about a refusal, fit for people.
    words: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether it is a success."""
        return 200 <= self.status < 300

    def parsed(self, model: type[ModelT]) -> ModelT:
        """Return a success as this model.

        Raises:
            UnexpectedAnswer: it can't be read.
        """
        try:
            return model.model_validate_json(self.raw)
        except ValidationError:
            raise UnexpectedAnswer("{provider}'s answer can't be read.", values={"provider": self.provider}) from None

    def error(self, *, paid: bool = False) -> ProviderError:
        """Return what a refusal means."""
        return error_for(self.status, provider=self.provider, detail=self.words, headers=self.headers, paid=paid)


class RestApi:
    """Speaks to one provider through the session that it is given.

    Args:
        provider: Its name for people.
        base_url: What all paths are put behind; the key goes nowhere else.
        key: Sent as a bearer token.
        session: Owned by the caller.
        said: Return the words of an error's body, which is None when it is no JSON.
        timeout_seconds: How long one call may take.
    """

    def __init__(
        self,
        *,
        provider: str,
        base_url: str,
        key: SecretStr,
        session: aiohttp.ClientSession,
        said: Callable[[Any], str],
        timeout_seconds: float,
    ) -> None:
        self._provider = provider
        self._base = URL(base_url)
        self._key = key
        self._session = session
        self._said = said
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=min(15.0, timeout_seconds))

    async def get(self, path: Sequence[str], model: type[ModelT], **query: str) -> ModelT:
        """Return what is at this path; tried again when that may help."""

        async def once() -> ModelT:
            reply = await self._spoken("GET", path, query=query)
            if not reply.ok:
                raise reply.error()
            return reply.parsed(model)

        return await read(once)

    async def change(self, method: str, path: Sequence[str], body: Any = None) -> Reply:
        """Send a free call that may be sent twice, such as a deletion, and return whatever was answered.

        Raises:
            RateLimited: and other errors of a server that did not come to it, after some tries.
        """

        async def once() -> Reply:
            reply = await self._spoken(method, path, body=body)
            if reply.status == 429 or reply.status >= 500:
                raise reply.error()
            return reply

        return await read(once)

    async def order(self, path: Sequence[str], body: Any, *, hide: Sequence[str] = ()) -> Reply:
        """Send a call that costs money or leaves something behind, once, and return whatever was answered.

        Args:
            path: Below the base URL.
            body: Becomes JSON.
            hide: What no error may repeat.

        Raises:
            Unavailable: it surely never arrived.
            SubmitUnsure: nobody can tell.
        """
        try:
            return await self._sent("POST", path, body=body, hide=hide)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise Unavailable("{provider} can't be reached.", values={"provider": self._provider}) from None
        except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
            raise SubmitUnsure(
                "{provider} was sent the order, and its answer did not come.", values={"provider": self._provider}
            ) from None

    async def _spoken(
        self, method: str, path: Sequence[str], *, body: Any = None, query: Mapping[str, str] | None = None
    ) -> Reply:
        async with _reachable(self._provider):
            return await self._sent(method, path, body=body, query=query)

    async def _sent(
        self,
        method: str,
        path: Sequence[str],
        *,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        hide: Sequence[str] = (),
    ) -> Reply:
        url = self._base.joinpath(*path).update_query(query or {})
        headers = {"Authorization": f"Bearer {self._key.get_secret_value()}"}
        how: dict[str, Any] = {"headers": headers, "allow_redirects": False, "timeout": self._timeout}
        if body is not None:
            how["json"] = body
        async with self._session.request(method, url, **how) as answer:
            raw = await answer.content.read(_MOST_BYTES) if method == "GET" else await answer.read()
            words = "" if 200 <= answer.status < 300 else fit_for_people(self._said(_json(raw)), hide=hide)
            return Reply(
                provider=self._provider, status=answer.status, headers=dict(answer.headers), raw=raw, words=words
            )


@asynccontextmanager
async def _reachable(provider: str) -> AsyncIterator[None]:
    """Turn aiohttp's errors of a free call into ours, without the URL that they name."""
    try:
        yield
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        raise Unavailable("{provider} can't be reached.", values={"provider": provider}) from None


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None
