"""A bare REST client for the playground's tests, for what discord.py would refuse to send."""

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from playground.server import Playground


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> int:
        return self.body["code"]

    def complaint(self, path: str) -> str:
        """Give the code that Discord's nested errors have at a path with slashes."""
        node = self.body["errors"]
        for step in path.split("/"):
            node = node[step]
        return node["_errors"][0]["code"]


@dataclass(frozen=True, kw_only=True)
class Wire:
    server: Playground
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, body: Any = None, *, files: Any = None, **settings: Any) -> Answer:
        settings.setdefault("headers", {"Authorization": f"Bot {self.server.token}"})
        if files is not None:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("payload_json", json.dumps(body or {}))
            for number, (name, data) in enumerate(files):
                form.add_field(
                    f"files[{number}]", io.BytesIO(data), filename=name, content_type="application/octet-stream"
                )
            settings["data"] = form
        elif body is not None:
            settings["json"] = body
        async with self.session.request(method, self.server.api_base + path, **settings) as response:
            text = await response.text()
            return Answer(status=response.status, body=json.loads(text) if text else None, headers=response.headers)

    async def post(self, body: Any, *, files: Any = None) -> Answer:
        """Post into the first channel."""
        return await self.call("POST", f"/channels/{self.server.channel.id}/messages", body, files=files)

    async def edit(self, message_id: Any, body: Any, *, files: Any = None) -> Answer:
        path = f"/channels/{self.server.channel.id}/messages/{message_id}"
        return await self.call("PATCH", path, body, files=files)

    async def gateway(self, *, intents: int = 1) -> aiohttp.ClientWebSocketResponse:
        """Identify, so that interactions have somebody to go to."""
        ws = await self.session.ws_connect(f"{self.server.gateway_url}?v=10&encoding=json")
        await ws.send_json({"op": 2, "d": {"token": self.server.token, "intents": intents, "properties": {}}})
        await self.server.bot_connected()
        return ws


@asynccontextmanager
async def wired(server: Playground) -> AsyncIterator[Wire]:
    async with aiohttp.ClientSession() as session:
        yield Wire(server=server, session=session)
