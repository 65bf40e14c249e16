"""A stand-in for Replicate on localhost: models, files, trainings, predictions, answered as its OpenAPI file has them.

It trains nothing and its pictures are drawn by code. A job moves on with each look at it, never with time.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from playground.replicate_goods import draw_fox, make_delivery
from playground.replicate_jobs import STRIDE, Job, stamp
from playground.replicate_models import FINE_TUNE_INPUT, fits, make_version, ready_versions

TOKEN = "r8_FakeTokenThatMustNeverBeSeen0001"  # noqa: S105 - opens nothing but this stand-in
OWNER = "darkroom-playground"
#: Entries of one page of a list.
PAGE = 3
#: Sides of a picture of about one megapixel, by its aspect ratio.
SIZES = {"1:1": (1024, 1024), "16:9": (1344, 768), "9:16": (768, 1344), "4:3": (1152, 896), "3:4": (896, 1152)}
MOST_UPLOAD = 100_000_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReplicateStandIn:
    """Plays Replicate while the `async with` block runs; the orders that it took are on its bill."""

    #: The account that the token belongs to.
    owner = OWNER

    def __init__(self) -> None:
        #: Ids of the paid calls that were accepted, in order.
        self.bill: list[str] = []
        self.jobs: dict[str, Job] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.versions = ready_versions()
        #: Numbers of versions that somebody else ran, or that a training needs: they cannot be deleted.
        self.versions_in_use: set[str] = set()
        self.models: dict[str, str] = {name: "public" for name, _ in self.versions}
        #: Jobs stay in the queue while this is set.
        self.busy = False
        self.file_life = timedelta(hours=24)
        #: What comes back of a training, and how many pictures a filter keeps back.
        self.delivery = make_delivery()
        self.withheld = 0
        self._numbers = 0
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on a free port of this machine."""
        app = web.Application(middlewares=[self.middleware()], client_max_size=2 * MOST_UPLOAD)
        self._add_routes(app.router)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening; fine to call again."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/delivery/{id}/{name}", self._deliver)
        v1 = "/v1"
        router.add_get(f"{v1}/account", self._account)
        router.add_post(f"{v1}/files", self._upload)
        router.add_get(f"{v1}/files", self._list_files)
        router.add_delete(f"{v1}/files/{{id}}", self._delete_file)
        router.add_post(f"{v1}/models", self._make_model)
        model = f"{v1}/models/{{owner}}/{{name}}"
        router.add_get(model, self._model)
        router.add_get(f"{model}/versions/{{version}}", self._version)
        router.add_delete(f"{model}/versions/{{version}}", self._delete_version)
        router.add_post(f"{model}/versions/{{version}}/trainings", self._train)
        router.add_post(f"{model}/predictions", self._predict)
        router.add_post(f"{v1}/predictions", self._predict)
        for kind in ("trainings", "predictions"):
            router.add_get(f"{v1}/{kind}", self._list_jobs)
            router.add_get(f"{v1}/{kind}/{{id}}", self._job)
            router.add_post(f"{v1}/{kind}/{{id}}/cancel", self._cancel)

    def middleware(self) -> Any:
        """Return what stands before every route."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self.answer(request, handler)

        return watch

    async def answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let in who has the token; everybody may fetch what was delivered."""
        authorized = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        if not authorized and not request.path.startswith("/delivery/"):
            return problem(401, "You did not pass a valid authentication token")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return problem(error.status, error.reason)

    async def _account(self, _: web.Request) -> web.Response:
        return web.json_response({"type": "organization", "username": self.owner, "name": "Darkroom's playground"})

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        content, metadata = form["content"], form.get("metadata")
        if not isinstance(content, web.FileField):
            return problem(400, "There is no file")
        data = content.file.read()
        if len(data) >= MOST_UPLOAD:
            return problem(413, "Files must be less than 100MB in size")
        now, number = datetime.now(UTC), self._new_id()
        self.files[number] = {
            "id": number,
            "content_type": content.content_type,
            "size": len(data),
            "checksums": {"sha256": hashlib.sha256(data).hexdigest()},
            "metadata": json.loads(metadata if isinstance(metadata, str | bytes | bytearray) else b"{}"),
            "created_at": stamp(now),
            "expires_at": stamp(now + self.file_life),
            "urls": {"get": f"https://api.replicate.com/v1/files/{number}"},
        }
        return web.json_response(self.files[number], status=201)

    async def _list_files(self, request: web.Request) -> web.Response:
        return self.page(request, list(self.files.values())[::-1])

    async def _delete_file(self, request: web.Request) -> web.Response:
        if self.files.pop(request.match_info["id"], None) is None:
            return problem(404, "File not found")
        return web.Response(status=204)

    async def _make_model(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        name = f"{wanted['owner']}/{wanted['name']}"
        if name in self.models:
            return problem(409, "A model with that name and owner already exists")
        self.models[name] = wanted["visibility"]
        return web.json_response(self._model_told(name), status=201)

    async def _model(self, request: web.Request) -> web.Response:
        name = _name(request)
        return web.json_response(self._model_told(name)) if name in self.models else problem(404, "Not found")

    async def _version(self, request: web.Request) -> web.Response:
        version = self.versions.get((_name(request), request.match_info["version"]))
        return web.json_response(version) if version else problem(404, "Not found")

    async def _delete_version(self, request: web.Request) -> web.Response:
        number = request.match_info["version"]
        if number in self.versions_in_use:
            # The restriction is documented, its status is not.
            return problem(400, "The version is in use", {"X-Planned": "1"})
        gone = self.versions.pop((_name(request), number), None)
        return web.Response(status=202) if gone else problem(404, "Not found")

    async def _train(self, request: web.Request) -> web.StreamResponse:
        body, name = await request.json(), _name(request)
        schema = self.versions[name, request.match_info["version"]]["openapi_schema"]["components"]["schemas"]
        inputs = schema["TrainingInput"]
        if body["destination"] not in self.models or not fits(inputs, body["input"]):
            return problem(422, "The destination or the input is wrong")
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
        return await self.accept(request, job)

    async def _predict(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name, version = _name(request) if "owner" in request.match_info else "", body.get("version", "hidden")
        if not name:
            name = next((n for n, v in self.versions if v == version), "")
        key = next((k for k in self.versions if k[0] == name and version in {k[1], "hidden"}), None)
        schemas = self.versions[key]["openapi_schema"]["components"]["schemas"] if key else {"Input": FINE_TUNE_INPUT}
        if not key or not fits(schemas["Input"], body["input"]):
            return problem(422, "The version or the input is wrong")
        job = Job(
            kind="predictions",
            id=self._new_id(),
            model=name,
            version=version,
            input=body["input"],
            total=STRIDE * int(body["input"]["num_outputs"]),
        )
        return await self.accept(request, job)

    async def accept(self, request: web.Request, job: Job) -> web.StreamResponse:
        """Take a paid order and answer it."""
        self.book(job)
        return web.json_response(job.told(), status=201)

    def book(self, job: Job) -> None:
        """Put an order on the bill."""
        self.jobs[job.id] = job
        self.bill.append(job.id)

    async def _list_jobs(self, request: web.Request) -> web.Response:
        kind = request.path.rpartition("/")[2]
        after = request.query.get("created_after")
        jobs = [j for j in reversed(self.jobs.values()) if j.kind == kind]
        if after:
            jobs = [j for j in jobs if j.created_at >= datetime.fromisoformat(after)]
        return self.page(request, [job.told() for job in jobs])

    def page(self, request: web.Request, entries: list[Any]) -> web.Response:
        """Answer with a part of a list, and where the next part is."""
        start = int(request.query.get("cursor", 0))
        here = request.url.with_query(None)
        following = str(here.with_query({"cursor": start + PAGE})) if start + PAGE < len(entries) else None
        return web.json_response({"previous": None, "next": following, "results": entries[start : start + PAGE]})

    async def _job(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or job.kind != request.path.split("/")[2]:
            return problem(404, "Not found")
        return self.look(job)

    def look(self, job: Job) -> web.Response:
        """Move a job on and answer how it stands."""
        if not job.ended and not self.busy:
            self._move_on(job)
        return web.json_response(job.told())

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return problem(404, "Not found")
        if not job.ended:
            job.status = "canceled"
        return web.json_response(job.told())

    def _move_on(self, job: Job) -> None:
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
        name, job = request.match_info["name"], self.jobs[request.match_info["id"]]
        if name.endswith(".tar"):
            return await self.deliver(request, self.delivery, "application/x-tar")
        number = int(name.removeprefix("out-").removesuffix(".png"))
        return await self.deliver(request, await asyncio.to_thread(self.draw, job, number), "image/png")

    async def deliver(self, request: web.Request, data: bytes, content_type: str) -> web.StreamResponse:
        """Hand out a file."""
        return web.Response(body=data, content_type=content_type)

    def draw(self, job: Job, number: int) -> bytes:
        """Return one picture of a prediction; blocks."""
        return draw_fox(int(job.input["seed"]), number, SIZES.get(job.input.get("aspect_ratio", ""), SIZES["1:1"]))

    def _model_told(self, name: str) -> dict[str, Any]:
        owner, _, short = name.partition("/")
        latest = next((v for (n, _), v in reversed(self.versions.items()) if n == name), None)
        empty = ("github_url", "paper_url", "license_url", "cover_image_url", "default_example")
        return dict.fromkeys(empty) | {
            "url": f"https://replicate.com/{name}",
            "owner": owner,
            "name": short,
            "visibility": self.models[name],
            "is_official": owner == "black-forest-labs",
            "run_count": 5,
            "latest_version": latest,
        }

    def _new_id(self) -> str:
        self._numbers += 1
        return hashlib.sha256(str(self._numbers).encode()).hexdigest()[:26]


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """Make an error as the API has them."""
    return web.json_response({"detail": detail, "status": status}, status=status, headers=headers)


def _name(request: web.Request) -> str:
    return f"{request.match_info['owner']}/{request.match_info['name']}"
