"""A proxy that cuts connections in the middle of an upload, as bad networks do."""

import asyncio
from types import TracebackType
from typing import Self


class CuttingProxy:
    """Hands bytes on to a port of this machine, and cuts the first two uploads after some of their bytes."""

    def __init__(self, to: int, *, most_cuts: int = 2, after: int = 700) -> None:
        self._to = to
        self._most = most_cuts
        self._after = after
        self.cuts = 0
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, ahead = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.close()
            return
        back = asyncio.create_task(self._back(behind, writer))
        try:
            await self._forth(reader, ahead)
        except ConnectionError:
            pass
        finally:
            ahead.close()
            await asyncio.wait({back}, timeout=1)
            writer.close()

    async def _forth(self, reader: asyncio.StreamReader, ahead: asyncio.StreamWriter) -> None:
        first = await reader.readuntil(b"\r\n\r\n")
        ahead.write(first)
        cut = first.startswith(b"PUT ") and self.cuts < self._most
        passed = 0
        while data := await reader.read(256):
            passed += len(data)
            ahead.write(data)
            await ahead.drain()
            if cut and passed >= self._after:
                self.cuts += 1
                return

    @staticmethod
    async def _back(behind: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await behind.read(65536):
            writer.write(data)
            await writer.drain()
