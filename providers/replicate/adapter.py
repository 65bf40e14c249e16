"""Owns what Replicate's trainer and image maker have in common: all of a job's life but its order and its output."""

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import SecretStr, ValidationError

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
from providers.errors import NotFound, ProviderError, Refused, SubmitUnsure
from providers.http import fit_for_people
from providers.prices import PriceList, Unit
from providers.replicate.answers import Account, Model, RemoteJob, Version, WebhookSecret
from providers.replicate.api import ReplicateApi
from providers.replicate.settings import ReplicateSettings
from providers.replicate.webhooks import verified_hint
from providers.wording import Sentence, Wording, in_turn

log = logging.getLogger(__name__)

OrderT = TypeVar("OrderT", TrainingOrder, ImageOrder)

_STATES: Mapping[str, RemoteState] = {
    "starting": RemoteState.QUEUED,
    "processing": RemoteState.RUNNING,
    "succeeded": RemoteState.SUCCEEDED,
    "failed": RemoteState.FAILED,
    "canceled": RemoteState.CANCELED,
    "aborted": RemoteState.EXPIRED,
}
_ACTIVE = frozenset({RemoteState.QUEUED, RemoteState.RUNNING})
_GONE = "Replicate doesn't have this job (any more)."

#: How far clocks may differ, and how long after `since` a call that was cut off may still have been accepted.
_SKEW = timedelta(minutes=1)
_LATEST_ACCEPTANCE = timedelta(minutes=3)

#: What an error of Replicate's models means to the person.
_HINTS: Mapping[str, Sentence] = {
    r"nsfw": Sentence("Replicate's filter kept back every picture; another prompt or seed may pass."),
    r"out of memory|cuda.*memory": Sentence("The GPU ran out of memory; a smaller resolution may pass."),
    r"no (data|images?) found|zip": Sentence("Replicate couldn't read the photos."),
    r"\bnan\b": Sentence("The training ran away; a lower learning rate may hold."),
}


class ReplicateAdapter(ABC, Generic[OrderT]):
    """A provider whose jobs are trainings or predictions at Replicate; `close` it at shutdown.

    Args:
        settings: What the operator set.
        links: Where Replicate can fetch files of ours; None without a public URL.
        artifacts: How its files are fetched.
        prices: What it charges.
        call_seconds: How long one call may take.
    """

    #: The name of this kind of job in its API: "trainings" or "predictions".
    kind: ClassVar[str]

    def __init__(
        self,
        settings: ReplicateSettings,
        *,
        links: FileLinks | None = None,
        artifacts: Artifacts | None = None,
        prices: PriceList | None = None,
        call_seconds: float = 60.0,
    ) -> None:
        self._settings = settings
        self._links = links
        self._artifacts = artifacts or Artifacts()
        self._prices = prices or PriceList()
        self._api = ReplicateApi(settings, call_seconds=call_seconds)
        self._asked_secret: SecretStr | None = None

    @property
    def name(self) -> str:
        """Return the short name."""
        return "replicate"

    @property
    def title(self) -> str:
        """Return the name for people."""
        return "Replicate"

    async def close(self) -> None:
        """Close the connections; the adapter can be used again."""
        await self._api.close()

    async def check(self) -> Health:
        """Read the account and what the jobs run on."""
        try:
            account = await self._api.get("/v1/account", Account)
            able = await self._able()
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        signed_in = Sentence("Signed in to Replicate as {name}.", values={"name": account.username})
        return Health(ok=True, wording=in_turn([signed_in, able]))

    async def submit(self, order: OrderT, prepared: Prepared) -> str:
        """Send what `prepare` has checked."""
        self._refuse_unfit(order)
        body = {**self._destination_of(prepared), "input": dict(prepared["input"])}
        if self._settings.webhook_url:
            body |= {"webhook": self._settings.webhook_url, "webhook_events_filter": ["start", "completed"]}
        hide = [*_words(prepared), *self._trigger_words(order)]
        return await self._api.order(prepared["path"], body, hide=hide)

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        """Look through the jobs since then for one with the very inputs of this order.

        Raises:
            SubmitUnsure: a job of that moment is there whose inputs Replicate has removed (it does after an hour).
        """
        if not marker or prepared.get("marker") != marker:
            return None
        nameless = False
        async for job in self._jobs_since(since - _SKEW):
            if job.input and self._is_ours(job, prepared):
                return job.id
            created = job.created_at or since
            nameless |= not job.input and created <= since + _LATEST_ACCEPTANCE and self._may_be_ours(job, prepared)
        if nameless:
            advice = "The operator has to look at replicate.com/trainings or /predictions which job this was."
            raise SubmitUnsure("Replicate has removed the inputs of a job that may be this one.", advice=advice)
        return None

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        """Read the job."""
        job = await self._job(remote_id)
        state = _STATES.get(job.status)
        return Snapshot(
            state=state,
            raw_state=job.status[:60],
            progress=self._progress(job, prepared) if state is RemoteState.RUNNING else None,
            failure=_failure(state, job, prepared),
            cost_usd=self._cost(job, prepared),
        )

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        """Stop the job; what it ran until then is charged."""
        try:
            await self._api.post(f"/v1/{self.kind}/{_checked(remote_id)}/cancel")
        except Refused as error:
            # It has just ended, or a cancel is under way already: the next poll tells.
            log.info("Replicate refused to cancel %s: %s", remote_id, error)

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        """Stop what still runs and remove what was uploaded; Replicate has no call to delete a job itself."""
        if remote_id is not None:
            try:
                job = await self._job(remote_id)
            except NotFound:
                job = None
            if job is not None and _STATES.get(job.status, RemoteState.RUNNING) in _ACTIVE:
                await self.cancel(remote_id, prepared)
            if job is not None:
                await self._forget(job)
        if prepared.get("file_id"):
            await self._api.delete(f"/v1/files/{prepared['file_id']}")

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookHint:
        """Verify a message; the signing secret is asked of the API once, unless it is set."""
        secret = self._settings.webhook_secret or self._asked_secret
        if secret is None:
            answer = await self._api.get("/v1/webhooks/default/secret", WebhookSecret)
            secret = self._asked_secret = SecretStr(answer.key)
        return verified_hint(headers, body, secret=secret.get_secret_value(), now=datetime.now(UTC))

    @abstractmethod
    async def _able(self) -> Wording:
        """Return in some words what it can do now; raises when it can't."""

    @abstractmethod
    def _refuse_unfit(self, order: OrderT) -> None:
        """Raise Refused for an order that can't be done, without asking anybody."""

    @abstractmethod
    def _trigger_words(self, order: OrderT) -> Sequence[str]:
        """Return the trigger words, which no error may repeat."""

    @abstractmethod
    def _is_ours(self, job: RemoteJob, prepared: Prepared) -> bool:
        """Tell by its inputs whether a job is the one that was prepared."""

    def _may_be_ours(self, job: RemoteJob, prepared: Prepared) -> bool:
        return job.version is None or prepared.get("version") in {None, job.version}

    @abstractmethod
    def _cost(self, job: RemoteJob, prepared: Prepared) -> float | None:
        """Return what it cost, once that is known."""

    def _progress(self, job: RemoteJob, prepared: Prepared) -> Progress | None:
        return None

    def _destination_of(self, prepared: Prepared) -> dict[str, Any]:
        return {}

    async def _forget(self, job: RemoteJob) -> None:
        """Remove what the job left, where that is wanted."""

    async def _jobs_since(self, earliest: datetime) -> AsyncIterator[RemoteJob]:
        async for entry in self._api.entries(f"/v1/{self.kind}", self._since_filter(earliest)):
            try:
                job = RemoteJob.model_validate(entry)
            except ValidationError:
                continue
            if job.created_at is not None and job.created_at < earliest:
                return
            yield job

    def _since_filter(self, earliest: datetime) -> Mapping[str, str] | None:
        return None

    async def _job(self, remote_id: str) -> RemoteJob:
        try:
            return await self._api.get(f"/v1/{self.kind}/{_checked(remote_id)}", RemoteJob)
        except NotFound:
            raise NotFound(_GONE) from None

    async def _succeeded(self, remote_id: str) -> RemoteJob:
        job = await self._job(remote_id)
        if job.status != "succeeded":
            raise Refused("This job has no result to collect.", advice="Wait until it is done.")
        return job

    async def _version(self, model: str, version: str | None = None) -> Version:
        """Read a version of a model, by default its latest.

        Raises:
            Refused: there is no such model or version for this account.
        """
        try:
            if version is None:
                found = await self._api.get(f"/v1/models/{model}", Model)
                if found.latest_version is None:
                    raise NotFound(_GONE)
                version = found.latest_version.id
            return await self._api.get(f"/v1/models/{model}/versions/{version}", Version)
        except NotFound:
            advice = "The operator of this bot has to set another model or version."
            if not version:
                raise Refused(
                    "Replicate has no {model} for this account.", values={"model": model}, advice=advice
                ) from None
            raise Refused(
                "Replicate has no {model}, version {version}, for this account.",
                values={"model": model, "version": version[:8]},
                advice=advice,
            ) from None

    def _by_the_second(self, hardware: str, seconds: float | None) -> float | None:
        price = self._prices.find(f"replicate/{hardware}", Unit.SECOND)
        return round(price.usd * seconds, 4) if price is not None and seconds is not None else None


def _words(prepared: Prepared) -> list[str]:
    """Return the texts of an order, which no error may repeat; shorter ones are settings."""
    return [value for value in prepared.get("input", {}).values() if isinstance(value, str) and len(value) > 3]


def refuse_marker(marker: str) -> None:
    """Refuse a marker that can't be the name of a file."""
    if not re.fullmatch(r"[a-zA-Z0-9][\w.-]{0,100}", marker):
        raise Refused("The job's marker can't name a file.")


def _checked(remote_id: str) -> str:
    """Return an id that can stand in a path."""
    if not re.fullmatch(r"[a-zA-Z0-9]{1,64}", remote_id):
        raise NotFound(_GONE)
    return remote_id


def _failure(state: RemoteState | None, job: RemoteJob, prepared: Prepared) -> Sentence | None:
    if state is RemoteState.EXPIRED:
        return Sentence("Replicate ended it before it began; nothing was charged.")
    if state is not RemoteState.FAILED:
        return None
    said = job.error or ""
    for pattern, hint in _HINTS.items():
        if re.search(pattern, said, re.IGNORECASE):
            return hint
    detail = fit_for_people(said, hide=_words(prepared)).rstrip(".")
    if detail:
        return Sentence("Replicate says: {said}.", values={"said": detail})
    return Sentence("Replicate says that it failed, not why.")
