"""Owns RunPod's serverless endpoints as a place that has machines: a job in the queue is one; never what runs in it.

The endpoint runs deploy/worker/handler.py. It is paid by the second that a worker is at work, and ends by itself. What
RunPod documents and what matters here: a job's results are kept for half an hour only, so the agent delivers them to
the bot; `executionTimeout` (10 minutes unless told) ends a job; `ttl` (24 hours unless told) removes it, running or
not, after which its status is a 404; no list of jobs is documented, so none is looked at. A job that was sent twice by
mischance is harmless: only one of the two can claim its lease.

Sources: docs.runpod.io/serverless/endpoints (operation reference, job states), read 2026-11-23; for the endpoint itself
and for prices, Runpod REST API 2.0.0.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.base import Health
from providers.errors import NotFound, ProviderError, SubmitUnsure, UnexpectedAnswer
from providers.gpu.box import BoxOrder, BoxPrice, BoxState, BoxStatus, BoxTerms, Ending, OwnedBox
from providers.gpu.rest import RestApi
from providers.gpu.runpod import BASE_URL, WITHOUT_TOKEN, said
from providers.prices import PriceList, Unit
from providers.wording import Sentence, in_turn

QUEUE_URL = "https://api.runpod.ai/v2"
_NEEDS_ENDPOINT = Sentence("Set RUNPOD_ENDPOINT_ID to one with our worker; docs/providers.md says how to make it.")
#: Beyond the agent's own time, so that RunPod ends only what the agent could not; in seconds.
_SPARE_SECONDS = 600.0
#: How long a job may wait for a worker, in seconds.
_QUEUE_SECONDS = 4 * 3600.0
#: The longest that RunPod takes for either limit, in seconds.
_MOST_SECONDS = 7 * 24 * 3600.0
#: The price that the operator can set in DARKROOM_PRICES.
PRICE_KEY = "runpod-serverless/worker"
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_STATES: Mapping[str, BoxState] = {
    "IN_QUEUE": BoxState.STARTING,
    "IN_PROGRESS": BoxState.RUNNING,
    "RUNNING": BoxState.RUNNING,
    "COMPLETED": BoxState.ENDED,
    "FAILED": BoxState.ENDED,
    "CANCELLED": BoxState.ENDED,
    "TIMED_OUT": BoxState.ENDED,
}
_UNKNOWN = Sentence("what the endpoint's workers cost is not known yet")
_FAILURES: Mapping[str, Sentence] = {
    "FAILED": Sentence("RunPod's worker broke down."),
    "CANCELLED": Sentence("It was stopped at RunPod."),
    "TIMED_OUT": Sentence("RunPod ended it: no worker was free in time, or it took too long."),
}


class RunPodServerlessSettings(BaseModel):
    """How to reach RunPod and which endpoint to use; the addresses are for tests and proxies."""

    model_config = ConfigDict(frozen=True)

    key: SecretStr = Field(description="A key that may use the endpoint.")
    endpoint: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The id of an endpoint with our worker.")
    queue_url: str = Field(default=QUEUE_URL, description="Where endpoints take jobs, with /v2.")
    base_url: str = Field(default=BASE_URL, description="Where its REST API is, with /v2.")
    timeout_seconds: float = Field(default=60.0, gt=0, description="How long any call may take.")
    hf_token: SecretStr | None = Field(default=None, description="For weights at Hugging Face that are gated.")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Job(_Lenient):
    id: str = ""
    status: str


class _Taken(_Job):
    id: str


class _Gpu(_Lenient):
    pools: list[str] = Field(default_factory=list)
    count: int = 1


class _Workers(_Lenient):
    max: int = 1


class _Endpoint(_Lenient):
    name: str
    gpu: _Gpu | None = None
    workers: _Workers = Field(default_factory=_Workers)


class _Rates(_Lenient):
    serverless: float | None = None


class _GpuType(_Lenient):
    pool: str | None = None
    price: _Rates


class _GpuTypes(_Lenient):
    gpus: list[_GpuType]


class RunPodServerless:
    """Sends jobs to one endpoint at RunPod.

    Args:
        settings: The key, and which endpoint.
        session: What RunPod is spoken to with; owned by the caller.
        prices: What the operator knows better than RunPod's catalogue.
    """

    name = "runpod-serverless"
    title = "RunPod serverless"

    def __init__(
        self, settings: RunPodServerlessSettings, session: aiohttp.ClientSession, *, prices: PriceList | None = None
    ) -> None:
        self._settings = settings
        self._prices = prices or PriceList()
        how: dict[str, Any] = {
            "provider": self.title,
            "key": settings.key,
            "session": session,
            "said": said,
            "timeout_seconds": settings.timeout_seconds,
        }
        self._queue = RestApi(base_url=f"{settings.queue_url}/{settings.endpoint}", **how)
        self._rest = RestApi(base_url=settings.base_url, **how)
        #: What the catalogue said last of the endpoint's workers, low and high; only ever an estimate.
        self._listed: tuple[float, float] | None = None

    @property
    def terms(self) -> BoxTerms:
        """Return what it declares."""
        return BoxTerms(
            settle_seconds=60,
            # In the queue, it waits for a worker to be free.
            start_seconds=_QUEUE_SECONDS,
            poll_seconds=10,
            ending=Ending.EXIT,
            notice="Photos go to a worker of this bot's own endpoint at RunPod.",
        )

    def price(self) -> BoxPrice:
        """Return what the operator set, or what the catalogue said of the endpoint's workers."""
        price = self._prices.find(PRICE_KEY, Unit.HOUR)
        if price is not None:
            return BoxPrice(low_usd=price.usd, high_usd=price.usd, basis=price.basis)
        if self._listed is None:
            return BoxPrice(low_usd=0.0, high_usd=0.0, basis=_UNKNOWN)
        low, high = self._listed
        ends = {"low": f"{low:g}", "high": f"{high:g}"}
        basis = Sentence("${low} to ${high} per hour (RunPod's catalogue)", values=ends)
        return BoxPrice(low_usd=low, high_usd=high, basis=basis)

    async def check(self) -> Health:
        """Look at the endpoint, its queue and its price, which is free and needs a valid key."""
        try:
            endpoint = await self._rest.get(("serverless", self._settings.endpoint), _Endpoint)
            await self._queue.get(("health",), _Lenient)
            await self._learn_price(endpoint)
        except NotFound:
            unknown = Sentence(
                "{provider} knows no endpoint {endpoint}.",
                values={"provider": self.title, "endpoint": self._settings.endpoint},
            )
            return Health(ok=False, wording=in_turn([unknown, _NEEDS_ENDPOINT]))
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        if endpoint.workers.max < 1:
            none = "The endpoint {endpoint} may have no workers. Raise that at RunPod."
            return Health(ok=False, wording=Sentence(none, values={"endpoint": endpoint.name}))
        answers = Sentence(
            "{provider} answers; the endpoint {endpoint} takes jobs.",
            values={"provider": self.title, "endpoint": endpoint.name},
        )
        more = [] if self._settings.hf_token is not None else [WITHOUT_TOKEN]
        return Health(ok=True, wording=in_turn([answers, *more]))

    async def create(self, order: BoxOrder) -> str:
        """Put one job into the endpoint's queue."""
        token = self._settings.hf_token
        env = {**order.env, **({"HF_TOKEN": token.get_secret_value()} if token else {})}
        limit = min(order.max_seconds + _SPARE_SECONDS, _MOST_SECONDS)
        body = {
            "input": {"name": order.name, "env": env, "script": order.script},
            "policy": {
                "executionTimeout": round(limit * 1000),
                "ttl": round(min(limit + _QUEUE_SECONDS, _MOST_SECONDS) * 1000),
            },
        }
        secrets = [*(value for value in env.values() if len(value) > 7), order.script]
        reply = await self._queue.order(("run",), body, hide=secrets)
        if not reply.ok:
            raise reply.error(paid=True)
        try:
            job_id = reply.parsed(_Taken).id
        except UnexpectedAnswer:
            raise SubmitUnsure("RunPod accepted the job, but its answer can't be read.") from None
        if not _ID.fullmatch(job_id):
            raise SubmitUnsure("RunPod accepted the job under an id that can't be one.")
        return job_id

    async def find(self, name: str) -> str | None:
        """Return None: RunPod documents no list of jobs; whoever has claimed the lease tells its id to the bot."""
        return None

    async def status(self, box_id: str) -> BoxStatus:
        """Take one look."""
        try:
            if not _ID.fullmatch(box_id):
                raise NotFound("{provider} doesn't know this job.", values={"provider": "RunPod"})
            job = await self._queue.get(("status", box_id), _Job)
        except NotFound:
            return BoxStatus(state=BoxState.GONE, raw_state="unknown")
        return BoxStatus(state=_STATES.get(job.status), raw_state=job.status, failure=_FAILURES.get(job.status))

    async def destroy(self, box_id: str) -> None:
        """Take the job out of the queue, or stop its worker."""
        if not _ID.fullmatch(box_id):
            return
        reply = await self._queue.change("POST", ("cancel", box_id))
        if not reply.ok and reply.status not in {404, 410}:
            raise reply.error()

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return nothing: workers end by themselves, and jobs can't be listed."""
        return ()

    async def _learn_price(self, endpoint: _Endpoint) -> None:
        if endpoint.gpu is None:
            return
        kinds = (await self._rest.get(("catalog", "gpus"), _GpuTypes)).gpus
        rates = [kind.price.serverless for kind in kinds if kind.pool in endpoint.gpu.pools]
        known = [rate * endpoint.gpu.count for rate in rates if rate]
        self._listed = (min(known), max(known)) if known else None
