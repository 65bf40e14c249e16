"""A stand-in for Paperspace on localhost: machines and startup scripts, as its own reference has them.

A machine really runs its startup script, as a process here, once; a `shutdown` in it switches the machine off and
leaves it there, as Paperspace does. `docker run` on it runs the command without a container.
Source: docs.digitalocean.com/reference/paperspace/api-reference (2026-03), read 2026-11-23.
"""

import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from playground.machines import Machine
from playground.stand_in import StandIn

KEY = "ps_FakeKeyThatMustNeverBeSeen0001"
#: Machine types with their GPU, its memory in bytes, and what an hour costs.
TYPES: dict[str, tuple[str, int, float]] = {
    "A4000": ("Ampere A4000", 16 * 1024**3, 0.76),
    "A6000": ("Ampere A6000", 48 * 1024**3, 1.89),
}
TEMPLATE = "twnlo3zj"
#: Entries of one page of a list, at most.
PAGE = 2
#: Takes `docker run`'s options away and runs the rest, which finds its environment as it is.
_DOCKER = """\
#!/bin/sh
shift
while [ $# -gt 0 ]; do
  case "$1" in
    --rm) shift ;;
    --gpus|--network|--env) shift 2 ;;
    *) break ;;
  esac
done
shift
exec "$@"
"""


@dataclass(kw_only=True, eq=False)
class Rented:
    """A machine that was created."""

    id: str
    body: dict[str, Any]
    machine: Machine
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: bool = False
    #: Looks at it since it was started.
    looks: int = 0

    @property
    def state(self) -> str:
        """Return its state in Paperspace's words."""
        if self.machine.shut_down:
            return "off"
        if not self.started:
            return "provisioning"
        return "ready" if self.looks > 1 else "starting"


class PaperspaceStandIn(StandIn):
    """Plays Paperspace; `bill` has the id of every machine that was ever rented.

    Args:
        programs: Folders with the programs that its machines have installed.
    """

    def __init__(self, *, programs: Sequence[Path] = ()) -> None:
        super().__init__()
        self.bill: list[str] = []
        self.machines: dict[str, Rented] = {}
        self.scripts: dict[str, dict[str, Any]] = {}
        #: Nothing starts while this is set.
        self.busy = False
        self.full = False
        self._docker = tempfile.TemporaryDirectory(prefix="playground-docker-")
        self._programs = [*programs, Path(self._docker.name)]
        self._numbers = itertools.count(1)
        docker = Path(self._docker.name) / "docker"
        docker.write_text(_DOCKER)
        docker.chmod(0o755)

    @property
    def base_url(self) -> str:
        """Return where the API is."""
        return f"{self.url}/v1"

    @property
    def left_over(self) -> list[str]:
        """Return everything that still costs money or holds a secret."""
        return [*self.machines, *self.scripts]

    def routes(self, app: web.Application) -> None:
        """Add the routes."""
        add = app.router
        add.add_post("/v1/machines", self.on("order", self._create))
        add.add_get("/v1/machines", self.on("list", self._list))
        add.add_get("/v1/machines/{id}", self.on("poll", self._look))
        add.add_delete("/v1/machines/{id}", self.on("destroy", self._delete))
        add.add_post("/v1/startup-scripts", self.on("make_script", self._make_script))
        add.add_get("/v1/startup-scripts", self.on("scripts", self._list_scripts))
        add.add_delete("/v1/startup-scripts/{id}", self.on("drop_script", self._drop_script))

    async def clear(self) -> None:
        """Delete all machines and scripts."""
        for machine_id in list(self.machines):
            await self.remove(machine_id)
        self.scripts.clear()
        self._docker.cleanup()

    async def _create(self, request: web.Request, body: bytes) -> web.Response:
        wanted = json.loads(body)
        script = self.scripts.get(wanted.get("startupScriptId", ""))
        refusal = self._stranger(request) or self._unfit(wanted, script)
        if refusal is not None or script is None:
            return refusal or problem(400, "bad-request", "no such startup script")
        number = next(self._numbers)
        machine_id = f"ps{number:08}"
        machine = Machine(
            name=f"{machine_id}-{id(self)}", argv=["bash", "-c", script["script"]], env={}, programs=self._programs
        )
        self.machines[machine_id] = Rented(id=machine_id, body=wanted, machine=machine)
        script["assignedMachineIds"].append(machine_id)
        self.bill.append(machine_id)
        self.start_machines()
        return web.json_response(self._changed("create", self.machines[machine_id]))

    def _unfit(self, wanted: dict[str, Any], script: Any) -> web.Response | None:
        if wanted["machineType"] not in TYPES or wanted["templateId"] != TEMPLATE:
            return problem(400, "bad-request", "the machine type does not go with the template")
        if wanted["diskSize"] not in {50, 100, 250, 500, 1000, 2000}:
            return problem(400, "bad-request", "invalid disk size")
        if self.full:
            return problem(400, "out-of-capacity", f"Out of capacity for {wanted['machineType']} in {wanted['region']}")
        return None

    def start_machines(self) -> None:
        """Start what waits, unless all is busy."""
        for rented in [] if self.busy else self.machines.values():
            if not rented.started and rented.body.get("startOnCreate") and self.has_room(rented):
                rented.started = True
                rented.machine.start()

    def has_room(self, rented: Rented) -> bool:
        """Tell whether a machine gets a host."""
        return True

    async def _list(self, request: web.Request, body: bytes) -> web.Response:
        name = request.query.get("name")
        found = [one for one in self.machines.values() if name is None or one.body["name"] == name]
        return self._stranger(request) or self._page(request, [self._told(one) for one in reversed(found)])

    async def _look(self, request: web.Request, body: bytes) -> web.Response:
        rented = self.machines.get(request.match_info["id"])
        refusal = self._stranger(request)
        if refusal is not None or rented is None:
            return refusal or problem(404, "not-found", "Machine not found")
        self.start_machines()
        if not self.busy:
            rented.looks += 1
        return web.json_response(self._told(rented))

    async def _delete(self, request: web.Request, body: bytes) -> web.Response:
        rented = self.machines.get(request.match_info["id"])
        refusal = self._stranger(request)
        if refusal is not None or rented is None:
            return refusal or problem(404, "not-found", "Machine not found")
        await self.remove(rented.id)
        return web.json_response(self._changed("delete", rented))

    async def remove(self, machine_id: str) -> None:
        """End a machine, as its deletion does; its script stays."""
        await self.machines.pop(machine_id).machine.destroy()
        for script in self.scripts.values():
            script["assignedMachineIds"] = [one for one in script["assignedMachineIds"] if one != machine_id]

    async def _make_script(self, request: web.Request, body: bytes) -> web.Response:
        wanted = json.loads(body)
        refusal = self._stranger(request)
        if refusal is not None:
            return refusal
        script_id = f"ss{next(self._numbers):08}"
        self.scripts[script_id] = {
            "id": script_id,
            "name": wanted["name"],
            "description": None,
            "isEnabled": True,
            "isRunOnce": wanted.get("isRunOnce", False),
            "assignedMachineIds": [],
            "dtCreated": _stamp(datetime.now(UTC)),
            "dtDeleted": None,
            "script": wanted["script"],
        }
        return web.json_response(_without_text(self.scripts[script_id]))

    async def _list_scripts(self, request: web.Request, body: bytes) -> web.Response:
        found = [_without_text(one) for one in reversed(self.scripts.values())]
        return self._stranger(request) or self._page(request, found)

    async def _drop_script(self, request: web.Request, body: bytes) -> web.Response:
        script = self.scripts.get(request.match_info["id"])
        refusal = self._stranger(request)
        if refusal is not None or script is None:
            return refusal or problem(404, "not-found", "Startup script not found")
        del self.scripts[script["id"]]
        return web.json_response(_without_text(script))

    def _page(self, request: web.Request, items: list[Any]) -> web.Response:
        start, limit = int(request.query.get("after", 0)), min(int(request.query.get("limit", 120)), PAGE)
        more = start + limit < len(items)
        answer = {"items": items[start : start + limit], "hasMore": more}
        return web.json_response(answer | ({"nextPage": str(start + limit)} if more else {}))

    def _changed(self, what: str, rented: Rented) -> dict[str, Any]:
        event = {
            "id": f"ev{next(self._numbers):08}",
            "name": what,
            "state": "new",
            "machineId": rented.id,
            "dtCreated": _stamp(datetime.now(UTC)),
            "dtStarted": None,
            "dtFinished": None,
            "error": None,
        }
        return {"event": event, "data": self._told(rented)}

    def _told(self, rented: Rented) -> dict[str, Any]:
        wanted = rented.body
        gpu, memory, rate = TYPES[wanted["machineType"]]
        return {
            "id": rented.id,
            "name": wanted["name"],
            "state": rented.state,
            "os": "Ubuntu 22.04",
            "machineType": wanted["machineType"],
            "agentType": "LinuxHeadless",
            "cpus": 8,
            "ram": 48 * 1024**3,
            "storageTotal": wanted["diskSize"] * 1024**3,
            "storageUsed": 0,
            "accelerators": [{"name": gpu, "memory": memory, "count": 1}],
            "region": wanted["region"],
            "privateIp": "10.0.0.2",
            "networkId": wanted.get("networkId", "n0000001"),
            "publicIp": "203.0.113.7",
            "publicIpType": wanted.get("publicIpType", "none"),
            "autoShutdownEnabled": wanted.get("autoShutdownEnabled", False),
            "autoShutdownTimeout": wanted.get("autoShutdownTimeout"),
            "autoShutdownForce": wanted.get("autoShutdownForce", False),
            "usageRate": rate,
            "storageRate": 10,
            "dtCreated": _stamp(rented.created_at),
            "dtModified": _stamp(rented.created_at),
            "dtDeleted": None,
        }

    def _stranger(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        return problem(401, "unauthorized", "The API key is not valid")


def problem(status: int, code: str, message: str) -> web.Response:
    """Make an error as the API has them."""
    return web.json_response({"code": code, "message": message}, status=status)


def _without_text(script: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in script.items() if key != "script"}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
