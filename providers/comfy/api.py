"""Owns how ComfyUI is spoken to over HTTP, and what its answers and failures mean; never keeps anything.

The shapes are those of ComfyUI 0.33.0 (2026-08-22: server.py, execution.py, comfy_execution/jobs.py). Its queue and its
history live in its memory: after a restart it knows nothing of what it was told before.
"""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from yarl import URL

from providers.errors import (
    ArtifactBroken,
    ProviderError,
    Refused,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.http import error_for, fit_for_people, read
from providers.wording import Sentence

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Before, POST /prompt chose the id itself (up to 0.3.44), and POST /interrupt stopped whatever ran (up to 0.3.56).
OLDEST = (0, 3, 57)
#: A queue of a thousand graphs has some megabytes.
MOST_ANSWER_BYTES = 64 * 1024 * 1024
MOST_PICTURE_BYTES = 40 * 1024 * 1024
_CHUNK = 256 * 1024


class ComfySettings(BaseModel):
    """How to reach ComfyUI."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(description="Its address, such as http://127.0.0.1:8188.")
    authorization: SecretStr | None = Field(
        default=None, description="The Authorization header that a proxy in front of it asks for."
    )
    timeout_seconds: float = Field(default=30.0, gt=0, description="How long a call may take.")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _System(_Lenient):
    comfyui_version: str


class _SystemStats(_Lenient):
    system: _System


class _Queue(_Lenient):
    #: Each an item (number, id, graph, …); a lower number goes first.
    queue_running: list[list[Any]] = Field(default_factory=list)
    queue_pending: list[list[Any]] = Field(default_factory=list)


class _Accepted(_Lenient):
    prompt_id: str


class ShownFile(_Lenient):
    """A picture as ComfyUI names it."""

    filename: str
    subfolder: str = ""
    type: str = "output"


class _Output(_Lenient):
    images: list[ShownFile] = Field(default_factory=list)


class _Status(_Lenient):
    status_str: str
    completed: bool = False
    #: Pairs of an event and what is told of it.
    messages: list[tuple[str, dict[str, Any]]] = Field(default_factory=list)


class Ended(_Lenient):
    """What ComfyUI's history tells of a job."""

    outputs: dict[str, _Output] = Field(default_factory=dict)
    status: _Status | None = None

    def told(self, event: str) -> Mapping[str, Any] | None:
        """Return what was told of an event, if it happened."""
        messages = self.status.messages if self.status else []
        return next((details for name, details in messages if name == event), None)


class Place(BaseModel):
    """Where a job stands in the queue."""

    running: bool
    #: Jobs that come before it, the running one included.
    ahead: int = 0


class Node(_Lenient):
    """What ComfyUI tells of one of its nodes."""

    #: By section ("required", "optional") and name: a list whose first entry is a type or a list of choices.
    input: dict[str, dict[str, list[Any]]] = Field(default_factory=dict)

    def choices(self, name: str) -> Sequence[Any] | None:
        """Return what an input can be chosen from, in either form that ComfyUI has for it; None for other inputs."""
        told = next((section[name] for section in self.input.values() if name in section), [])
        if told and isinstance(told[0], list):
            return told[0]
        if len(told) > 1 and told[0] == "COMBO" and isinstance(told[1], dict):
            options = told[1].get("options")
            return options if isinstance(options, list) else None
        return None


class ComfyApi:
    """Speaks to one ComfyUI through the session that it is given."""

    def __init__(self, settings: ComfySettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session

    async def version(self) -> str:
        """Return its version.

        Raises:
            Refused: it is too old to be used.
        """
        told = (await self._get("system_stats", _SystemStats)).system.comfyui_version
        numbers = tuple(map(int, re.findall(r"\d+", told)[:3]))
        if numbers < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            raise Refused(
                "ComfyUI {version} is too old.",
                values={"version": fit_for_people(told)},
                advice=Sentence("Update it to {oldest} or newer.", values={"oldest": oldest}),
            )
        return fit_for_people(told)

    async def node(self, kind: str) -> Node | None:
        """Return what it tells of a node; None when it has none of this kind."""
        raw = await self._read("GET", f"object_info/{kind}")
        told = raw.get(kind) if isinstance(raw, dict) else None
        return None if told is None else _validated(Node, told)

    async def loras(self) -> Sequence[Any]:
        """Return the names of the LoRAs that it sees."""
        node = await self.node("LoraLoader")
        return (node.choices("lora_name") if node else None) or ()

    async def submit(self, graph: Mapping[str, Any], prompt_id: str, *, hide: Sequence[str]) -> str:
        """Queue a graph, once, and return its id.

        Args:
            graph: The nodes by their ids.
            prompt_id: A UUID in its canonical form.
            hide: Words of the person that an error must not repeat.

        Raises:
            SubmitUnsure: it may have been queued.
        """
        body = {"prompt": graph, "prompt_id": prompt_id}
        try:
            async with self._session.post(self._url("prompt"), json=body, **self._how()) as answer:
                raw = await _body(answer)
                if answer.status != 200:
                    raise _refusal(answer, raw, hide=hide, paid=True)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise _unreachable() from None
        except (aiohttp.ClientError, OSError, UnexpectedAnswer):  # TimeoutError is an OSError
            raise SubmitUnsure(
                "{provider} was sent the order, and its answer did not come.", values={"provider": "ComfyUI"}
            ) from None
        try:
            return _Accepted.model_validate_json(raw).prompt_id
        except ValidationError:
            raise SubmitUnsure("ComfyUI answered the order in a way that can't be read.") from None

    async def place(self, prompt_id: str) -> Place | None:
        """Return where a job stands in the queue; None when it isn't there."""
        queue = await self._get("queue", _Queue)
        if any(item[1:2] == [prompt_id] for item in queue.queue_running):
            return Place(running=True)
        # The waiting ones come as a heap and not in their order.
        waiting = sorted((item for item in queue.queue_pending if len(item) > 1), key=_turn)
        number = next((n for n, item in enumerate(waiting) if item[1] == prompt_id), None)
        return None if number is None else Place(running=False, ahead=number + len(queue.queue_running))

    async def ended(self, prompt_id: str) -> Ended | None:
        """Return what the history tells of a job; None when it isn't there."""
        raw = await self._read("GET", f"history/{prompt_id}")
        told = raw.get(prompt_id) if isinstance(raw, dict) else None
        return None if told is None else _validated(Ended, told)

    async def stop(self, prompt_id: str) -> None:
        """Take a job out of the queue, or stop it while it is the one that runs; another one never is."""
        await self._send("queue", {"delete": [prompt_id]})
        await self._send("interrupt", {"prompt_id": prompt_id})

    async def forget(self, prompt_id: str) -> None:
        """Remove a job from the history, with its prompt."""
        await self._send("history", {"delete": [prompt_id]})

    async def fetch(self, file: ShownFile, to: Path) -> None:
        """Bring a picture; `to` appears only when all of it is there.

        Raises:
            ArtifactBroken: it is cut off, too large or gone.
        """
        part = to.with_name(f".{to.name}.part")
        url = self._url("view").with_query(filename=file.filename, subfolder=file.subfolder, type=file.type)
        try:
            async with _spoken(), self._session.get(url, **self._how()) as answer:
                if answer.status in {400, 403, 404}:
                    raise ArtifactBroken("ComfyUI no longer has a picture of this job.", advice="Order it again.")
                if answer.status != 200:
                    raise _refusal(answer, b"")
                await _written(answer, part)
            await asyncio.to_thread(part.replace, to)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def _get(self, path: str, model: type[ModelT]) -> ModelT:
        return _validated(model, await self._read("GET", path))

    async def _send(self, path: str, body: Mapping[str, Any]) -> None:
        await self._read("POST", path, json=body)

    async def _read(self, method: str, path: str, **what: Any) -> Any:
        """Make a call that may be made again; POSTs of this kind are the same however often they come."""

        async def once() -> bytes:
            async with _spoken(), self._session.request(method, self._url(path), **what, **self._how()) as answer:
                raw = await _body(answer)
                if answer.status != 200:
                    raise _refusal(answer, raw)
                return raw

        return _json(await read(once)) if method == "GET" else await read(once)

    def _url(self, path: str) -> URL:
        return URL(f"{self._settings.url.rstrip('/')}/{path}")

    def _how(self) -> dict[str, Any]:
        secret = self._settings.authorization
        return {
            "headers": {"Authorization": secret.get_secret_value()} if secret else {},
            "allow_redirects": False,
            "timeout": aiohttp.ClientTimeout(total=self._settings.timeout_seconds, sock_connect=10),
        }


def is_prompt_id(text: str) -> bool:
    """Tell whether ComfyUI takes this as an id: a UUID in lower case with hyphens."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _turn(item: Sequence[Any]) -> float:
    return item[0] if isinstance(item[0], int | float) else float("inf")


def _unreachable() -> Unavailable:
    return Unavailable("{provider} can't be reached.", values={"provider": "ComfyUI"})


@asynccontextmanager
async def _spoken() -> AsyncIterator[None]:
    try:
        yield
    except aiohttp.ClientPayloadError:
        raise ArtifactBroken("ComfyUI's answer was cut off on its way.") from None
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        raise _unreachable() from None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    raw = await answer.content.read(MOST_ANSWER_BYTES)
    while not answer.content.at_eof():
        if len(raw) >= MOST_ANSWER_BYTES:
            raise UnexpectedAnswer("ComfyUI's answer is too large.")
        raw += await answer.content.read(MOST_ANSWER_BYTES - len(raw))
    return raw


async def _written(answer: aiohttp.ClientResponse, part: Path) -> None:
    size = 0
    with await asyncio.to_thread(part.open, "wb") as file:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > MOST_PICTURE_BYTES:
                raise ArtifactBroken("A picture of ComfyUI's is too large.")
            await asyncio.to_thread(file.write, chunk)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        raise UnexpectedAnswer("{provider}'s answer can't be read.", values={"provider": "ComfyUI"}) from None


def _validated(model: type[ModelT], told: Any) -> ModelT:
    try:
        return model.model_validate(told)
    except ValidationError:
        raise UnexpectedAnswer("{provider}'s answer can't be read.", values={"provider": "ComfyUI"}) from None


def _refusal(
    answer: aiohttp.ClientResponse, raw: bytes, *, hide: Sequence[str] = (), paid: bool = False
) -> ProviderError:
    detail = fit_for_people(_said(raw), hide=hide)
    error = error_for(answer.status, provider="ComfyUI", detail=detail, headers=answer.headers, paid=paid)
    if isinstance(error, Refused):
        error.advice = "The operator of this bot has to look at `darkroom doctor` and at ComfyUI's log."
    return error


def _said(raw: bytes) -> str:
    """Return which nodes a refusal is about and why, without the values that they got; else its own sentence."""
    try:
        told = json.loads(raw)
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    nodes = told.get("node_errors")
    wrong = [one for one in nodes.values() if isinstance(one, dict)] if isinstance(nodes, dict) else []
    if wrong:
        return "; ".join(f"{one.get('class_type')}: {', '.join(_reasons(one))}" for one in wrong)
    error = told.get("error")
    return str(error.get("message", "")) if isinstance(error, dict) else str(error or "")


def _reasons(node: Mapping[str, Any]) -> Sequence[str]:
    errors = [one for one in node.get("errors", []) if isinstance(one, dict)]
    return [" ".join(filter(None, (str(one.get("message", "")), _input_of(one)))) for one in errors]


def _input_of(error: Mapping[str, Any]) -> str:
    extra = error.get("extra_info")
    name = extra.get("input_name") if isinstance(extra, dict) else None
    return f"({name})" if name else ""
