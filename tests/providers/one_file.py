"""A whole provider in one module, as docs/adding-a-provider.md asks for it: the till of tests/fakes, for pictures.

What it keeps to is said in `providers.base` and in that page; test_one_file.py puts it through the contract suite.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import BaseModel, Field, SecretStr
from yarl import URL

from providers.base import (
    Aspect,
    Estimate,
    Health,
    ImageCapabilities,
    ImageOrder,
    LoraFormat,
    MadeImage,
    MadeImages,
    Prepared,
    Progress,
    RemoteState,
    Snapshot,
)
from providers.disk import is_marker
from providers.entry import Adapters, ProviderEntry, Setup
from providers.errors import ArtifactBroken, NotFound, Refused, SubmitUnsure, Unavailable, UnexpectedAnswer
from providers.http import error_for, fit_for_people, read
from providers.image_files import inspect_image
from providers.picture_orders import private_words, refuse_unfit
from providers.recipe import BaseModelName, Limits

_STATES = {state.value: state for state in RemoteState}


class OneFileImageMaker:
    """Makes pictures at the till."""

    name = "one-file"
    title = "One file"
    capabilities = ImageCapabilities(
        findable=True,
        settle_seconds=1,
        cancelable=True,
        poll_seconds=1,
        max_run_seconds=600,
        base_models=frozenset({BaseModelName.FLUX_1_DEV}),
        accepts=frozenset({LoraFormat.KOHYA, LoraFormat.DIFFUSERS}),
        aspects=frozenset(Aspect),
        count=Limits(low=1, high=4, default=1),
        strength=Limits(low=0.0, high=1.5, default=1.0),
        uses_prompt=True,
    )

    def __init__(self, url: str, key: SecretStr, session: aiohttp.ClientSession, *, seconds: float = 30.0) -> None:
        self._url, self._key, self._session, self._seconds = url, key, session, seconds

    def estimate(self, count: int) -> Estimate:
        return Estimate(low_usd=0.01 * count, high_usd=0.01 * count, minutes=0.1 * count, basis="what the till takes")

    async def check(self) -> Health:
        try:
            await self._ask("GET", "pictures", query={"since": datetime.now(UTC).isoformat()})
        except (Unavailable, UnexpectedAnswer) as error:
            return Health(ok=False, wording=error.sentence)
        return Health(ok=True, wording="The till answers.")

    async def prepare(self, order: ImageOrder) -> Prepared:
        self._refuse_unfit(order)
        lora = await asyncio.to_thread(order.lora.path.read_bytes)
        await self._ask("PUT", f"uploads/{order.marker}", data=lora)
        return {"marker": order.marker, "count": order.count, "seed": order.seed}

    async def submit(self, order: ImageOrder, prepared: Prepared) -> str:
        self._refuse_unfit(order)
        body = {"marker": order.marker, "count": order.count, "prompt": order.prompt}
        try:
            async with self._session.post(f"{self._url}/pictures", json=body, **self._how()) as answer:
                if answer.status != 201:
                    said = fit_for_people(await answer.text(), hide=private_words(order))
                    raise error_for(answer.status, provider="The till", detail=said, headers=answer.headers, paid=True)
                return str((await answer.json())["id"])
        except aiohttp.ClientConnectorError:
            raise Unavailable("The till can't be reached.") from None
        except (aiohttp.ClientError, OSError, ValueError, KeyError, TypeError):
            raise SubmitUnsure("The till took the order and gave no clear answer.") from None

    async def find(self, marker: str, prepared: Prepared, since: datetime) -> str | None:
        jobs = await self._ask("GET", "pictures", query={"since": since.isoformat()})
        return next((str(job["id"]) for job in jobs if job["marker"] == marker), None)

    async def poll(self, remote_id: str, prepared: Prepared) -> Snapshot:
        seen = await self._ask("GET", f"pictures/{_checked(remote_id)}")
        return Snapshot(
            state=_STATES.get(seen["status"]),
            raw_state=seen["status"],
            progress=Progress(step=seen["step"], total=seen["total"]),
            failure=seen["error"],
            cost_usd=seen["cost_usd"],
        )

    async def cancel(self, remote_id: str, prepared: Prepared) -> None:
        await self._ask("POST", f"pictures/{_checked(remote_id)}/cancel")

    async def collect(self, remote_id: str, prepared: Prepared, into: Path) -> MadeImages:
        if (await self.poll(remote_id, prepared)).state is not RemoteState.SUCCEEDED:
            raise Refused("This job has no result to collect.", advice="Wait until it is done.")
        return MadeImages(images=[await self._picture(remote_id, prepared, into, n) for n in range(prepared["count"])])

    async def cleanup(self, remote_id: str | None, prepared: Prepared) -> None:
        await self._ask("DELETE", f"uploads/{prepared['marker']}")

    def _refuse_unfit(self, order: ImageOrder) -> None:
        refuse_unfit(order, self.capabilities, title=self.title)
        if not is_marker(order.marker):
            raise Refused("The job's marker can't name an upload.")

    async def _picture(self, remote_id: str, prepared: Prepared, into: Path, number: int) -> MadeImage:
        async with self._answer("GET", f"pictures/{remote_id}/result/{number}") as answer:
            content = await answer.read()
        path = into / f"{number}.png"
        await asyncio.to_thread(path.write_bytes, content)
        image = await asyncio.to_thread(inspect_image, path)
        return MadeImage(path=path, seed=prepared["seed"] + number, width=image.width, height=image.height)

    async def _ask(self, method: str, path: str, *, query: Mapping[str, str] | None = None, data: Any = None) -> Any:
        async def once() -> Any:
            async with self._answer(method, path, query=query, data=data) as answer:
                return await answer.json()

        return await read(once)

    @asynccontextmanager
    async def _answer(self, method: str, path: str, *, query: Any = None, data: Any = None) -> AsyncIterator[Any]:
        url = URL(f"{self._url}/{path}").with_query(query)
        try:
            async with self._session.request(method, url, data=data, **self._how()) as answer:
                if answer.status >= 300:
                    raise error_for(answer.status, provider="The till", headers=answer.headers)
                yield answer
        except aiohttp.ClientPayloadError:
            raise ArtifactBroken("The till's picture was cut off on its way.") from None
        except (aiohttp.ClientError, OSError):
            raise Unavailable("The till can't be reached.") from None
        except (ValueError, KeyError, TypeError):
            raise UnexpectedAnswer("The till's answer can't be read.") from None

    def _how(self) -> dict[str, Any]:
        return {
            "headers": {"Authorization": self._key.get_secret_value()},
            "timeout": aiohttp.ClientTimeout(total=self._seconds),
            "allow_redirects": False,
        }


def _checked(remote_id: str) -> str:
    if not is_marker(remote_id):
        raise NotFound("The till doesn't know this job.")
    return remote_id


class OneFileOptions(BaseModel):
    """What an operator can set."""

    one_file_key: SecretStr | None = Field(default=None, description="Switches the till on: a key from its counter.")
    one_file_url: str = Field(default="http://127.0.0.1:9", description="Where the till is.")


def build(options: OneFileOptions, setup: Setup) -> Adapters:
    """Return the image maker."""
    if options.one_file_key is None:
        return Adapters()
    maker = OneFileImageMaker(options.one_file_url, options.one_file_key, setup.session)
    return Adapters(image_makers={maker.name: maker})


ONE_FILE = ProviderEntry(name="one-file", title="One file", options=OneFileOptions, switch="one_file_key", build=build)
