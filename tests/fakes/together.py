"""Together for tests: its catalogue and its image call, by the OpenAPI file; the file names no errors for the latter,
so those have the shape that it gives to all others (ErrorData)."""

import base64
import io
from functools import cache
from typing import Any

from aiohttp import web
from PIL import Image

from tests.fakes.faulty import FaultyServer

KEY = "tgp_v1_secret-key-of-tests"
#: A word that this Together takes offence at.
OFFENSIVE = "scandal"
_KNOWN = {
    "prompt", "model", "steps", "image_url", "seed", "n", "height", "width", "negative_prompt", "response_format",
    "guidance_scale", "output_format", "image_loras", "reference_images", "disable_safety_checker",
}  # fmt: skip


@cache
def make_png(width: int, height: int, color: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (color % 256, 90, 160)).save(file, "PNG")
    return file.getvalue()


def model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1764000000, "type": "image"}


class FakeTogether(FaultyServer):
    """`bill` has the number of pictures of each order that was taken, whatever became of the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.bill: list[int] = []
        self.catalogue = [model("black-forest-labs/FLUX.1-schnell"), model("black-forest-labs/FLUX.2-dev")]
        #: Pictures that its filter keeps back from the next answers.
        self.withholds = 0

    def routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/models", self.on("models", self._models))
        app.router.add_post("/v1/images/generations", self.on("order", self._order))

    async def _models(self, request: web.Request, body: bytes) -> web.Response:
        return self._stranger(request) or web.json_response(self.catalogue)

    async def _order(self, request: web.Request, body: bytes) -> web.Response:
        order = await request.json()
        refusal = self._stranger(request) or self._unfit(order)
        if refusal is not None:
            return refusal
        if not all([await self.fetch(one["path"]) for one in order.get("image_loras", [])]):
            return _error(400, "Can't load a LoRA", "invalid_request_error")
        count = order.get("n", 1)
        self.bill.append(count)
        data = [
            {"index": number, "type": "b64_json", "b64_json": base64.b64encode(self._picture(order, number)).decode()}
            for number in range(count - self.withholds)
        ]
        return web.json_response({"id": "o-1", "model": order["model"], "object": "list", "data": data})

    def _picture(self, order: dict[str, Any], number: int) -> bytes:
        return make_png(order.get("width", 1024), order.get("height", 1024), order.get("seed", 0) + number)

    def _stranger(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {KEY}":
            return None
        return _error(401, "Invalid API key provided", "invalid_request_error", "invalid_api_key")

    def _unfit(self, order: dict[str, Any]) -> web.Response | None:
        unknown = set(order) - _KNOWN
        if unknown:
            return _error(400, f"has unused keys {sorted(unknown)}", "invalid_request_error")
        if order["model"] not in {one["id"] for one in self.catalogue}:
            return _error(
                404, f"Unable to access model {order['model']}", "invalid_request_error", "model_not_available"
            )
        if OFFENSIVE in order["prompt"]:
            return _error(422, "NSFW content detected in the prompt", "invalid_request_error")
        loras = order.get("image_loras", [])
        if len(loras) > 2 or not all(one["path"].endswith(".safetensors") for one in loras):
            return _error(400, f"Can't load a LoRA for {order['prompt']!r}", "invalid_request_error")
        return None


def _error(status: int, message: str, kind: str, code: str | None = None) -> web.Response:
    error = {"message": message, "type": kind} | ({"code": code} if code else {})
    return web.json_response({"error": error}, status=status)
