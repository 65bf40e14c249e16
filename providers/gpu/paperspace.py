"""Owns Paperspace's machines: virtual machines with a GPU, rented by the hour; never what runs on one.

A machine is created with a startup script that runs once, starts the agent, in a container if one is set, and shuts the
machine down after it. A machine that is off still costs its storage, so only a deleted one is over. The script holds
the agent's token; it goes with its machine. Paperspace's own automatic shutdown is set as a guard besides.

Source: docs.digitalocean.com/reference/paperspace/api-reference (2026-03), read 2026-11-23. How a lack of capacity is
answered is not written there; it is taken to be a refusal that says so.
"""

import logging
import math
import re
import shlex
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from providers.base import Health
from providers.errors import NotFound, ProviderError, SubmitUnsure, Unavailable, UnexpectedAnswer
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
from providers.wording import Sentence, in_turn

log = logging.getLogger(__name__)

BASE_URL = "https://api.paperspace.com/v1"
#: What the id of a script begins with where a machine's id could stand.
_SCRIPT = "script:"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: GB of memory of the machine types that have less than 24.
_SMALL: Mapping[str, int] = {
    "M4000": 8,
    "P4000": 8,
    "RTX4000": 8,
    "A4000": 16,
    "P5000": 16,
    "RTX5000": 16,
    "V100": 16,
}
#: The most that a page holds, and the most pages that are read.
_PAGE, _MOST_PAGES = "120", 50
_STATES: Mapping[str, BoxState] = {
    "provisioning": BoxState.STARTING,
    "starting": BoxState.STARTING,
    "upgrading": BoxState.STARTING,
    "restarting": BoxState.RUNNING,
    "serviceready": BoxState.RUNNING,
    "ready": BoxState.RUNNING,
    # Not over before it is off.
    "stopping": BoxState.RUNNING,
    "off": BoxState.ENDED,
    "failed": BoxState.ENDED,
}


class PaperspaceSettings(BaseModel):
    """How to reach Paperspace and which machines to rent; the address is for tests and proxies."""

    model_config = ConfigDict(frozen=True)

    key: SecretStr = Field(description="A team's key.")
    base_url: str = Field(default=BASE_URL, description="Where its API is, with /v1.")
    timeout_seconds: float = Field(default=60.0, gt=0, description="How long any call may take.")
    machine_type: str = Field(description="As Paperspace names it, such as A6000.")
    template_id: str = Field(description="The template of its disk, which has to fit the machine type.")
    region: str = Field(default="ny2", description="ny2, ams1 or ca1.")
    disk_gb: int = Field(default=100, ge=50, description="One of the sizes that Paperspace has.")
    network_id: str = Field(default="", description="A private network to join.")
    image: str = Field(description="The container that the agent runs in; empty to run it on the machine itself.")
    hf_token: SecretStr | None = Field(default=None, description="For weights at Hugging Face that are gated.")


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Machine(_Lenient):
    id: str
    name: str = ""
    state: str = ""
    #: US dollars an hour, without storage.
    rate: float | None = Field(default=None, alias="usageRate")
    created_at: datetime = Field(alias="dtCreated")
    deleted_at: datetime | None = Field(default=None, alias="dtDeleted")

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, told: Any) -> Any:
        # Calls that change a machine answer with the event that they caused, and the machine beside it.
        return told["data"] if isinstance(told, dict) and isinstance(told.get("data"), dict) else told


class _Script(_Lenient):
    id: str
    name: str = ""
    created_at: datetime = Field(alias="dtCreated")
    machines: list[str] = Field(default_factory=list, alias="assignedMachineIds")


ItemT = TypeVar("ItemT", bound=BaseModel)


class _Page(_Lenient, Generic[ItemT]):
    items: list[ItemT]
    more: bool = Field(default=False, alias="hasMore")
    next_page: str | None = Field(default=None, alias="nextPage")


class PaperspaceMachines:
    """Rents machines at Paperspace.

    Args:
        settings: The key, and which machines.
        session: What Paperspace is spoken to with; owned by the caller.
        prices: What the operator knows better than our table.
    """

    name = "paperspace"
    title = "Paperspace"

    def __init__(
        self, settings: PaperspaceSettings, session: aiohttp.ClientSession, *, prices: PriceList | None = None
    ) -> None:
        self._settings = settings
        self._prices = prices or PriceList()
        self._api = RestApi(
            provider=self.title,
            base_url=settings.base_url,
            key=settings.key,
            session=session,
            said=_said,
            timeout_seconds=settings.timeout_seconds,
        )

    @property
    def terms(self) -> BoxTerms:
        """Return what it declares."""
        return BoxTerms(
            settle_seconds=60,
            # A machine boots for minutes, and pulls an image of 20 GB then.
            start_seconds=45 * 60,
            poll_seconds=15,
            # The startup script shuts the machine down after it.
            ending=Ending.EXIT,
            notice="Photos go to a machine that is rented at Paperspace for this training alone.",
            vram_gb=_SMALL.get(self._settings.machine_type, 24),
        )

    def price(self) -> BoxPrice:
        """Return what the price list says of the machine type."""
        kind = self._settings.machine_type
        price = self._prices.find(f"paperspace/{kind}", Unit.HOUR)
        if price is None:
            unknown = Sentence("no price of {kind} is known here", values={"kind": kind})
            return BoxPrice(low_usd=0.0, high_usd=0.0, basis=unknown)
        basis = Sentence("{kind}: {price}, without storage", values={"kind": kind, "price": price.basis})
        return BoxPrice(low_usd=price.usd, high_usd=price.usd, basis=basis)

    async def check(self) -> Health:
        """Read the list of machines, which is free and needs a valid key."""
        if not self._settings.template_id:
            needed = Sentence(
                "Set PAPERSPACE_TEMPLATE to the id of a template that has NVIDIA's driver and Docker and fits "
                "the machine type {kind}, such as ML-in-a-Box.",
                values={"kind": self._settings.machine_type},
            )
            return Health(ok=False, wording=needed)
        try:
            await self._api.get(("machines",), _Page[_Machine], limit="1")
        except ProviderError as error:
            return Health(ok=False, wording=error.sentence)
        kind, region = self._settings.machine_type, self._settings.region
        answers = Sentence(
            "Paperspace answers; machines are of type {kind} in {region}.", values={"kind": kind, "region": region}
        )
        more = [] if self._settings.hf_token is not None else [Sentence("Set PAPERSPACE_HF_TOKEN to train FLUX.1 too.")]
        return Health(ok=True, wording=in_turn([answers, *more]))

    async def create(self, order: BoxOrder) -> str:
        """Make the startup script, which is free, and then the machine with it."""
        script_id = await self._make_script(order)
        try:
            reply = await self._api.order(("machines",), self._body(order, script_id), hide=self._secrets(order))
            if not reply.ok:
                raise _refusal(reply)
        except SubmitUnsure:
            # The machine that may be there needs it.
            raise
        except ProviderError:
            await self._drop_unused(script_id)
            raise
        return _accepted(reply)

    async def find(self, name: str) -> str | None:
        """Look for the name among the machines; of two it is the younger, since only the last order's token is good."""
        found = [one async for one in self._machines(name=name) if one.name == name] if name else []
        return max(found, key=lambda one: one.created_at).id if found else None

    async def status(self, box_id: str) -> BoxStatus:
        """Take one look."""
        try:
            machine = await self._machine(box_id)
        except NotFound:
            return BoxStatus(state=BoxState.GONE, raw_state="unknown")
        failure = Sentence("Its machine broke down.") if machine.state == "failed" else None
        return BoxStatus(
            state=_STATES.get(machine.state),
            raw_state=machine.state,
            usd=_so_far(machine),
            usd_an_hour=machine.rate or None,
            failure=failure,
        )

    async def destroy(self, box_id: str) -> None:
        """Delete the machine, and the scripts that were made for it."""
        if box_id.startswith(_SCRIPT):
            await self._delete("startup-scripts", box_id.removeprefix(_SCRIPT))
            return
        try:
            name = (await self._machine(box_id)).name
        except NotFound:
            name = ""
        await self._delete("machines", box_id)
        async for script in self._scripts():
            if box_id in script.machines or (name and script.name == name):
                await self._delete("startup-scripts", script.id)

    async def list_owned(self) -> Sequence[OwnedBox]:
        """Return the machines with our name, and the scripts with our name whose machine never came to be."""
        machines = [one async for one in self._machines() if one.name.startswith(NAME_PREFIX)]
        names = {one.name for one in machines}
        alone = [one async for one in self._scripts() if one.name not in names]
        return [
            *(OwnedBox(id=one.id, name=one.name, created_at=one.created_at) for one in machines),
            *(OwnedBox(id=f"{_SCRIPT}{one.id}", name=one.name, created_at=one.created_at) for one in alone),
        ]

    async def _make_script(self, order: BoxOrder) -> str:
        """Make the script, and remove those of earlier tries."""
        async for old in self._scripts():
            if old.name == order.name:
                await self._delete("startup-scripts", old.id)
        script = startup_script(order, self._settings.image, self._more_env)
        body = {"name": order.name, "script": script, "isRunOnce": True}
        try:
            reply = await self._api.order(("startup-scripts",), body, hide=self._secrets(order))
        except SubmitUnsure:
            # Scripts cost nothing: the next try removes this one, or the reaper does.
            raise Unavailable(
                "{provider} did not answer when the startup script was made.", values={"provider": self.title}
            ) from None
        if not reply.ok:
            raise reply.error()
        return reply.parsed(_Script).id

    @property
    def _more_env(self) -> Mapping[str, str]:
        token = self._settings.hf_token
        return {} if token is None else {"HF_TOKEN": token.get_secret_value()}

    def _secrets(self, order: BoxOrder) -> Sequence[str]:
        return [value for value in (*order.env.values(), *self._more_env.values()) if len(value) > 7]

    async def _drop_unused(self, script_id: str) -> None:
        try:
            await self._delete("startup-scripts", script_id)
        except ProviderError as error:
            log.warning("a startup script without a machine stays at Paperspace for the reaper: %s", error)

    async def _delete(self, kind: str, thing_id: str) -> None:
        if not _ID.fullmatch(thing_id):
            return
        reply = await self._api.change("DELETE", (kind, thing_id))
        if not reply.ok and reply.status not in {404, 410}:
            raise reply.error()

    async def _machine(self, box_id: str) -> _Machine:
        if not _ID.fullmatch(box_id):
            raise NotFound("{provider} doesn't know this machine.", values={"provider": self.title})
        machine = await self._api.get(("machines", box_id), _Machine)
        if machine.deleted_at is not None:
            raise NotFound("{provider} has deleted this machine.", values={"provider": self.title})
        return machine

    async def _machines(self, **query: str) -> AsyncIterator[_Machine]:
        async for machine in self._pages("machines", _Page[_Machine], query):
            if machine.deleted_at is None:
                yield machine

    async def _scripts(self) -> AsyncIterator[_Script]:
        """Yield the scripts with our name."""
        async for script in self._pages("startup-scripts", _Page[_Script], {}):
            if script.name.startswith(NAME_PREFIX):
                yield script

    async def _pages(self, kind: str, model: type[_Page[ItemT]], query: Mapping[str, str]) -> AsyncIterator[ItemT]:
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = await self._api.get((kind,), model, **{**query, "limit": _PAGE, **after})
            for item in page.items:
                yield item
            if not page.more or not page.next_page:
                return
            after = {"after": page.next_page}
        raise UnexpectedAnswer("{provider}'s list of {kind} has no end.", values={"provider": self.title, "kind": kind})

    def _body(self, order: BoxOrder, script_id: str) -> dict[str, Any]:
        settings = self._settings
        body: dict[str, Any] = {
            "name": order.name,
            "machineType": settings.machine_type,
            "templateId": settings.template_id,
            "region": settings.region,
            "diskSize": settings.disk_gb,
            # The agent has to reach the bot.
            "publicIpType": "dynamic",
            "startupScriptId": script_id,
            "startOnCreate": True,
            "takeInitialSnapshot": False,
            "emailPassword": False,
            "autoShutdownEnabled": True,
            "autoShutdownTimeout": max(1, math.ceil(order.max_seconds / 3600)),
            "autoShutdownForce": True,
        }
        return body | ({"networkId": settings.network_id} if settings.network_id else {})


def startup_script(order: BoxOrder, image: str, more_env: Mapping[str, str]) -> str:
    """Return what a machine runs once, as root: the order's script aside, and a shutdown after it."""
    env = {**order.env, **more_env}
    exports = [f"export {name}={shlex.quote(value)}" for name, value in env.items()]
    run = f"sh -c {shlex.quote(order.script)}"
    if image:
        # Values come from the environment, so that no list of processes shows them.
        passed = " ".join(f"--env {name}" for name in env)
        run = f"docker run --rm --gpus all --network host {passed} {shlex.quote(image)} {run}"
    lines = ["#!/bin/bash", *exports, f"({run}; shutdown -h now) > ${{TMPDIR:-/var/log}}/darkroom.log 2>&1 &"]
    return "\n".join(lines) + "\n"


def _said(body: object) -> str:
    return str(body.get("message") or body.get("code") or "") if isinstance(body, Mapping) else ""


def _refusal(reply: Reply) -> ProviderError:
    if 400 <= reply.status < 500 and "capacity" in reply.words.lower():
        return Unavailable(
            "Paperspace has no such machine free now ({said}).",
            values={"said": reply.words.rstrip(".")},
            advice="It is tried again. The operator can choose another machine type or region.",
            retry_after=60.0,
        )
    return reply.error(paid=True)


def _accepted(reply: Reply) -> str:
    try:
        machine = reply.parsed(_Machine)
    except UnexpectedAnswer:
        raise SubmitUnsure(
            "{provider} accepted the order, but its answer can't be read.", values={"provider": "Paperspace"}
        ) from None
    if not _ID.fullmatch(machine.id):
        raise SubmitUnsure(
            "{provider} accepted the order under an id that can't be one.", values={"provider": "Paperspace"}
        )
    return machine.id


def _so_far(machine: _Machine) -> float | None:
    """Return what a machine has cost since it was made, without its storage, while its rate is told."""
    if not machine.rate:
        return None
    hours = (datetime.now(UTC) - machine.created_at).total_seconds() / 3600
    return round(machine.rate * max(hours, 0.0), 4)
