"""Owns a played Replicate on loopback: models, files, trainings, predictions; answers as its OpenAPI file does.

A job moves on with each look at it, never with time. What is paid for is on the bill. Faults are planned by tests.
"""

import asyncio
import base64
import hashlib
import hmac
import io
import json
import re
import tarfile
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import numpy as np
from aiohttp import web
from PIL import Image
from safetensors.numpy import save

from playground.rest import Exchange

TOKEN = "r8_FakeTokenThatMustNeverBeSeen0001"
SECRET = "whsec_" + base64.b64encode(b"a secret that signs webhooks").decode()
OWNER = "darkroom-tests"
TRAINER_VERSION = "b6af14222e6bd9be257cbc1ea4afda3cd0503e1133083b9d1de0364d8568e6ef"
FAST_VERSION = "8b10794665aed907bb98a1a5324cd1d3a8bea0e9b31e65210967fb9c9e2e08ed"
GENERATOR_VERSION = "ae0d7d645446924cf1871e3ca8796e8318f72465d2b5af9323a835df93bf0917"
PAGE = 3
#: Training steps that a job takes between two looks.
STRIDE = 100

#: Called with the request and what accepts its job.
PaidFault = Callable[[web.Request, Callable[[], None]], Awaitable[web.StreamResponse]]


def _number(low: float, high: float, kind: str = "integer") -> dict[str, Any]:
    return {"type": kind, "minimum": low, "maximum": high}


_TEXT = {"type": "string"}
TRAINING_INPUT = {
    "type": "object",
    "required": ["input_images"],
    "properties": {
        "input_images": {"type": "string", "format": "uri"},
        "trigger_word": _TEXT,
        "autocaption": {"type": "boolean"},
        "autocaption_prefix": _TEXT,
        "autocaption_suffix": _TEXT,
        "steps": _number(3, 6000),
        "learning_rate": {"type": "number"},
        "batch_size": {"type": "integer"},
        "resolution": _TEXT,
        "lora_rank": _number(1, 128),
        "optimizer": {"allOf": [{"$ref": "#/components/schemas/optimizer"}]},
    },
}
FAST_INPUT = {
    "type": "object",
    "required": ["input_images", "trigger_word"],
    "properties": {
        "input_images": {"type": "string", "format": "uri"},
        "trigger_word": _TEXT,
        "lora_type": {"allOf": [{"$ref": "#/components/schemas/lora_type"}]},
        "training_steps": _number(100, 1000),
    },
}
_SHARED_INPUT = {
    "prompt": _TEXT,
    "num_outputs": _number(1, 4),
    "aspect_ratio": {"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}]},
    "seed": {"type": "integer"},
    "lora_scale": _number(-1, 3, "number"),
    "num_inference_steps": _number(1, 50),
    "output_format": _TEXT,
    "go_fast": {"type": "boolean"},
    "megapixels": _TEXT,
}
PICTURE_INPUT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {**_SHARED_INPUT, "guidance": _number(0, 10, "number"), "lora_weights": _TEXT},
}
FINE_TUNE_INPUT = {
    "type": "object",
    "required": ["prompt"],
    "properties": {**_SHARED_INPUT, "guidance_scale": _number(0, 10, "number"), "model": _TEXT},
}
_ENUMS = {
    "optimizer": {"type": "string", "enum": ["prodigy", "adamw8bit", "adam8bit", "lion"]},
    "lora_type": {"type": "string", "enum": ["subject", "style"]},
    "aspect_ratio": {"type": "string", "enum": ["1:1", "16:9", "3:2", "4:3", "3:4", "9:16"]},
}


def make_version(number: str, **inputs: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2025-06-01T10:00:00.000000Z",
        "cog_version": "0.14.0",
        "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": {**_ENUMS, **inputs}}},
    }


def make_lora(names: int = 2) -> bytes:
    """Make a small LoRA with ai-toolkit's names."""
    tensors = {}
    for block in range(names):
        for half in "AB":
            name = f"transformer.single_transformer_blocks.{block}.attn.to_q.lora_{half}.weight"
            tensors[name] = np.zeros((4, 8), dtype=np.float16)
    return save(tensors)


def make_tar(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def make_delivery() -> bytes:
    folder = "output/flux_train_replicate"
    return make_tar(
        {
            f"{folder}/lora.safetensors": make_lora(),
            f"{folder}/config.yaml": b"job: custom_job\n",
            f"{folder}/captions/001.txt": b"a private caption",
        }
    )


def make_picture(seed: int, size: tuple[int, int] = (64, 64)) -> bytes:
    png = io.BytesIO()
    Image.new("RGB", size, (seed % 255, 80, 120)).save(png, "PNG")
    return png.getvalue()


@dataclass(kw_only=True)
class Job:
    """A training or a prediction."""

    kind: str
    id: str
    model: str
    version: str
    input: dict[str, Any]
    destination: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    status: str = "starting"
    step: int = 0
    total: int
    error: str | None = None
    output: Any = None
    removed: bool = False

    @property
    def ended(self) -> bool:
        return self.status not in {"starting", "processing"}

    @property
    def logs(self) -> str:
        if self.status == "starting":
            return ""
        caching = "Caching latents to disk: 100%|##########| 4/4 [00:01<00:00,  3.11it/s]\n"
        rest = f"{self.step}/{self.total} [01:23<11:07,  1.35it/s, lr: 4.0e-04 loss: 3.1e-01]\r"
        return f"{caching}flux_train_replicate: {100 * self.step // self.total:3d}%|█▏        | {rest}"


class FakeReplicate:
    """Plays Replicate; `async with` starts and stops it."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        #: Ids of the paid calls that were accepted, in order.
        self.bill: list[str] = []
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.versions = {
            ("ostris/flux-dev-lora-trainer", TRAINER_VERSION): make_version(
                TRAINER_VERSION, TrainingInput=TRAINING_INPUT
            ),
            ("replicate/fast-flux-trainer", FAST_VERSION): make_version(FAST_VERSION, TrainingInput=FAST_INPUT),
            ("black-forest-labs/flux-dev-lora", GENERATOR_VERSION): make_version(
                GENERATOR_VERSION, Input=PICTURE_INPUT
            ),
        }
        self.models: dict[str, str] = {name: "public" for name, _ in self.versions}
        #: Jobs stay in the queue while this is set.
        self.busy = False
        self.file_life = timedelta(hours=24)
        #: What comes back of a training, and how many pictures a filter keeps back.
        self.delivery = make_delivery()
        self.withheld = 0
        #: Answers for the next paid calls, in place of the right one.
        self.paid_faults: deque[PaidFault] = deque()
        self.read_faults: deque[int] = deque()
        self.next_status: str | None = None
        self.cut_downloads = 0
        self.calls = 0
        self._numbers = 0
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        app = web.Application(middlewares=[self._watch], client_max_size=200 * 1024 * 1024)
        app.router.add_get("/delivery/{id}/{name}", self._deliver)
        v1 = "/v1"
        app.router.add_get(f"{v1}/account", self._account)
        app.router.add_get(f"{v1}/webhooks/default/secret", self._secret)
        app.router.add_post(f"{v1}/files", self._upload)
        app.router.add_get(f"{v1}/files", self._list_files)
        app.router.add_delete(f"{v1}/files/{{id}}", self._delete_file)
        app.router.add_post(f"{v1}/models", self._make_model)
        model = f"{v1}/models/{{owner}}/{{name}}"
        app.router.add_get(model, self._model)
        app.router.add_get(f"{model}/versions/{{version}}", self._version)
        app.router.add_delete(f"{model}/versions/{{version}}", self._delete_version)
        app.router.add_post(f"{model}/versions/{{version}}/trainings", self._train)
        app.router.add_post(f"{model}/predictions", self._predict)
        app.router.add_post(f"{v1}/predictions", self._predict)
        for kind in ("trainings", "predictions"):
            app.router.add_get(f"{v1}/{kind}", self._list_jobs)
            app.router.add_get(f"{v1}/{kind}/{{id}}", self._job)
            app.router.add_post(f"{v1}/{kind}/{{id}}/cancel", self._cancel)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def webhook(
        self, remote_id: str, *, delivery: str = "msg_1", at: float | None = None
    ) -> tuple[dict[str, str], bytes]:
        """Sign a message about a job as Replicate does."""
        body = json.dumps(self._job_json(self.jobs[remote_id])).encode()
        sent = str(int(time.time() if at is None else at))
        key = base64.b64decode(SECRET.removeprefix("whsec_"))
        digest = hmac.new(key, f"{delivery}.{sent}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,b3RoZXI= v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": delivery, "webhook-timestamp": sent, "webhook-signature": signature}, body

    @web.middleware
    async def _watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/delivery/"):
            return await handler(request)
        self.calls += 1
        body = await request.json() if request.content_type == "application/json" and request.can_read_body else None
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            answer = _problem(401, "You did not pass a valid authentication token")
        elif request.method == "GET" and self.read_faults:
            status = self.read_faults.popleft()
            self._note(request, body, web.json_response({"detail": "busy"}, status=status), planned=True)
            return web.json_response({"detail": "busy"}, status=status, headers={"Retry-After": "0"})
        else:
            try:
                answer = await handler(request)
            except web.HTTPException as error:
                answer = _problem(error.status, error.reason)
        self._note(request, body, answer, planned="X-Planned" in answer.headers)
        return answer

    def _note(self, request: web.Request, body: Any, answer: web.StreamResponse, *, planned: bool) -> None:
        text = answer.text if isinstance(answer, web.Response) else None
        try:
            told = json.loads(text) if text else None
        except ValueError:
            told = None
        self.exchanges.append(
            Exchange(
                method=request.method,
                path=request.path.removeprefix("/v1"),
                query=dict(request.query),
                request=body,
                files=(),
                status=answer.status,
                answer=told,
                planned=planned,
            )
        )

    async def _account(self, _: web.Request) -> web.Response:
        return web.json_response({"type": "organization", "username": OWNER, "name": "Darkroom's tests"})

    async def _secret(self, _: web.Request) -> web.Response:
        return web.json_response({"key": SECRET})

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        content = form["content"]
        assert isinstance(content, web.FileField)
        data, metadata = content.file.read(), form.get("metadata")
        if len(data) >= 100_000_000:
            return _problem(413, "Files must be less than 100MB in size")
        now, number = datetime.now(UTC), self._new_id()
        self.files[number] = {
            "id": number,
            "content_type": content.content_type,
            "size": len(data),
            "checksums": {"sha256": hashlib.sha256(data).hexdigest()},
            "metadata": json.loads(metadata if isinstance(metadata, str | bytes | bytearray) else b"{}"),
            "created_at": _stamp(now),
            "expires_at": _stamp(now + self.file_life),
            "urls": {"get": f"https://api.replicate.com/v1/files/{number}"},
        }
        return web.json_response(self.files[number], status=201)

    async def _list_files(self, request: web.Request) -> web.Response:
        return self._page(request, list(self.files.values())[::-1])

    async def _delete_file(self, request: web.Request) -> web.Response:
        if self.files.pop(request.match_info["id"], None) is None:
            return _problem(404, "File not found")
        return web.Response(status=204)

    async def _make_model(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        name = f"{wanted['owner']}/{wanted['name']}"
        if name in self.models:
            return _problem(409, "A model with that name and owner already exists")
        self.models[name] = wanted["visibility"]
        return web.json_response(self._model_json(name), status=201)

    async def _model(self, request: web.Request) -> web.Response:
        name = _name(request)
        return web.json_response(self._model_json(name)) if name in self.models else _problem(404, "Not found")

    async def _version(self, request: web.Request) -> web.Response:
        version = self.versions.get((_name(request), request.match_info["version"]))
        return web.json_response(version) if version else _problem(404, "Not found")

    async def _delete_version(self, request: web.Request) -> web.Response:
        gone = self.versions.pop((_name(request), request.match_info["version"]), None)
        return web.Response(status=202) if gone else _problem(404, "Not found")

    async def _train(self, request: web.Request) -> web.StreamResponse:
        body, name = await request.json(), _name(request)
        schema = self.versions[name, request.match_info["version"]]["openapi_schema"]["components"]["schemas"]
        inputs = schema["TrainingInput"]
        if body["destination"] not in self.models or not _fits(inputs, body["input"]):
            return _problem(422, "The destination or the input is wrong")
        steps = int(body["input"].get("steps", body["input"].get("training_steps", 1000)))
        job = Job(
            kind="trainings",
            id=self._new_id(),
            model=name,
            version=request.match_info["version"],
            input=body["input"],
            destination=body["destination"],
            total=steps,
        )
        return await self._accept(request, job)

    async def _predict(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name, version = _name(request) if "owner" in request.match_info else "", body.get("version", "hidden")
        if not name:
            name = next((n for n, v in self.versions if v == version), "")
        key = next((k for k in self.versions if k[0] == name and version in {k[1], "hidden"}), None)
        schemas = self.versions[key]["openapi_schema"]["components"]["schemas"] if key else {"Input": FINE_TUNE_INPUT}
        if not key or not _fits(schemas["Input"], body["input"]):
            return _problem(422, "The version or the input is wrong")
        job = Job(
            kind="predictions", id=self._new_id(), model=name, version=version, input=body["input"],
            total=STRIDE * int(body["input"]["num_outputs"]),
        )  # fmt: skip
        return await self._accept(request, job)

    async def _accept(self, request: web.Request, job: Job) -> web.StreamResponse:
        if self.paid_faults:
            return await self.paid_faults.popleft()(request, lambda: self._book(job))
        self._book(job)
        return web.json_response(self._job_json(job), status=201)

    def _book(self, job: Job) -> None:
        self.jobs[job.id] = job
        self.bill.append(job.id)

    async def _list_jobs(self, request: web.Request) -> web.Response:
        kind = request.path.rpartition("/")[2]
        after = request.query.get("created_after")
        jobs = [j for j in reversed(self.jobs.values()) if j.kind == kind]
        if after:
            jobs = [j for j in jobs if j.created_at >= datetime.fromisoformat(after)]
        return self._page(request, [self._job_json(job) for job in jobs])

    def _page(self, request: web.Request, entries: list[Any]) -> web.Response:
        start = int(request.query.get("cursor", 0))
        here = request.url.with_query(None)
        following = str(here.with_query({"cursor": start + PAGE})) if start + PAGE < len(entries) else None
        return web.json_response({"previous": None, "next": following, "results": entries[start : start + PAGE]})

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.kind != request.path.split("/")[2]:
            return _problem(404, "Not found")
        if self.next_status is not None:
            status, self.next_status = self.next_status, None
            headers = {"X-Planned": "1"}
            return web.json_response(self._job_json(job) | {"status": status}, headers=headers)
        self._move_on(job)
        return web.json_response(self._job_json(job))

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _problem(404, "Not found")
        if not job.ended:
            job.status = "canceled"
        return web.json_response(self._job_json(job))

    def _move_on(self, job: Job) -> None:
        if job.ended or self.busy:
            return
        if job.status == "starting":
            job.status = "processing"
        elif job.step < job.total:
            job.step = min(job.total, job.step + STRIDE)
        else:
            self._succeed(job)

    def _succeed(self, job: Job) -> None:
        job.status = "succeeded"
        if job.kind == "trainings":
            number = hashlib.sha256(job.id.encode()).hexdigest()
            self.versions[str(job.destination), number] = make_version(number, Input=FINE_TUNE_INPUT)
            weights = f"{self.base_url}/delivery/{job.id}/trained_model.tar"
            job.output = {"version": f"{job.destination}:{number}", "weights": weights}
            return
        passed = int(job.input["num_outputs"]) - self.withheld
        if passed > 0:
            job.output = [f"{self.base_url}/delivery/{job.id}/out-{number}.png" for number in range(passed)]
        else:
            job.status, job.output = "failed", None
            job.error = "NSFW content detected. Try running it again, or try a different prompt."

    async def _deliver(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        job = self.jobs[request.match_info["id"]]
        tar = name.endswith(".tar")
        data = self.delivery if tar else make_picture(int(job.input["seed"]))
        kind = "application/x-tar" if tar else "image/png"
        if not self.cut_downloads:
            return web.Response(body=data, content_type=kind)
        self.cut_downloads -= 1
        answer = web.StreamResponse(headers={"Content-Type": kind, "Content-Length": str(len(data))})
        await answer.prepare(request)
        await answer.write(data[: len(data) // 2])
        cut(request)
        return answer

    def _model_json(self, name: str) -> dict[str, Any]:
        owner, _, short = name.partition("/")
        latest = next((v for (n, _), v in reversed(self.versions.items()) if n == name), None)
        return {
            "url": f"https://replicate.com/{name}",
            "owner": owner,
            "name": short,
            "visibility": self.models[name],
            "is_official": owner == "black-forest-labs",
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": 5,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": latest,
        }

    def _job_json(self, job: Job) -> dict[str, Any]:
        here = f"https://api.replicate.com/v1/{job.kind}/{job.id}"
        told: dict[str, Any] = {
            "id": job.id,
            "model": job.model,
            "version": job.version,
            "input": {} if job.removed else job.input,
            "logs": "" if job.removed else job.logs,
            "error": job.error,
            "status": job.status,
            "source": "api",
            "created_at": _stamp(job.created_at),
            "urls": {"get": here, "cancel": f"{here}/cancel", "web": f"https://replicate.com/p/{job.id}"},
        }
        if job.kind == "predictions" or job.output is not None:
            told["output"] = None if job.removed else job.output
        if job.kind == "predictions":
            told["data_removed"] = job.removed
        if job.ended:
            told |= {"metrics": {"predict_time": 600.0, "total_time": 640.0}, "completed_at": _stamp(datetime.now(UTC))}
        return told

    def _new_id(self) -> str:
        self._numbers += 1
        return hashlib.sha256(str(self._numbers).encode()).hexdigest()[:26]


def cut(request: web.Request) -> None:
    """Reset the connection."""
    assert request.transport is not None
    request.transport.abort()


def planned(status: int, detail: str, headers: dict[str, str] | None = None) -> PaidFault:
    """Make a fault that refuses a paid call."""

    async def refuse(_: web.Request, _accept: Callable[[], None]) -> web.StreamResponse:
        return _problem(status, detail, {"X-Planned": "1", **(headers or {})})

    return refuse


async def accepted_and_broken(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    return _problem(500, "Internal server error", {"X-Planned": "1"})


async def accepted_and_silent(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    await asyncio.sleep(5)
    return web.Response(status=504, headers={"X-Planned": "1"})


async def accepted_and_cut(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    cut(request)
    return web.Response(status=500, headers={"X-Planned": "1"})


async def accepted_and_unreadable(request: web.Request, accept: Callable[[], None]) -> web.StreamResponse:
    accept()
    return web.Response(status=201, text="<html>Created</html>", headers={"X-Planned": "1"})


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"detail": detail, "status": status}, status=status, headers=headers)


def _fits(schema: dict[str, Any], inputs: dict[str, Any]) -> bool:
    known = schema["properties"]
    return all(name in inputs for name in schema["required"]) and all(
        name in known and known[name].get("minimum", value) <= value <= known[name].get("maximum", value)
        for name, value in inputs.items()
    )


def _name(request: web.Request) -> str:
    return f"{request.match_info['owner']}/{request.match_info['name']}"


def _stamp(when: datetime) -> str:
    return re.sub(r"\+00:00$", "Z", when.isoformat(timespec="microseconds"))
