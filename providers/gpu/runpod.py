"""Owns RunPod's pods: containers with a GPU, rented by the second over REST v2; never what runs in one.

A create places one kind of GPU and does not look further, so the kinds are asked for one after the other, in the
operator's order, as RunPod documents it: 400 may be a lack of capacity and 403 a closed pool, which go on to the next
kind; 402 and 422 are the same for every kind; a 5xx or a silence says nothing, so nothing else may be asked for.

A container whose command ends is started again and billed on. So its command never ends: the agent deletes its own pod,
and what it can't delete sleeps until the bot does. There is no limit of a pod's life at RunPod's side.

Source: Runpod REST API 2.0.0 (api.runpod.io/v2/openapi.json), read 2026-11-23.
"""

import base64
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from providers.base import Health
from providers.errors import BadCredentials, NotFound, ProviderError, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.gpu.box import (
    NAME_PREFIX,
    BoxOrder,
    BoxPrice,
    BoxState,
    BoxStatus,
    BoxTerms,
    Ending,
    OwnedBox,
)
from providers.gpu.rest import Reply, RestApi
from providers.prices import PriceList, Unit
from providers.wording import Sentence, Value, in_a_row, in_turn

log = logging.getLogger(__name__)

BASE_URL = "https://api.runpod.io/v2"
#: What the operator should know who set no token for Hugging Face.
WITHOUT_TOKEN = Sentence("Set RUNPOD_HF_TOKEN to train FLUX.1 too.")
_BROKE_DOWN = Sentence("Its container broke down and can't be started again.")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: GB of memory of the kinds that have less than 24.
_SMALL: Mapping[str, int] = {
    "NVIDIA RTX A2000": 6,
    "NVIDIA GeForce RTX 3070": 8,
    "NVIDIA GeForce RTX 3080": 10,
    "NVIDIA GeForce RTX 3080 Ti": 12,
    "NVIDIA GeForce RTX 4070 Ti": 12,
    "NVIDIA GeForce RTX 4080": 16,
    "NVIDIA RTX A4000": 16,
    "NVIDIA RTX 2000 Ada Generation": 16,
    "NVIDIA RTX A4500": 20,
    "NVIDIA RTX 4000 Ada Generation": 20,
}
#: What is billed may be a rounding above what is listed.
_ROUNDING = 1.001
_STATES: Mapping[str, BoxState] = {
    "PROVISIONING": BoxState.STARTING,
    "STARTING": BoxState.STARTING,
    "RUNNING": BoxState.RUNNING,
    "EXITED": BoxState.ENDED,
    "ERROR": BoxState.ENDED,
    "TERMINATED": BoxState.GONE,
}


class RunPodSettings(BaseModel):
    """How to reach RunPod and which pods to rent; the address is for tests and proxies."""

    model_config = ConfigDict(frozen=True)

    key: SecretStr = Field(description="A key that may read and write pods.")
    base_url: str = Field(default=BASE_URL, description="Where its REST API is, with /v2.")
    timeout_seconds: float = Field(default=60.0, gt=0, description="How long any call may take.")
    gpus: tuple[str, ...] = Field(min_length=1, description="Kinds of GPU, the preferred first, as RunPod names them.")
    cloud: Literal["SECURE", "COMMUNITY"] = Field(default="SECURE", description="Whose machines.")
    most_usd_an_hour: float = Field(gt=0, description="Dearer pods are not rented.")
    image: str = Field(description="The image of the container; it has python3 and the engine.")
    disk_gb: int = Field(default=100, ge=1, description="The container's own disk; weights of FLUX take 35 GB.")
    volume: str = Field(default="", description="A network volume to mount, by its id; keeps weights between pods.")
    volume_path: str = Field(default="/workspace", description="Where it is mounted.")
    data_centers: tuple[str, ...] = Field(default=(), description="Where; anywhere when empty.")
    min_cuda: str = Field(default="", description="The lowest CUDA version of a host's driver; any when empty.")
    hf_token: SecretStr | None = Field(default=None, description="For weights at Hugging Face that are gated.")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Pod(_Lenient):
    id: str
    name: str = ""
    status: str
    #: US dollars an hour, now; 0 once it has stopped.
    cost: float | None = None
    created_at: datetime = Field(alias="createdAt")
    started_at: datetime | None = Field(default=None, alias="startedAt")


class _Pods(_Lenient):
    pods: list[_Pod]


class _Rates(_Lenient):
    secure: float
    community: float


class _GpuType(_Lenient):
    id: str
    name: str
    memory: int
    price: _Rates
    availability: str = ""


class _GpuTypes(_Lenient):
    gpus: list[_GpuType]


class RunPodPods:
    """Rents pods at RunPod.

    Args:
        settings: The key, and which pods.
        session: What RunPod is spoken to with; owned by the caller.
        prices: What is known before RunPod was asked for its prices, and what the operator knows better.
    """

    name = "runpod"
    title = "RunPod"

    def __init__(
        self, settings: RunPodSettings, session: aiohttp.ClientSession, *, prices: PriceList | None = None
    ) -> None:
        self._settings = settings
        self._prices = prices or PriceList()
        self._api = RestApi(
            provider=self.title,
            base_url=settings.base_url,
            key=settings.key,
            session=session,
            said=said,
            timeout_seconds=settings.timeout_seconds,
        )
        #: What the catalogue said last; only ever an estimate.
        self._listed: dict[str, float] = {}

    @property
    def terms(self) -> BoxTerms:
        """Return what it declares."""
        return BoxTerms(
            settle_seconds=60,
            # An image of 20 GB has to be pulled first, on a slow host.
            start_seconds=30 * 60,
            poll_seconds=10,
            ending=Ending.RUNPOD,
            notice="Photos go to a machine that is rented at RunPod for this training alone.",
            vram_gb=min(_SMALL.get(gpu, 24) for gpu in self._settings.gpus),
        )

    def price(self) -> BoxPrice:
        """Return what the kinds cost that are not too dear, by RunPod's last word or by the price list."""
        known = {gpu: self._known_price(gpu) for gpu in self._settings.gpus}
        fit = {
            gpu: usd for gpu, (usd, _) in known.items() if usd is not None and usd <= self._settings.most_usd_an_hour
        }
        if not fit:
            most = self._settings.most_usd_an_hour
            unknown = Sentence("no price is known; at most ${most} an hour is paid", values={"most": f"{most:g}"})
            return BoxPrice(low_usd=0.0, high_usd=most, basis=unknown)
        first = next(iter(fit))
        basis = Sentence("{kind}: {price}", values={"kind": first, "price": known[first][1]})
        return BoxPrice(low_usd=min(fit.values()), high_usd=max(fit.values()), basis=basis)

    async def check(self) -> Health:
        """Read the catalogue, which is free and needs a valid key."""
        try:
            kinds = await self._catalogue()
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        fit = self._fit(kinds)
        if not fit:
            values = {"names": ", ".join(self._settings.gpus), "usd": f"{self._settings.most_usd_an_hour:g}"}
            none = Sentence("RunPod lists none of {names} at up to ${usd} an hour.", values=values)
            return Health(ok=False, wording=none)
        answers = Sentence(
            "{provider} answers and offers {what}.", values={"provider": self.title, "what": self._told(fit)}
        )
        more = [] if self._settings.hf_token is not None else [WITHOUT_TOKEN]
        return Health(ok=True, wording=in_turn([answers, *more]))

    def _told(self, fit: Sequence[_GpuType]) -> Sentence:
        return in_a_row(
            [
                Sentence(
                    "{gpu} at ${usd} an hour ({stock})",
                    values={"gpu": kind.name, "usd": f"{self._rate(kind):.2f}", "stock": _stock(kind)},
                )
                for kind in fit
            ]
        )

    async def create(self, order: BoxOrder) -> str:
        """Ask for one kind of GPU after the other until one is there."""
        fit = self._fit(await self._catalogue())
        candidates = [kind for kind in fit if kind.availability != "NONE"]
        if not candidates:
            raise _nothing_free(
                Sentence(
                    "none of {kinds} is free at the price that was set",
                    values={"kinds": ", ".join(self._settings.gpus)},
                ),
                None,
            )
        refusal = None
        for kind in candidates:
            reply = await self._api.order(("pods",), self._body(order, kind.id), hide=self._secrets(order))
            if reply.ok:
                pod = _accepted(reply)
                if await self._is_affordable(pod, kind):
                    return pod.id
                continue
            if reply.status not in {400, 403}:
                raise reply.error(paid=True)
            log.info("RunPod has no %s for us (%d: %s)", kind.id, reply.status, reply.words)
            refusal = reply
        if refusal is not None and refusal.status == 403:
            raise BadCredentials(
                "{provider} doesn't let this account rent any of the GPUs that were set.",
                values={"provider": self.title},
            )
        raise _nothing_free(Sentence("every GPU that was asked for was refused"), refusal)

    async def find(self, name: str) -> str | None:
        """Look for the name among the pods; of two it is the younger, since only the last order's token is good."""
        found = [pod for pod in await self._pods() if pod.name == name and pod.status != "TERMINATED"]
        return max(found, key=lambda pod: pod.created_at).id if found else None

    async def status(self, box_id: str) -> BoxStatus:
        """Take one look."""
        try:
            pod = await self._api.get(("pods", _checked(box_id)), _Pod)
        except NotFound:
            return BoxStatus(state=BoxState.GONE, raw_state="unknown")
        state = _STATES.get(pod.status)
        return BoxStatus(
            state=state,
            raw_state=pod.status,
            usd=_so_far(pod),
            usd_an_hour=pod.cost or None,
            failure=_BROKE_DOWN if pod.status == "ERROR" else None,
        )

    async def destroy(self, box_id: str) -> None:
        """Delete the pod with its disk; a network volume stays."""
        if not _ID.fullmatch(box_id):
            return
        reply = await self._api.change("DELETE", ("pods", box_id))
        if not reply.ok and reply.status not in {404, 410}:
            raise reply.error()

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return the pods with our name."""
        return [
            OwnedBox(id=pod.id, name=pod.name, created_at=pod.created_at)
            for pod in await self._pods()
            if pod.name.startswith(NAME_PREFIX) and pod.status != "TERMINATED"
        ]

    async def _pods(self) -> Sequence[_Pod]:
        return (await self._api.get(("pods",), _Pods)).pods

    async def _catalogue(self) -> Sequence[_GpuType]:
        query = {"include": "AVAILABILITY", "product": "POD", "cloud": self._settings.cloud}
        kinds = (await self._api.get(("catalog", "gpus"), _GpuTypes, **query)).gpus
        self._listed = {kind.id: self._rate(kind) for kind in kinds}
        return kinds

    def _fit(self, kinds: Sequence[_GpuType]) -> Sequence[_GpuType]:
        """Return the kinds that were set and are not too dear, in the operator's order."""
        by_id = {kind.id: kind for kind in kinds}
        wanted = [by_id[gpu] for gpu in self._settings.gpus if gpu in by_id]
        return [kind for kind in wanted if 0 < self._rate(kind) <= self._settings.most_usd_an_hour]

    def _rate(self, kind: _GpuType) -> float:
        return kind.price.secure if self._settings.cloud == "SECURE" else kind.price.community

    def _known_price(self, gpu: str) -> tuple[float | None, Value]:
        key = f"runpod/{gpu}"
        price = self._prices.find(key, Unit.HOUR)
        if gpu in self._listed and key not in self._prices.overrides:
            usd = {"usd": f"{self._listed[gpu]:g}"}
            return self._listed[gpu], Sentence("${usd} per hour (RunPod's catalogue)", values=usd)
        return (price.usd, price.basis) if price else (None, "")

    def _body(self, order: BoxOrder, gpu: str) -> dict[str, Any]:
        settings = self._settings
        cuda = {"minCudaVersion": settings.min_cuda} if settings.min_cuda else {}
        body: dict[str, Any] = {
            "name": order.name,
            "image": settings.image,
            "gpu": {"id": gpu, "count": 1, **cuda},
            "cloud": settings.cloud,
            "disk": settings.disk_gb,
            "env": self._env(order),
            "args": container_command(order.script),
        }
        if settings.volume:
            body["mounts"] = {"network": [{"volumeId": settings.volume, "path": settings.volume_path}]}
        if settings.data_centers:
            body["dataCenterIds"] = list(settings.data_centers)
        return body

    def _env(self, order: BoxOrder) -> dict[str, str]:
        """Return the order's environment, with what the agent deletes its own pod by and the engine fetches by."""
        env = {**order.env, "DARKROOM_RUNPOD_URL": self._settings.base_url}
        if self._settings.volume:
            env["HF_HOME"] = f"{self._settings.volume_path}/huggingface"
        if self._settings.hf_token is not None:
            env["HF_TOKEN"] = self._settings.hf_token.get_secret_value()
        return env

    def _secrets(self, order: BoxOrder) -> Sequence[str]:
        return [*(value for value in self._env(order).values() if len(value) > 7), container_command(order.script)]

    async def _is_affordable(self, pod: _Pod, kind: _GpuType) -> bool:
        """Tell whether a pod costs what was agreed to; one that doesn't is given back at once."""
        most = self._settings.most_usd_an_hour
        if pod.cost is None or pod.cost <= most * _ROUNDING:
            return True
        log.warning("RunPod bills $%g an hour for %s, more than the $%g that were set", pod.cost, kind.id, most)
        try:
            await self.destroy(pod.id)
        except ProviderError as error:
            # It is ours now: whoever looks for its name finds it, and it goes with its job.
            raise SubmitUnsure("RunPod rented out a pod that is too dear, and did not take it back.") from error
        return False


def container_command(script: str) -> str:
    """Return what a container runs: the script, and after its end nothing, for ever.

    The script goes as base64 in single quotes, without a $ or another quote: how RunPod takes a command apart is not
    documented, and this is as others are known to do it.
    """
    packed = base64.b64encode(script.encode()).decode()
    return f"sh -c 'echo {packed} | base64 -d | sh; while :; do sleep 3600; done'"


def said(body: object) -> str:
    """Return the words of an error by RFC 9457, with what is wrong in a request, if that is told."""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    wrong = [str(one) for one in errors] if isinstance(errors, list) else []
    return "; ".join([str(body.get("detail") or body.get("title") or body.get("error") or ""), *wrong])


def _accepted(reply: Reply) -> _Pod:
    try:
        pod = reply.parsed(_Pod)
    except UnexpectedAnswer:
        raise SubmitUnsure(
            "{provider} accepted the order, but its answer can't be read.", values={"provider": "RunPod"}
        ) from None
    if not _ID.fullmatch(pod.id):
        raise SubmitUnsure(
            "{provider} accepted the order under an id that can't be one.", values={"provider": "RunPod"}
        )
    return pod


def _checked(box_id: str) -> str:
    if not _ID.fullmatch(box_id):
        raise NotFound("RunPod doesn't know this pod.")
    return box_id


def _so_far(pod: _Pod) -> float | None:
    """Return what a pod has cost, from its start to now, while RunPod tells its rate."""
    if not pod.cost:
        return None
    hours = (datetime.now(UTC) - (pod.started_at or pod.created_at)).total_seconds() / 3600
    return round(pod.cost * max(hours, 0.0), 4)


def _stock(kind: _GpuType) -> Sentence:
    if kind.availability == "NONE":
        return Sentence("none free now")
    return Sentence("stock {level}", values={"level": kind.availability.lower() or Sentence("unknown")})


def _nothing_free(what: Sentence, refusal: Reply | None) -> Unavailable:
    # RunPod asks to read the last refusal as a fault of the request when every kind was refused.
    words = f" ({refusal.words.rstrip('.')})" if refusal is not None and refusal.words else ""
    return Unavailable(
        "RunPod has no machine for us now: {what}{told}.",
        values={"what": what, "told": words},
        advice="It is tried again. The operator can add kinds of GPU or raise the price that may be paid.",
        retry_after=60.0,
    )
