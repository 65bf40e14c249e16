"""fal for tests: queue, storage, platform and CDN on one server, by what fal documents.

fal publishes an OpenAPI file of its queue and one of its platform, but none was at hand: shapes and words here follow
its pages (Queue API, Webhooks, Request errors, Platform APIs) and the types of its JavaScript client. Not documented,
so played here in one way: what the status of a canceled request says (COMPLETED with `client_cancelled`).
"""

import base64
import hashlib
import io
import itertools
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image
from safetensors.numpy import save

from tests.fakes.faulty import FaultyServer
from tests.fakes.together import make_png

KEY = "fal-key-id:fal-key-secret-of-tests"
OFFENSIVE = "scandal"
#: Looks at which a request that is not short still runs.
LONG = 10_000

_IMAGE_KEYS = {
    "prompt", "loras", "num_images", "seed", "image_size", "num_inference_steps", "guidance_scale",
    "enable_safety_checker", "output_format", "acceleration", "sync_mode",
}  # fmt: skip
#: Inputs that each endpoint knows, and those that it needs.
INPUTS: dict[str, tuple[set[str], set[str]]] = {
    "fal-ai/flux-lora-fast-training": (
        {
            "images_data_url", "trigger_word", "steps", "is_style", "create_masks", "data_archive_format",
            "is_input_format_already_preprocessed",
        },
        {"images_data_url"},
    ),
    "fal-ai/flux-2-trainer": (
        {"image_data_url", "steps", "learning_rate", "default_caption", "output_lora_format"},
        {"image_data_url"},
    ),
    "fal-ai/flux-lora": (_IMAGE_KEYS, {"prompt"}),
    "fal-ai/esrgan": ({"image_url", "scale", "tile", "face", "model", "output_format"}, {"image_url"}),
    "fal-ai/flux-2/lora": (_IMAGE_KEYS | {"enable_prompt_expansion"}, {"prompt"}),
}  # fmt: skip


@dataclass(kw_only=True)
class FalRequest:
    """A request in the queue; it goes one on with each look."""

    id: str
    endpoint: str
    inputs: dict[str, Any]
    webhook: str | None
    sent_at: datetime
    #: Looks that are left in which it runs.
    left: int
    started: bool = False
    canceled: bool = False
    error_type: str = ""
    forgotten: bool = False
    lifecycle: str = ""

    @property
    def steps(self) -> int:
        return int(self.inputs.get("steps", 0))


@dataclass(kw_only=True)
class Stored:
    content: bytes = b""
    content_type: str = ""
    #: Until the upload is complete.
    parts: dict[int, bytes] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Signing:
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def jwk(self) -> dict[str, str]:
        raw = self.key.public_key().public_bytes_raw()
        return {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}


class FakeFal(FaultyServer):
    """`bill` has the endpoint of each order that was taken, whatever became of the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.bill: list[str] = []
        self.requests: dict[str, FalRequest] = {}
        self.stored: dict[str, Stored] = {}
        #: Nothing leaves the queue.
        self.busy = False
        #: No order takes long, however large it is.
        self.brisk = False
        #: Platform lists waiting and running requests too; not documented either way.
        self.lists_unfinished = True
        #: Numbers of pictures that the safety checker flags.
        self.flags: set[int] = set()
        #: What the status says instead of its own words.
        self.says: str | None = None
        self.offered = set(INPUTS)
        self.signing = _Signing()
        self._numbers = itertools.count(1)

    def routes(self, app: web.Application) -> None:
        add = app.router
        add.add_get("/queue/{owner}/{app}/requests/{id}/status", self.on("poll", self._status))
        add.add_put("/queue/{owner}/{app}/requests/{id}/cancel", self.on("cancel", self._cancel))
        add.add_get("/queue/{owner}/{app}/requests/{id}", self.on("outcome", self._outcome))
        add.add_post("/queue/{endpoint:.+}", self.on("order", self._order))
        add.add_post("/rest/storage/upload/initiate", self.on("place", self._place))
        add.add_post("/rest/storage/upload/initiate-multipart", self.on("place", self._place))
        add.add_put("/upload/{name}/{part}", self.on("part", self._part))
        add.add_post("/upload/{name}/complete", self.on("complete", self._complete))
        add.add_get("/rest/.well-known/jwks.json", self.on("keys", self._keys))
        add.add_put("/upload/{name}", self.on("upload", self._upload))
        add.add_get("/platform/v1/models/requests/by-endpoint", self.on("past", self._past))
        add.add_delete("/platform/v1/models/requests/{id}/payloads", self.on("forget", self._forget))
        add.add_get("/platform/v1/models/pricing", self.on("prices", self._prices))
        add.add_get("/cdn/{id}/{name}", self.on("download", self._download))

    # ------------------------------------------------------------------ for tests
    def signed(self, body: bytes, *, at: int, request_id: str = "delivery-1", key: Ed25519PrivateKey | None = None):
        message = "\n".join([request_id, "user-1", str(at), hashlib.sha256(body).hexdigest()]).encode()
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": "user-1",
            "X-Fal-Webhook-Timestamp": str(at),
            "X-Fal-Webhook-Signature": (key or self.signing.key).sign(message).hex(),
        }

    # ------------------------------------------------------------------ the queue
    async def _order(self, request: web.Request, body: bytes) -> web.Response:
        endpoint, inputs = request.match_info["endpoint"], json.loads(body)
        refusal = self._stranger(request) or _unfit(endpoint, inputs)
        if refusal is not None:
            return refusal
        links = [value for key, value in inputs.items() if key.endswith(("data_url", "image_url"))]
        if not all([await self.fetch(link) for link in links]):
            return web.json_response({"detail": "The archive can't be fetched"}, status=422)
        number = next(self._numbers)
        long = int(inputs.get("steps", 0)) > 1000 or inputs.get("num_images") == 4
        taken = FalRequest(
            id=f"764cabcf-b745-4b3e-ae38-{number:012}",
            endpoint=endpoint,
            inputs=inputs,
            webhook=request.query.get("fal_webhook"),
            sent_at=datetime.now(UTC),
            left=LONG if long and not self.brisk else 2,
            lifecycle=request.headers.get("X-Fal-Object-Lifecycle-Preference", ""),
        )
        self.requests[taken.id] = taken
        self.bill.append(endpoint)
        return web.json_response({"status": "IN_QUEUE", "queue_position": 0, **self._urls(taken)})

    async def _status(self, request: web.Request, body: bytes) -> web.Response:
        found, refusal = self._found(request)
        if found is None:
            return refusal
        answer: dict[str, Any] = {"status": self._step(found), **self._urls(found)}
        if answer["status"] == "IN_QUEUE":
            answer["queue_position"] = 3 if self.busy else 0
        elif request.query.get("logs") == "1":
            answer["logs"] = _logs(found)
        if answer["status"] == "COMPLETED":
            answer["metrics"] = {"inference_time": 12.5}
            if found.canceled:
                answer |= {"error": "Request was cancelled", "error_type": "client_cancelled"}
        return web.json_response(answer, status=200 if answer["status"] == "COMPLETED" else 202)

    def _step(self, found: FalRequest) -> str:
        if self.says:
            return self.says
        if found.canceled:
            return "COMPLETED"
        if self.busy or not found.started:
            found.started = not self.busy
            return "IN_QUEUE"
        found.left -= 1
        return "IN_PROGRESS" if found.left >= 0 else "COMPLETED"

    async def _outcome(self, request: web.Request, body: bytes) -> web.Response:
        found, refusal = self._found(request)
        if found is None:
            return refusal
        if found.left >= 0 and not found.canceled:
            return web.json_response({"detail": "Request is still in progress"}, status=400)
        if found.error_type:
            detail = {"detail": "It broke down", "error_type": found.error_type}
            return web.json_response(detail, status=504, headers={"X-Fal-Error-Type": found.error_type})
        if OFFENSIVE in str(found.inputs.get("prompt", "")):
            wrong = {"loc": ["body", "prompt"], "msg": "flagged", "type": "content_policy_violation"}
            return web.json_response({"detail": [wrong | {"input": found.inputs}]}, status=422)
        return web.json_response(self._output(found))

    def _output(self, found: FalRequest) -> dict[str, Any]:
        base = f"{self.url}/cdn/{found.id}"
        if found.endpoint == "fal-ai/esrgan":
            return {"image": {"url": f"{base}/enlarged", "content_type": "image/jpeg", "file_size": 1}}
        if "prompt" not in found.inputs:
            file = {"content_type": "application/octet-stream", "file_name": "lora.safetensors", "file_size": 1}
            return {"diffusers_lora_file": {"url": f"{base}/lora", **file}, "config_file": {"url": f"{base}/config"}}
        count, size = found.inputs.get("num_images", 1), found.inputs["image_size"]
        images = [{"url": f"{base}/{number}", "content_type": "image/png", **size} for number in range(count)]
        flagged = [number in self.flags for number in range(count)]
        return {
            "images": images,
            "seed": found.inputs["seed"],
            "has_nsfw_concepts": flagged,
            "prompt": found.inputs["prompt"],
            "timings": {"inference": 1.2},
        }

    async def _cancel(self, request: web.Request, body: bytes) -> web.Response:
        found, refusal = self._found(request)
        if found is None:
            return refusal
        if found.left < 0 or found.canceled:
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        found.canceled = True
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    # ------------------------------------------------------------------ storage, platform, CDN
    async def _place(self, request: web.Request, body: bytes) -> web.Response:
        name = f"{next(self._numbers)}-{json.loads(body)['file_name']}"
        self.stored[name] = Stored()
        place = {"upload_url": f"{self.url}/upload/{name}?signature=s3cr3t", "file_url": f"{self.url}/stored/{name}"}
        return self._stranger(request) or web.json_response(place)

    async def _upload(self, request: web.Request, body: bytes) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="the place is signed already")
        self.stored[request.match_info["name"]] = Stored(content=body, content_type=request.content_type)
        return web.Response()

    async def _part(self, request: web.Request, body: bytes) -> web.Response:
        stored = self.stored.get(request.match_info["name"])
        if stored is None or "Authorization" in request.headers or request.query.get("signature") != "s3cr3t":
            return web.Response(status=400, text="a part is signed as its place is")
        number = int(request.match_info["part"])
        stored.parts[number] = body
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return web.json_response({"partNumber": number, "etag": etag})

    async def _complete(self, request: web.Request, body: bytes) -> web.Response:
        stored = self.stored[request.match_info["name"]]
        told = {one["partNumber"]: one["etag"] for one in json.loads(body)["parts"]}
        took = {n: hashlib.md5(part, usedforsecurity=False).hexdigest() for n, part in stored.parts.items()}
        if told != took or request.query.get("signature") != "s3cr3t":
            return web.json_response({"detail": "One or more of the parts could not be found"}, status=400)
        stored.content = b"".join(stored.parts[number] for number in sorted(stored.parts))
        return web.json_response({"url": "done"})

    async def _keys(self, request: web.Request, body: bytes) -> web.Response:
        return web.json_response({"keys": [self.signing.jwk]})

    async def _past(self, request: web.Request, body: bytes) -> web.Response:
        start = datetime.fromisoformat(request.query["start"])
        shown = [
            one
            for one in reversed(self.requests.values())
            if one.endpoint == request.query["endpoint_id"]
            and one.sent_at >= start
            and (self.lists_unfinished or one.left < 0)
        ]
        at = int(request.query.get("cursor", "0"))
        items = [_item(one) for one in shown[at : at + 1]]
        more = at + 1 < len(shown)
        answer = {"items": items, "has_more": more, "next_cursor": str(at + 1) if more else None}
        return self._stranger(request) or web.json_response(answer)

    async def _forget(self, request: web.Request, body: bytes) -> web.Response:
        found = self.requests.get(request.match_info["id"])
        if found is None:
            return web.json_response({"error": {"type": "not_found", "message": "unknown"}}, status=404)
        found.forgotten = True
        return self._stranger(request) or web.json_response({"cdn_delete_results": []})

    async def _prices(self, request: web.Request, body: bytes) -> web.Response:
        asked = request.query["endpoint_id"].split(",")
        price = {"unit_price": 0.035, "unit": "megapixels", "currency": "USD"}
        prices = [{"endpoint_id": one, **price} for one in asked if one in self.offered]
        return self._stranger(request) or web.json_response({"prices": prices, "has_more": False, "next_cursor": None})

    async def _download(self, request: web.Request, body: bytes) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="the CDN has no use for keys")
        found = self.requests[request.match_info["id"]]
        if request.match_info["name"] == "lora":
            tensors = {f"transformer.blocks.0.attn.lora_{side}.weight": np.zeros((4, 4), np.float32) for side in "AB"}
            return web.Response(body=save(tensors), content_type="application/octet-stream")
        if request.match_info["name"] == "enlarged":
            side = int(1024 * found.inputs["scale"])
            file = io.BytesIO()
            Image.new("RGB", (side, side), (90, 160, 60)).save(file, "JPEG")
            return web.Response(body=file.getvalue(), content_type="image/jpeg")
        size = found.inputs["image_size"]
        picture = make_png(size["width"], size["height"], int(request.match_info["name"]))
        return web.Response(body=picture, content_type="image/png")

    # ------------------------------------------------------------------
    def _found(self, request: web.Request) -> tuple[FalRequest | None, web.Response]:
        found = self.requests.get(request.match_info["id"])
        app = f"{request.match_info['owner']}/{request.match_info['app']}"
        known = found is not None and "/".join(found.endpoint.split("/")[:2]) == app
        unknown = web.json_response({"detail": "Request not found", "status": "NOT_FOUND"}, status=404)
        return (found if known else None), self._stranger(request) or unknown

    def _stranger(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Key {KEY}":
            return None
        return web.json_response({"detail": "No user found for Key ID and Secret"}, status=401)

    def _urls(self, taken: FalRequest) -> dict[str, str]:
        app = "/".join(taken.endpoint.split("/")[:2])
        base = f"{self.url}/queue/{app}/requests/{taken.id}"
        urls = {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
        return {"request_id": taken.id, **urls}


def _unfit(endpoint: str, inputs: dict[str, Any]) -> web.Response | None:
    if endpoint not in INPUTS:
        return web.json_response({"detail": f"Application '{endpoint}' not found"}, status=404)
    known, needed = INPUTS[endpoint]
    wrong = [{"loc": ["body", key], "msg": "field required", "type": "missing"} for key in needed - set(inputs)]
    if len(inputs.get("loras", [])) > 3:
        wrong.append({"loc": ["body", "loras"], "msg": "List should have at most 3 items", "type": "too_long"})
    wrong += [{"loc": ["body", key], "msg": "unknown", "type": "extra_forbidden"} for key in set(inputs) - known]
    return web.json_response({"detail": wrong}, status=422) if wrong else None


def _item(one: FalRequest) -> dict[str, Any]:
    # fal fills in what the caller left out.
    return {
        "request_id": one.id,
        "endpoint_id": one.endpoint,
        "sent_at": one.sent_at.isoformat(),
        "json_input": None if one.forgotten else one.inputs | {"sync_mode": False},
    }


def _logs(found: FalRequest) -> list[dict[str, str]]:
    if not found.steps:
        return []
    lines = ["Captioning:  50%|█████     | 2/4 [00:01<00:01,  1.9it/s]"]
    done = min(found.steps, found.steps * (3 - max(found.left, 0)) // 3) if found.left < LONG // 2 else 1
    lines.append(f" {100 * done // found.steps}%|██   | {done}/{found.steps} [00:10<00:20,  5.0it/s, loss=0.31]")
    stamp = "2026-11-23T12:00:00.000Z"
    return [{"message": line, "level": "INFO", "source": "USER", "timestamp": stamp} for line in lines]
