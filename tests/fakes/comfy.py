"""ComfyUI for tests: its queue, history, nodes and pictures, by its source of 0.33.0 (2026-08-22: server.py,
execution.py, comfy_execution/jobs.py, nodes.py). It reads a real folder of LoRAs, and forgets everything on `restart`.

A job goes on with each look at the queue; one of four pictures runs until it is stopped.
"""

import io
import itertools
import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from PIL import Image, PngImagePlugin

from tests.fakes.comfy_nodes import NODES, complaints
from tests.fakes.faulty import FaultyServer

VERSION = "0.33.0"
#: What a proxy in front of it asks for.
AUTHORIZATION = "Bearer comfy-proxy-secret-of-tests"
LONG = 10_000


@dataclass(kw_only=True, eq=False)
class Prompt:
    """A job in the queue or the history."""

    id: str
    number: int
    graph: dict[str, Any]
    left: int
    outputs: dict[str, Any] = field(default_factory=dict)
    status: dict[str, Any] | None = None

    @property
    def item(self) -> list[Any]:
        shows = [number for number, node in self.graph.items() if NODES[node["class_type"]][2]]
        return [self.number, self.id, self.graph, {"create_time": 1764000000000}, shows]


class FakeComfy(FaultyServer):
    """`bill` has the id of each job that was queued, whatever became of the answer."""

    def __init__(self, loras: Path) -> None:
        super().__init__()
        self.loras = loras
        self.bill: list[str] = []
        self.version = VERSION
        self.files: dict[str, list[str]] = {
            "checkpoints": ["sd_xl_base_1.0.safetensors", "v1-5-pruned-emaonly-fp16.safetensors"],
            "diffusion_models": ["flux1-dev.safetensors", "flux2_dev_fp8mixed.safetensors"],
            "text_encoders": [
                "clip_l.safetensors", "t5xxl_fp16.safetensors", "mistral_3_small_flux2_bf16.safetensors",
            ],
            "vae": ["ae.safetensors", "flux2-vae.safetensors"],
        }  # fmt: skip
        self.nodes = set(NODES)
        self.pending: list[Prompt] = []
        self.running: Prompt | None = None
        self.history: dict[str, Prompt] = {}
        self.shown: dict[str, bytes] = {}
        #: Nothing leaves the queue.
        self.busy = False
        #: What the next job to end fails with: exception type and message.
        self.breaks: tuple[str, str] | None = None
        #: What the history says instead of its own words, once.
        self.says: str | None = None
        #: No order takes long, however large it is.
        self.brisk = False
        #: It asks for AUTHORIZATION.
        self.locked = False
        #: Looks that a stopped job still takes to let go.
        self.lingers = 0
        self._numbers = itertools.count()

    def routes(self, app: web.Application) -> None:
        add = app.router
        add.add_get("/system_stats", self.on("stats", self._stats))
        add.add_get("/object_info/{kind}", self.on("node", self._node))
        add.add_post("/prompt", self.on("order", self._order))
        add.add_get("/queue", self.on("poll", self._queue))
        add.add_post("/queue", self.on("unqueue", self._unqueue))
        add.add_post("/interrupt", self.on("interrupt", self._interrupt))
        add.add_get("/history/{id}", self.on("history", self._history))
        add.add_post("/history", self.on("forget", self._forget))
        add.add_get("/view", self.on("download", self._view))

    def restart(self) -> None:
        """Forget all jobs and clear what was only shown away, as it does when it starts."""
        self.pending, self.running, self.history, self.shown = [], None, {}, {}

    def listed(self) -> dict[str, list[str]]:
        return {**self.files, "loras": sorted(path.name for path in self.loras.glob("[!.]*.safetensors"))}

    # ------------------------------------------------------------------ what can be asked
    async def _stats(self, request: web.Request, body: bytes) -> web.Response:
        system = {"os": "posix", "comfyui_version": self.version, "python_version": "3.12.3", "argv": ["main.py"]}
        return self._stranger(request) or web.json_response({"system": system, "devices": []})

    async def _node(self, request: web.Request, body: bytes) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in self.nodes:
            return web.json_response({})
        inputs, gives, is_output = NODES[kind]
        listed = self.listed()
        required = {
            name: [listed[info[0][1:]], *info[1:]] if str(info[0]).startswith("@") else info
            for name, info in inputs.items()
        }
        told = {"input": {"required": required}, "output": gives, "name": kind, "output_node": is_output}
        return self._stranger(request) or web.Response(
            text=json.dumps({kind: told}).replace("Infinity", "1e308"), content_type="application/json"
        )

    async def _queue(self, request: web.Request, body: bytes) -> web.Response:
        running, pending = self.running, list(self.pending)
        self._step()
        # The waiting ones are a heap, so that only the first is sure to be in its place.
        pending = pending[:1] + pending[1:][::-1]
        told = {
            "queue_running": [running.item] if running else [],
            "queue_pending": [one.item for one in pending],
        }
        return self._stranger(request) or web.json_response(told)

    async def _history(self, request: web.Request, body: bytes) -> web.Response:
        found = self.history.get(request.match_info["id"])
        if found is None:
            return web.json_response({})
        status = {**(found.status or {}), "status_str": self.says} if self.says else found.status
        self.says = None
        told = {"prompt": found.item, "outputs": found.outputs, "status": status, "meta": {}}
        return self._stranger(request) or web.json_response({found.id: told})

    async def _view(self, request: web.Request, body: bytes) -> web.Response:
        picture = self.shown.get(request.query["filename"]) if request.query.get("type") == "temp" else None
        return web.Response(status=404) if picture is None else web.Response(body=picture, content_type="image/png")

    # ------------------------------------------------------------------ what can be done
    async def _order(self, request: web.Request, body: bytes) -> web.Response:
        refusal = self._stranger(request)
        if refusal is not None:
            return refusal
        told = json.loads(body)
        prompt_id = told.get("prompt_id") or str(uuid.uuid4())
        if not isinstance(prompt_id, str) or str(uuid.UUID(prompt_id)) != prompt_id:
            return _refusal("invalid_prompt_id", "prompt_id must be a valid UUID")
        graph = told["prompt"]
        for number, node in graph.items():
            if node["class_type"] not in self.nodes:
                message = f"Node '{node['class_type']}' not found. The custom node may not be installed."
                return _refusal("missing_node_type", message, details=f"Node ID '#{number}'")
        wrong = complaints(graph, self.listed())
        if wrong:
            nodes = {
                number: {"errors": errors, "dependent_outputs": [], "class_type": graph[number]["class_type"]}
                for number, errors in wrong.items()
            }
            return _refusal("prompt_outputs_failed_validation", "Prompt outputs failed validation", nodes=nodes)
        shows = sum(NODES[node["class_type"]][2] for node in graph.values())
        prompt = Prompt(
            id=prompt_id, number=next(self._numbers), graph=graph, left=LONG if shows == 4 and not self.brisk else 2
        )
        self.pending.append(prompt)
        self.bill.append(prompt_id)
        return web.json_response({"prompt_id": prompt_id, "number": prompt.number, "node_errors": {}})

    async def _unqueue(self, request: web.Request, body: bytes) -> web.Response:
        unwanted = json.loads(body)["delete"]
        self.pending = [one for one in self.pending if one.id not in unwanted]
        return web.Response()

    async def _interrupt(self, request: web.Request, body: bytes) -> web.Response:
        prompt_id = json.loads(body).get("prompt_id") if body else None
        running = self.running
        if running is not None and prompt_id in {None, running.id}:
            running.left = -self.lingers
            running.status = _status("error", ["execution_interrupted", {"prompt_id": running.id, "executed": []}])
        return web.Response()

    async def _forget(self, request: web.Request, body: bytes) -> web.Response:
        for one in json.loads(body)["delete"]:
            self.history.pop(one, None)
        return web.Response()

    def _stranger(self, request: web.Request) -> web.Response | None:
        if self.locked and request.headers.get("Authorization") != AUTHORIZATION:
            return web.Response(status=401, text="<html>401 Authorization Required</html>")
        return None

    # ------------------------------------------------------------------ the worker
    def _step(self) -> None:
        running = self.running
        if running is not None and running.status is not None and running.left < 0:
            running.left += 1
            return
        if running is not None:
            running.left -= 1
            if running.left <= 0 or running.status is not None:
                self._end(running)
                self.running = None
            return
        if self.pending and not self.busy:
            self.running = self.pending.pop(0)

    def _end(self, prompt: Prompt) -> None:
        self.history[prompt.id] = prompt
        if prompt.status is not None:
            return
        if self.breaks is not None:
            kind, message = self.breaks
            told = {"node_id": "1", "node_type": "KSampler", "exception_type": kind, "exception_message": message}
            prompt.status = _status("error", ["execution_error", {**told, "traceback": [], "current_inputs": {}}])
            return
        prompt.outputs = {number: self._show(prompt, number) for number in prompt.item[4]}
        prompt.status = _status("success", ["execution_success", {"prompt_id": prompt.id}])

    def _show(self, prompt: Prompt, number: str) -> dict[str, Any]:
        name = f"ComfyUI_temp_abcde_{len(self.shown) + 1:05}_.png"
        self.shown[name] = self._picture(prompt, number)
        return {"images": [{"filename": name, "subfolder": "", "type": "temp"}]}

    def _picture(self, prompt: Prompt, number: str) -> bytes:
        """Draw what stands before an output: its size and its seed decide."""
        inputs = _before(prompt.graph, number)
        notes = PngImagePlugin.PngInfo()
        notes.add_text("prompt", json.dumps(prompt.graph))
        size = (inputs["width"], inputs["height"])
        file = io.BytesIO()
        Image.new("RGB", size, (inputs["seed"] % 256, 40, 90)).save(file, "PNG", pnginfo=notes, compress_level=1)
        return file.getvalue()


def _before(graph: dict[str, Any], number: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in graph[number]["inputs"].items():
        if isinstance(value, list):
            found |= {key: told for key, told in _before(graph, value[0]).items() if key not in found}
        else:
            found["seed" if name == "noise_seed" else name] = value
    return found


def _status(word: str, *messages: list[Any]) -> dict[str, Any]:
    started = ["execution_start", {"prompt_id": "…", "timestamp": 1764000000000}]
    return {"status_str": word, "completed": word == "success", "messages": [started, *messages]}


def _refusal(kind: str, message: str, *, details: str = "", nodes: dict[str, Any] | None = None) -> web.Response:
    error = {"type": kind, "message": message, "details": details, "extra_info": {}}
    return web.json_response({"error": error, "node_errors": nodes or {}}, status=400)
