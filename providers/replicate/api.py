"""Owns the wire to Replicate: one client, which errors its answers are, which calls are tried again; knows no order."""

import asyncio
import importlib
import json
from collections.abc import AsyncIterator, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from providers.errors import NotFound, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.http import error_for, fit_for_people, read
from providers.replicate.answers import Page, RemoteFile
from providers.replicate.settings import ReplicateSettings

if TYPE_CHECKING:
    from replicate.client import Client

PROVIDER = "Replicate"
#: Seconds that one call may take, and an upload of at most 100 MB.
CALL_SECONDS = 60.0
UPLOAD_SECONDS = 600.0
#: 100 entries each; a list that is longer than this is not read to its end.
MOST_PAGES = 50

#: Errors that come before anything of a request is sent.
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)

AnswerT = TypeVar("AnswerT", bound=BaseModel)


class ReplicateApi:
    """Speaks to Replicate; `close` it when the event loop ends.

    Args:
        settings: Whose account, and where.
        call_seconds: How long one call may take.
    """

    def __init__(self, settings: ReplicateSettings, *, call_seconds: float = CALL_SECONDS) -> None:
        self._settings = settings
        self._call_seconds = call_seconds
        self._client: Client | None = None

    async def close(self) -> None:
        """Close what connections are open; the next call opens new ones."""
        if self._client is not None:
            client, self._client = self._client, None
            await client._async_client.aclose()  # noqa: SLF001 - see _wire

    async def get(self, path: str, answer: type[AnswerT], params: Mapping[str, str] | None = None) -> AnswerT:
        """Read one thing, again when that may help.

        Raises:
            NotFound: it isn't there.
        """
        return self.parsed(answer, await read(lambda: self._call("GET", path, params=params)))

    async def find(self, path: str, answer: type[AnswerT]) -> AnswerT | None:
        """Read one thing that may not be there."""
        try:
            return await self.get(path, answer)
        except NotFound:
            return None

    async def entries(self, path: str, params: Mapping[str, str] | None = None) -> AsyncIterator[Any]:
        """Yield the entries of a list, unread, the newest first.

        Raises:
            Unavailable: the list is too long to be read to its end.
        """
        page = await self.get(path, Page, params)
        for _ in range(MOST_PAGES):
            for entry in page.results:
                yield entry
            if not page.next:
                return
            page = await self.get(self._own_path(page.next), Page)
        raise Unavailable("Replicate's list of jobs is too long to be read to its end.")

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Make a call that costs nothing, once."""
        return await self._call("POST", path, json=body)

    async def delete(self, path: str) -> None:
        """Remove something that may be gone already."""
        try:
            await read(lambda: self._call("DELETE", path))
        except NotFound:
            return

    async def order(self, path: str, body: Mapping[str, Any], *, hide: Collection[str]) -> str:
        """Make the one paid call, once, and return the id of the job.

        Args:
            path: Where.
            body: What.
            hide: Words of the person that an error must not repeat.

        Raises:
            SubmitUnsure: it may have been accepted.
        """
        job = await self._call("POST", path, json=body, paid=True, hide=hide)
        remote_id = job.get("id") if isinstance(job, dict) else None
        if isinstance(remote_id, str) and remote_id:
            return remote_id
        raise SubmitUnsure("Replicate answered the order without saying its number.")

    async def upload(self, file: Path, *, name: str, metadata: Mapping[str, str]) -> RemoteFile:
        """Upload a zip, once.

        Raises:
            Refused: it is too large.
        """
        content = await asyncio.to_thread(file.open, "rb")
        try:
            parts = {
                "content": (name, content, "application/zip"),
                "metadata": (None, json.dumps(dict(metadata)), "application/json"),
            }
            answer = await self._call("POST", "/v1/files", files=parts, seconds=UPLOAD_SECONDS)
        finally:
            await asyncio.to_thread(content.close)
        return self.parsed(RemoteFile, answer)

    @staticmethod
    def parsed(answer: type[AnswerT], body: Any) -> AnswerT:
        """Read an answer.

        Raises:
            UnexpectedAnswer: it lacks what its documentation promises.
        """
        try:
            return answer.model_validate(body)
        except ValidationError as error:
            places = ", ".join(sorted({".".join(map(str, one["loc"])) for one in error.errors()}))
            raise UnexpectedAnswer(
                "Replicate's answer can't be read ({places}).", values={"places": places[:200]}
            ) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        paid: bool = False,
        hide: Collection[str] = (),
        seconds: float | None = None,
        **content: Any,
    ) -> Any:
        wire = await self._wire()
        try:
            async with asyncio.timeout(seconds or self._call_seconds):
                answer = await wire.request(method, path, **content)
        except _UNSENT:
            raise Unavailable("{provider} can't be reached.", values={"provider": "Replicate"}) from None
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            values = {"error": type(error).__name__}
            if paid:
                raise SubmitUnsure("Replicate didn't answer the order ({error}).", values=values) from None
            raise Unavailable("Replicate didn't answer ({error}).", values=values) from None
        if not answer.is_success:
            detail = fit_for_people(_detail(answer), hide=[*hide, self._settings.token.get_secret_value()])
            raise error_for(answer.status_code, provider=PROVIDER, detail=detail, headers=answer.headers, paid=paid)
        if answer.status_code == 204 or not answer.content:
            return None
        try:
            return answer.json()
        except ValueError:
            unreadable = SubmitUnsure if paid else UnexpectedAnswer
            raise unreadable("{provider}'s answer can't be read.", values={"provider": "Replicate"}) from None

    async def _wire(self) -> httpx.AsyncClient:
        """Return the package's own httpx client, which knows the token, the address and the timeouts.

        We go under the package's models: in 1.0.7 they reject the documented status `aborted`, even of another job in a
        list, and a file's answer without the undocumented `name` and `etag`; they drop `metrics` and the headers of an
        error, with its Retry-After; and creating a prediction or a file switches the timeouts off. Its transport would
        try reads ten times and wait for as long as it is told, so it makes one attempt here and `providers.http.read`
        decides about the next.
        """
        if self._client is None:
            package = await asyncio.to_thread(importlib.import_module, "replicate")
            if self._client is None:
                timeout = httpx.Timeout(self._call_seconds, connect=10.0)
                token = self._settings.token.get_secret_value()
                self._client = package.Client(api_token=token, base_url=self._settings.base_url, timeout=timeout)
                self._client._async_client._transport.max_attempts = 1  # type: ignore[union-attr] # noqa: SLF001 - above
        return self._client._async_client  # noqa: SLF001 - above

    def _own_path(self, url: str) -> str:
        """Return the path of a next page; the token goes to no other host."""
        next_page, own = httpx.URL(url), httpx.URL(self._settings.base_url)
        if next_page.host and (next_page.host, next_page.port) != (own.host, own.port):
            raise UnexpectedAnswer("Replicate's list goes on at another place.")
        return next_page.raw_path.decode()


def _detail(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    return str(body.get("detail") or body.get("title") or "")
