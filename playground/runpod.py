"""A stand-in for RunPod on localhost: its pods and GPU catalogue by REST v2, and its serverless endpoints.

A pod is really run: as a process here, with the environment and the command that it was ordered with, started again
whenever it ends, until it is deleted. Pods are answered as RunPod's OpenAPI file has them; for serverless there is no
such file, so it follows the pages "Operation reference" and "Job states" of docs.runpod.io (read 2026-11-23).
"""

import itertools
import json
import shlex
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from playground.machines import Machine
from playground.stand_in import StandIn

KEY = "rpa_FakeKeyThatMustNeverBeSeen0001"
ENDPOINT = "4m7x2k9q"
#: Kinds of GPU with their memory in GB and what an hour costs, secure and community.
GPUS: dict[str, tuple[str, int, float, float]] = {
    "NVIDIA GeForce RTX 4090": ("RTX 4090", 24, 0.69, 0.34),
    "NVIDIA L40S": ("L40S", 48, 0.86, 0.79),
    "NVIDIA A100 80GB PCIe": ("A100 PCIe", 80, 1.79, 1.19),
    "NVIDIA H100 80GB HBM3": ("H100 SXM", 80, 3.99, 2.69),
}
#: The pools that serverless workers come from: kind of GPU, name, price of an hour.
POOLS = {"NVIDIA GeForce RTX 4090": ("ADA_24", 1.1), "NVIDIA L40S": ("ADA_48_PRO", 1.9)}
#: What stands for the `runpod` package on a worker: one job, whose outcome is the last line that is printed.
_SDK = """
import asyncio, json, os, types

def _start(config):
    outcome = config["handler"](json.loads(os.environ["STAND_IN_JOB"]))
    outcome = asyncio.run(outcome) if asyncio.iscoroutine(outcome) else outcome
    print(json.dumps(outcome if "error" in outcome else {"output": outcome}), flush=True)

serverless = types.SimpleNamespace(start=_start)
"""


@dataclass(kw_only=True, eq=False)
class Pod:
    """A pod that was created."""

    id: str
    body: dict[str, Any]
    cost: float
    machine: Machine
    #: The key that its own environment holds, good for itself alone.
    key: str
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    #: Looks at it since it was created.
    looks: int = 0

    @property
    def status(self) -> str:
        """Return its status in RunPod's words."""
        if self.started_at is None:
            return "PROVISIONING"
        return "RUNNING" if self.looks > 1 else "STARTING"


@dataclass(kw_only=True, eq=False)
class ServerlessJob:
    """A job in the queue of an endpoint."""

    id: str
    body: dict[str, Any]
    machine: Machine
    status: str = "IN_QUEUE"


class RunPodStandIn(StandIn):
    """Plays RunPod; `bill` has the id of everything that was ever rented.

    Args:
        programs: Folders with the programs that its images have installed.
        handler: The Python file that serverless workers run; it imports `runpod`, which is played too.
    """

    def __init__(self, *, programs: Sequence[Path] = (), handler: Path | None = None) -> None:
        super().__init__()
        self.bill: list[str] = []
        self.pods: dict[str, Pod] = {}
        self.jobs: dict[str, ServerlessJob] = {}
        #: Kinds of GPU that are out of stock, whatever the catalogue says.
        self.full: set[str] = set()
        #: What the catalogue says of a kind's stock, where it is not HIGH.
        self.stock: dict[str, str] = {}
        #: Nothing starts while this is set.
        self.busy = False
        #: How many workers the endpoint may have.
        self.workers = 3
        self._programs = programs
        self._handler = handler
        self._sdk = tempfile.TemporaryDirectory(prefix="playground-runpod-")
        package = Path(self._sdk.name) / "runpod"
        package.mkdir()
        (package / "__init__.py").write_text(_SDK)
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        """Return where the REST API is."""
        return f"{self.url}/v2"

    @property
    def serverless_url(self) -> str:
        """Return where endpoints are."""
        return f"{self.url}/serverless/v2"

    @property
    def left_over(self) -> list[str]:
        """Return everything that is still rented."""
        return [*self.pods, *(job.id for job in self.jobs.values() if job.status in {"IN_QUEUE", "IN_PROGRESS"})]

    def routes(self, app: web.Application) -> None:
        """Add the routes."""
        add = app.router
        add.add_post("/v2/pods", self.on("order", self._create))
        add.add_get("/v2/pods", self.on("list", self._list))
        add.add_get("/v2/pods/{id}", self.on("poll", self._look))
        add.add_delete("/v2/pods/{id}", self.on("destroy", self._delete))
        add.add_get("/v2/serverless/{id}", self.on("endpoint", self._endpoint))
        add.add_get("/v2/catalog/gpus", self.on("catalogue", self._catalogue))
        endpoint = "/serverless/v2/{endpoint}"
        add.add_post(f"{endpoint}/run", self.on("run", self._run))
        add.add_get(f"{endpoint}/status/{{id}}", self.on("status", self._status))
        add.add_post(f"{endpoint}/cancel/{{id}}", self.on("cancel", self._cancel))
        add.add_get(f"{endpoint}/health", self.on("health", self._health))

    async def clear(self) -> None:
        """Delete all pods and jobs."""
        for pod in list(self.pods.values()):
            await self.remove(pod.id)
        for job in self.jobs.values():
            await job.machine.destroy()
        self._sdk.cleanup()

    # ------------------------------------------------------------------ pods
    async def _create(self, request: web.Request, body: bytes) -> web.Response:
        refusal = self._stranger(request)
        if refusal is not None:
            return refusal
        wanted = json.loads(body)
        gpu = wanted["gpu"]["id"]
        if gpu not in GPUS:
            return problem(400, f"unknown gpu {gpu}")
        if gpu in self.full:
            return problem(400, "There are no instances currently available")
        pod = self._new_pod(wanted)
        self.pods[pod.id] = pod
        self.bill.append(pod.id)
        self.start_pods()
        return web.json_response(self._told(pod), status=201)

    def _new_pod(self, wanted: dict[str, Any]) -> Pod:
        number = next(self._numbers)
        pod_id, key = f"pod{number:08}", f"rpa_PodScoped{number:024}"
        # As docs.runpod.io names what every pod finds in its environment.
        own = {"RUNPOD_POD_ID": pod_id, "RUNPOD_API_KEY": key, "RUNPOD_GPU_COUNT": "1"}
        machine = Machine(
            name=f"{pod_id}-{id(self)}",
            argv=shlex.split(wanted["args"]),
            env=wanted.get("env", {}) | own,
            restarts=True,
            programs=self._programs,
        )
        return Pod(id=pod_id, body=wanted, cost=self.rate(wanted), machine=machine, key=key)

    def rate(self, wanted: dict[str, Any]) -> float:
        """Return what an hour of such a pod is billed with."""
        _, _, secure, community = GPUS[wanted["gpu"]["id"]]
        return secure if wanted.get("cloud", "SECURE") == "SECURE" else community

    def start_pods(self) -> None:
        """Start what waits, unless all is busy."""
        for pod in [] if self.busy else self.pods.values():
            if pod.started_at is None and self.has_room(pod):
                pod.started_at = datetime.now(UTC)
                pod.machine.start()

    def has_room(self, pod: Pod) -> bool:
        """Tell whether a pod gets a host."""
        return True

    async def _list(self, request: web.Request, body: bytes) -> web.Response:
        pods = [self._told(pod) for pod in self.pods.values()]
        return self._stranger(request) or web.json_response({"pods": pods})

    async def _look(self, request: web.Request, body: bytes) -> web.Response:
        pod = self.pods.get(request.match_info["id"])
        refusal = self._stranger(request, pod)
        if refusal is not None or pod is None:
            return refusal or problem(404, "pod not found")
        self.start_pods()
        if not self.busy:
            pod.looks += 1
        return web.json_response(self._told(pod))

    async def _delete(self, request: web.Request, body: bytes) -> web.Response:
        pod = self.pods.get(request.match_info["id"])
        refusal = self._stranger(request, pod)
        if refusal is not None or pod is None:
            return refusal or problem(404, "pod not found")
        await self.remove(pod.id)
        return web.Response(status=204)

    async def remove(self, pod_id: str) -> None:
        """End a pod, as its deletion does."""
        await self.pods.pop(pod_id).machine.destroy()

    async def _catalogue(self, request: web.Request, body: bytes) -> web.Response:
        with_stock = request.query.get("include") == "AVAILABILITY"
        if with_stock != ("product" in request.query):
            return problem(400, "product goes with include=AVAILABILITY")
        kinds = []
        for gpu, (name, memory, secure, community) in GPUS.items():
            pool, rate = POOLS.get(gpu, (None, None))
            kind = {
                "id": gpu,
                "name": name,
                "pool": pool,
                "manufacturer": "NVIDIA",
                "memory": memory,
                "secure": True,
                "community": True,
                "price": {"secure": secure, "community": community} | ({"serverless": rate} if rate else {}),
                "maxCount": {"secure": 8, "community": 4},
            }
            kinds.append(kind | ({"availability": self.stock.get(gpu, "HIGH")} if with_stock else {}))
        return self._stranger(request) or web.json_response({"gpus": kinds})

    def _told(self, pod: Pod) -> dict[str, Any]:
        running = pod.status == "RUNNING"
        return {
            "id": pod.id,
            "name": pod.body["name"],
            "status": pod.status,
            "actions": ["stop", "restart", "terminate"] if running else ["terminate"],
            "image": pod.body["image"],
            "args": pod.body.get("args", ""),
            "disk": pod.body.get("disk", 50),
            "mounts": pod.body.get("mounts", {}),
            "ports": pod.body.get("ports", []),
            "env": pod.body.get("env", {}),
            "registry": None,
            "gpu": pod.body["gpu"],
            "cloud": pod.body.get("cloud", "SECURE"),
            "dataCenterId": "US-KS-2",
            "cudaVersion": "12.8",
            "ssh": {"proxy": None, "direct": None},
            "template": None,
            "cost": pod.cost,
            "locked": False,
            "globalNetworking": {"enabled": False},
            "runtime": {"uptime": 60, "ports": []} if running else None,
            "createdAt": stamp(pod.created_at),
            "startedAt": stamp(pod.started_at) if pod.started_at else None,
        }

    def _stranger(self, request: web.Request, pod: Pod | None = None) -> web.Response | None:
        keys = [KEY, *([pod.key] if pod else [])]
        if request.headers.get("Authorization") in [f"Bearer {key}" for key in keys]:
            return None
        return problem(401, "missing or invalid API key")

    # ------------------------------------------------------------------ serverless
    async def _run(self, request: web.Request, body: bytes) -> web.Response:
        refusal = self._serverless_stranger(request)
        if refusal is not None:
            return refusal
        number = next(self._numbers)
        job_id = f"c80ffee4-f315-4e25-a146-{number:012}-u1"
        wanted = json.loads(body)
        told = json.dumps({"id": job_id, "input": wanted["input"]})
        machine = Machine(
            name=f"{job_id}-{id(self)}",
            argv=[sys.executable, str(self._handler)],
            env={"STAND_IN_JOB": told, "PYTHONPATH": self._sdk.name},
            programs=self._programs,
        )
        self.jobs[job_id] = ServerlessJob(id=job_id, body=wanted, machine=machine)
        self.bill.append(job_id)
        self._move_on(self.jobs[job_id])
        return web.json_response({"id": job_id, "status": "IN_QUEUE"})

    def _move_on(self, job: ServerlessJob) -> None:
        if job.status == "IN_QUEUE" and not self.busy:
            job.status = "IN_PROGRESS"
            job.machine.start()
        if job.status == "IN_PROGRESS" and job.machine.ended.is_set():
            job.status = "COMPLETED" if '"error"' not in job.machine.log.strip().rpartition("\n")[2] else "FAILED"

    async def _status(self, request: web.Request, body: bytes) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        refusal = self._serverless_stranger(request)
        if refusal is not None or job is None:
            return refusal or web.json_response({"error": "job not found"}, status=404)
        self._move_on(job)
        answer: dict[str, Any] = {"id": job.id, "status": job.status}
        if job.status != "IN_QUEUE":
            answer |= {"delayTime": 824, "workerId": "w0rk3r"}
        if job.status in {"COMPLETED", "FAILED"}:
            last = job.machine.log.strip().rpartition("\n")[2]
            key = "output" if job.status == "COMPLETED" else "error"
            answer |= {"executionTime": 3391, key: json.loads(last)[key]}
        return web.json_response(answer)

    async def _cancel(self, request: web.Request, body: bytes) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        refusal = self._serverless_stranger(request)
        if refusal is not None or job is None:
            return refusal or web.json_response({"error": "job not found"}, status=404)
        if job.status in {"IN_QUEUE", "IN_PROGRESS"}:
            await job.machine.destroy()
            job.status = "CANCELLED"
        return web.json_response({"id": job.id, "status": job.status})

    async def _endpoint(self, request: web.Request, body: bytes) -> web.Response:
        if request.match_info["id"] != ENDPOINT:
            return self._stranger(request) or problem(404, "endpoint not found")
        endpoint = {
            "id": ENDPOINT,
            "name": "darkroom",
            "type": "QUEUE",
            "image": "you/darkroom-worker",
            "gpu": {"pools": ["ADA_24", "ADA_48_PRO"], "count": 1, "allowedCudaVersions": [], "minCudaVersion": None},
            "workers": {"min": 0, "max": self.workers, "idleTimeout": 5},
            "scaling": {"type": "QUEUE_DELAY", "queueDelay": 4},
            "dataCenterIds": [],
            "networkVolumes": [],
            "timeout": 600_000,
            "flashboot": "OFF",
            "createdAt": "2026-06-01T12:00:00Z",
        }
        return self._stranger(request) or web.json_response(endpoint)

    async def _health(self, request: web.Request, body: bytes) -> web.Response:
        waiting = sum(job.status == "IN_QUEUE" for job in self.jobs.values())
        counts = {"completed": 0, "failed": 0, "inProgress": 0, "inQueue": waiting, "retried": 0}
        workers = {"idle": 1, "initializing": 0, "ready": 1, "running": 0, "throttled": 0}
        return self._serverless_stranger(request) or web.json_response({"jobs": counts, "workers": workers})

    def _serverless_stranger(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return web.Response(status=401)
        return None if request.match_info["endpoint"] == ENDPOINT else web.Response(status=404)


def problem(status: int, detail: str) -> web.Response:
    """Make an error as the API has them, by RFC 9457."""
    body = {"title": {400: "Bad Request", 401: "Unauthorized", 404: "Not Found"}[status], "status": status}
    return web.json_response(body | {"detail": detail}, status=status, content_type="application/problem+json")


def stamp(moment: datetime) -> str:
    """Write a time as the API does."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
