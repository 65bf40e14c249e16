"""The gateway: sessions of a bot over websockets, with heartbeats, resuming and intents; no REST.

Source: https://docs.discord.com/developers/events/gateway
"""

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from playground import payloads
from playground.intents import ALL_BITS, NO_INTENT, PRIVILEGED, Intent, hears, readable
from playground.world import Guild, World

Json = dict[str, Any]
SENDS_A_MINUTE = 120


class Connection:
    """Own one websocket: frames go out in order from its own task."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.ws, self.request = ws, request
        self.compress = request.query.get("compress") == "zlib-stream"
        self._deflate = zlib.compressobj()
        self._outbox: asyncio.Queue[bytes | str | None] = asyncio.Queue()

    def send(self, frame: Json) -> None:
        """Put a frame on its way."""
        text = json.dumps(frame)
        if self.compress:
            data = self._deflate.compress(text.encode()) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
            self._outbox.put_nowait(data)
        else:
            self._outbox.put_nowait(text)

    def finish(self) -> None:
        """Let the writer end after what is waiting."""
        self._outbox.put_nowait(None)

    async def write(self) -> None:
        """Send frames until `finish`; a broken connection ends it too."""
        while (data := await self._outbox.get()) is not None:
            try:
                await (self.ws.send_str(data) if isinstance(data, str) else self.ws.send_bytes(data))
            except ConnectionError:
                return

    def abort(self) -> None:
        """Cut the connection without a word, as a failing network does."""
        if self.request.transport is not None:
            self.request.transport.abort()


@dataclass(kw_only=True)
class Session:
    """Hold what RESUME needs: every event that was meant for the bot, sent or not."""

    id: str
    intents: int
    shard: tuple[int, int]
    identify: Json
    seq: int = 0
    events: list[Json] = field(default_factory=list)
    connection: Connection | None = None

    def covers(self, guild_id: int | None) -> bool:
        """Tell whether this shard hears of a guild; direct messages go to shard 0."""
        number, count = self.shard
        return number == 0 if guild_id is None else (guild_id >> 22) % count == number

    def push(self, event: str, data: Json) -> None:
        """Number an event, keep it and send it if somebody listens."""
        self.seq += 1
        frame = {"op": 0, "s": self.seq, "t": event, "d": data}
        self.events.append(frame)
        if self.connection is not None:
            self.connection.send(frame)


class _Close(Exception):
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Gateway:
    """Own all sessions.

    `privileged` are the privileged intents switched on in the developer portal. `heartbeat_interval` is in seconds.
    `repeats` lists events that are delivered twice, as happens when two processes hold one shard.
    """

    def __init__(self, world: World, *, token: str, privileged: Intent = NO_INTENT) -> None:
        self.world, self.token, self.privileged = world, token, privileged
        self.url = ""
        self.heartbeat_interval = 41.25
        self.sessions: dict[str, Session] = {}
        self.counts: Counter[str] = Counter()
        self.repeats: set[str] = set()
        self.answers_heartbeats = True
        self._connections: set[Connection] = set()

    # ------------------------------------------------------------------ for the rest of the playground
    @property
    def online(self) -> bool:
        """Tell whether a bot is connected, or may yet resume."""
        return bool(self.sessions)

    @property
    def connected(self) -> bool:
        return any(session.connection for session in self.sessions.values())

    def dispatch(self, event: str, data: Json, *, guild_id: int | None) -> bool:
        """Tell every session that hears of it; say whether any did."""
        shape: Callable[[int], Json] = lambda _intents: data  # noqa: E731 - one word of code
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            shape = lambda intents: readable(data, intents, self.world.bot.id)  # noqa: E731 - as above
        heard = False
        for session in self.sessions.values():
            if session.covers(guild_id) and hears(event, session.intents, in_guild=guild_id is not None):
                for _ in range(2 if event in self.repeats else 1):
                    session.push(event, shape(session.intents))
                heard = True
        return heard

    # ------------------------------------------------------------------ for tests
    def reconnect(self) -> None:
        """Ask every connected bot to reconnect (op 7)."""
        self._tell({"op": 7, "d": None})

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every connected bot that its session is over (op 9)."""
        self._tell({"op": 9, "d": resumable})
        if not resumable:
            self.sessions = {key: session for key, session in self.sessions.items() if not session.connection}

    def drop(self) -> None:
        """Cut every connection without a close frame; the sessions can be resumed."""
        for connection in list(self._connections):
            connection.abort()

    async def close_connections(self, code: int, reason: str = "") -> None:
        """Close every connection with a code, 4000 and the like."""
        for connection in list(self._connections):
            await connection.ws.close(code=code, message=reason.encode())

    def forget_sessions(self) -> None:
        """Drop all that could be resumed; what nobody has heard yet is lost."""
        self.sessions = {key: session for key, session in self.sessions.items() if session.connection}
        self.world.touch()

    def _tell(self, frame: Json) -> None:
        for session in self.sessions.values():
            if session.connection is not None:
                session.connection.send(frame)

    # ------------------------------------------------------------------ the protocol
    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one websocket from HELLO to its end."""
        ws = web.WebSocketResponse(timeout=0.5, max_msg_size=1 << 20)
        await ws.prepare(request)
        connection = Connection(ws, request)
        self._connections.add(connection)
        self.counts["connections"] += 1
        writer = asyncio.create_task(connection.write(), name="playground gateway writer")
        connection.send({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": self._interval_ms()}})
        try:
            await self._listen(connection)
        except _Close as order:
            connection.finish()
            await writer
            await ws.close(code=order.code, message=order.reason.encode())
        finally:
            connection.finish()
            await writer
            self._connections.discard(connection)
            self._detach(connection, ws.close_code)
        return ws

    def _interval_ms(self) -> int:
        return int(self.heartbeat_interval * 1000)

    async def _listen(self, connection: Connection) -> None:
        query = connection.request.query
        if query.get("v", "10") != "10" or query.get("encoding", "json") != "json":
            raise _Close(4012, "Invalid API version.")
        sent: list[float] = []
        async for message in connection.ws:
            if message.type is not WSMsgType.TEXT:
                raise _Close(4002, "Error while decoding payload.")
            now = self.world.clock.time()
            sent = [*(at for at in sent if at > now - 60), now]
            if len(sent) > SENDS_A_MINUTE:
                raise _Close(4008, "Rate limited.")
            self._receive(connection, self._decode(message.data))

    @staticmethod
    def _decode(text: str) -> Json:
        try:
            frame = json.loads(text)
        except ValueError:
            raise _Close(4002, "Error while decoding payload.") from None
        if not isinstance(frame, dict) or not isinstance(frame.get("op"), int):
            raise _Close(4002, "Error while decoding payload.")
        return frame

    def _receive(self, connection: Connection, frame: Json) -> None:
        op, data = frame["op"], frame.get("d")
        session = self._session_of(connection)
        if op == 1:
            self.counts["heartbeats"] += 1
            if self.answers_heartbeats:
                connection.send({"op": 11})
        elif op == 2:
            if session is not None:
                raise _Close(4005, "Already authenticated.")
            self._identify(connection, data or {})
        elif op == 6:
            self._resume(connection, data or {})
        elif session is None:
            raise _Close(4003, "Not authenticated.")
        elif op not in (3, 4, 8, 31):
            raise _Close(4001, "Unknown opcode.")
        self.world.touch()

    def _session_of(self, connection: Connection) -> Session | None:
        return next((s for s in self.sessions.values() if s.connection is connection), None)

    def _identify(self, connection: Connection, data: Json) -> None:
        self.counts["identifies"] += 1
        if data.get("token") != self.token:
            raise _Close(4004, "Authentication failed.")
        number, count = data.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise _Close(4010, "Invalid shard.")
        intents = data.get("intents")
        if not isinstance(intents, int) or not 0 <= intents <= ALL_BITS:
            raise _Close(4013, "Invalid intent(s).")
        if intents & PRIVILEGED & ~self.privileged:
            raise _Close(4014, "Disallowed intent(s).")
        self._forget_shard((number, count))
        session_id = f"{self.world.new_id():x}"
        session = Session(id=session_id, intents=intents, shard=(number, count), identify=data, connection=connection)
        self.sessions[session.id] = session
        self._welcome(session)

    def _forget_shard(self, shard: tuple[int, int]) -> None:
        """Drop what an ended process of the same shard left behind; nobody will resume it."""
        for key in [s.id for s in self.sessions.values() if s.connection is None and s.shard == shard]:
            del self.sessions[key]

    def _welcome(self, session: Session) -> None:
        guilds = [g for g in self.world.guilds.values() if self._is_in(g) and session.covers(g.id)]
        ready: Json = {
            "v": 10,
            "user": payloads.own_user(self.world.bot),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(self.world.bot.id), "flags": 0},
        }
        session.push("READY", ready)
        if session.intents & Intent.GUILDS:
            for guild in guilds:
                if guild.available:
                    session.push("GUILD_CREATE", payloads.guild_create(self.world, guild) | {"unavailable": False})

    def _is_in(self, guild: Guild) -> bool:
        return self.world.bot.id in guild.members

    def _resume(self, connection: Connection, data: Json) -> None:
        self.counts["resumes"] += 1
        if data.get("token") != self.token:
            raise _Close(4004, "Authentication failed.")
        session = self.sessions.get(data.get("session_id", ""))
        seq = data.get("seq")
        if session is None or not isinstance(seq, int) or seq > session.seq:
            connection.send({"op": 9, "d": False})
            return
        session.connection = connection
        for frame in session.events[seq:]:
            connection.send(frame)
        session.push("RESUMED", {})

    def _detach(self, connection: Connection, code: int | None) -> None:
        """Keep the session for RESUME, unless the bot closed it for good with 1000 or 1001."""
        session = self._session_of(connection)
        if session is not None:
            session.connection = None
            if code in (WSCloseCode.OK, WSCloseCode.GOING_AWAY):
                del self.sessions[session.id]
        self.world.touch()
