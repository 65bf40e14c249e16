"""Owns what fal's trainers and image maker have in common: all of a job's life but its order and its output.

fal's list of past requests is documented for those that have ended; whether it shows a waiting one is not. So `find`
adopts what it sees there, by the inputs that were sent, and `findable` is false: a None proves nothing.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import aiohttp
from pydantic import ValidationError

from providers.artifacts import Artifacts
from providers.base import (
    FileLinks,
    Health,
    ImageOrder,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
    TrainingOrder,
    WebhookHint,
)
from providers.errors import ArtifactBroken, NotFound, ProviderError, Refused
from providers.fal.api import FalApi, FalOutcome, FalSettings, FalStatus, is_about_content, said
from providers.fal.storage import FalStorage
from providers.fal.webhooks import FalWebhooks
from providers.http import fit_for_people
from providers.prices import PriceList
from providers.wording import Sentence, Value

OrderT = TypeVar("OrderT", TrainingOrder, ImageOrder)
OutputT = TypeVar("OutputT")


class FalAdapter(ABC, Generic[OrderT, OutputT]):
    """What fal's trainers and its image maker have in common: all but their orders and outputs.

    Args:
        settings: The key and where to find fal.
        session: What fal is spoken to with; owned by the caller.
        links: Where fal can fetch files of ours; without it they are uploaded to fal's storage.
        webhook: The https URL that fal tells about an end; without it jobs are polled only.
        artifacts: How files are fetched, by default from the open internet alone.
        prices: What the operator knows better than our table.
    """

    def __init__(
        self,
        settings: FalSettings,
        session: aiohttp.ClientSession,
        *,
        links: FileLinks | None = None,
        webhook: str | None = None,
        artifacts: Artifacts | None = None,
        prices: PriceList | None = None,
    ) -> None:
        self._api = FalApi(settings, session)
        self._storage = FalStorage(settings, session)
        self._webhooks = FalWebhooks(session, f"{settings.rest_url}/.well-known/jwks.json")
        self._links = links
        self._webhook = webhook
        self._artifacts = artifacts or Artifacts()
        self._prices = prices or PriceList()

    @property
    @abstractmethod
    def title(self) -> str:
        """Return the name for people."""

    async def check(self) -> Health:
        """Ask for prices, which is free and needs a valid key."""
        try:
            priced = await self._api.priced(self._endpoints)
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        gone = [endpoint for endpoint in self._endpoints if endpoint not in priced]
        if gone:
            what = {"provider": self.title, "what": ", ".join(gone)}
            return Health(
                ok=False, wording=Sentence("{provider} no longer offers {what}. Update Darkroom.", values=what)
            )
        what = {"provider": self.title, "what": ", ".join(self._endpoints)}
        return Health(ok=True, wording=Sentence("{provider} answers and offers {what}.", values=what))

    async def prepare(self, order: OrderT) -> Prepared:
        """Bring the order's files to where fal can fetch them."""
        self._refuse_unfit(order)
        urls = list(await self._urls(order))
        endpoint, inputs = self._request(order, urls)
        # What `find` needs to know the request again, without its prompt.
        known = {"keys": sorted(inputs), "digest": _digest(inputs)}
        return {"marker": order.marker, "endpoint": endpoint, "urls": urls, "usd": self._usd(order), **known}

    async def submit(self, order: OrderT, prepared: Prepared) -> str:
        """Send the one paid call."""
        self._refuse_unfit(order)
        endpoint, inputs = self._request(order, prepared["urls"])
        return await self._api.submit(endpoint, inputs, webhook=self._webhook, hide=self._hidden(order))

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look among the requests that fal lists for one with these inputs; None proves nothing, see the module."""
        if marker != prepared.get("marker"):
            return None
        keys, digest = list(prepared["keys"]), prepared["digest"]
        async for request_id, inputs in self._api.past(prepared["endpoint"], since):
            if isinstance(inputs, Mapping) and _digest({key: inputs.get(key) for key in keys}) == digest:
                return request_id
        return None

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Look at the request; once it has ended, at what came of it."""
        snapshot, _ = await self._look(remote_id, prepared)
        return snapshot

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Take the request out of the queue, or ask its runner to stop, which the runner may take its time for."""
        await self._api.cancel(prepared["endpoint"], remote_id)

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> OutputT:
        """Fetch what was made."""
        snapshot, outcome = await self._look(remote_id, prepared)
        if snapshot.state is not RemoteState.SUCCEEDED or outcome is None:
            raise Refused("This job has no result to collect.", advice="Wait until it is done.")
        try:
            return await self._gather(outcome.body, prepared, into)
        except ValidationError:
            raise ArtifactBroken("fal's result names no files.") from None

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Stop what still runs, and have inputs and outputs deleted; uploads go by themselves after a week."""
        if remote_id is None:
            return
        try:
            await self._api.cancel(prepared["endpoint"], remote_id)
            await self._api.forget(remote_id)
        except NotFound:
            return

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookHint:
        """Verify one delivery."""
        return await self._webhooks.verify(headers, body)

    @property
    @abstractmethod
    def _endpoints(self) -> Sequence[str]:
        """Return all endpoints that this adapter uses."""

    @abstractmethod
    def _refuse_unfit(self, order: OrderT) -> None:
        """Raise Refused for an order that can't be done."""

    @abstractmethod
    async def _urls(self, order: OrderT) -> Sequence[str]:
        """Return where fal can fetch the order's files."""

    @abstractmethod
    def _request(self, order: OrderT, urls: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
        """Return the endpoint and its inputs."""

    @abstractmethod
    def _usd(self, order: OrderT) -> float | None:
        """Return what it costs by our prices: fal doesn't tell."""

    @abstractmethod
    def _hidden(self, order: OrderT) -> Sequence[str]:
        """Return what no error may repeat."""

    @abstractmethod
    async def _gather(self, body: Any, prepared: Prepared, into: Path) -> OutputT:
        """Fetch the files of an output."""

    def _progress(self, status: FalStatus, prepared: Prepared) -> Progress:
        return Progress(phase="at work")

    async def _fetchable(self, path: Path, name: str, content_type: str) -> str:
        link = self._links.link(path, name=name) if self._links else None
        return link or await self._storage.upload(path, name=name, content_type=content_type)

    async def _look(self, remote_id: str, prepared: Prepared) -> tuple[Snapshot, FalOutcome | None]:
        status = await self._api.status(prepared["endpoint"], remote_id)
        if status.status == "COMPLETED" and not (status.error or status.error_type):
            outcome = await self._api.outcome(prepared["endpoint"], remote_id)
            return _ended(status, outcome, prepared), outcome
        match status.status:
            case "IN_QUEUE":
                waiting = Progress(phase="waiting", ahead=status.queue_position)
                seen = _seen(status, RemoteState.QUEUED, progress=waiting)
            case "IN_PROGRESS":
                seen = _seen(status, RemoteState.RUNNING, progress=self._progress(status, prepared))
            case "COMPLETED":
                seen = _failed(status, status.error_type or "", status.error or "")
            case _:
                seen = _seen(status, None)
        return seen, None


def _seen(status: FalStatus, state: RemoteState | None, **more: Any) -> Snapshot:
    return Snapshot(state=state, raw_state=status.status, **more)


def _ended(status: FalStatus, outcome: FalOutcome, prepared: Prepared) -> Snapshot:
    if outcome.ok:
        return _seen(status, RemoteState.SUCCEEDED, cost_usd=_cost(status, prepared))
    if is_about_content(outcome.body):
        return _failed(status, outcome.error_type, "", why=Sentence("its rules forbid the photos or the prompt"))
    return _failed(status, outcome.error_type, said(outcome.body))


def _cost(status: FalStatus, prepared: Prepared) -> float | None:
    """Return what an ended request cost, by what was reckoned before or by the seconds that it took."""
    a_second, took = prepared.get("usd_a_second"), status.metrics.inference_time if status.metrics else None
    if a_second is None or took is None:
        return prepared.get("usd")
    return round(float(a_second) * max(took, 0.0), 4)


def _failed(status: FalStatus, error_type: str, words: str, *, why: Value = "") -> Snapshot:
    """Return how a request ended that has no output; fal takes no money for its own failures."""
    raw = f"{status.status} ({fit_for_people(error_type)})" if error_type else status.status
    if "cancel" in error_type or "cancel" in words.lower():
        return Snapshot(state=RemoteState.CANCELED, raw_state=raw)
    why = why or fit_for_people(words).rstrip(".") or error_type.replace("_", " ") or Sentence("it gave no reason")
    state = RemoteState.EXPIRED if error_type.endswith("timeout") else RemoteState.FAILED
    return Snapshot(state=state, raw_state=raw, failure=Sentence("fal could not do it: {why}.", values={"why": why}))


def _digest(inputs: Mapping[str, Any]) -> str:
    """Return what tells inputs apart; a number is the same whether fal gives it back as 1 or as 1.0."""
    text = json.dumps(inputs, sort_keys=True, default=str)
    plain = json.dumps(json.loads(text, parse_int=float), sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
