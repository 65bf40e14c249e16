"""The playground itself: a Discord-compatible server on localhost, put together from its parts."""

from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.web_runner import AppRunner, TCPSite

from playground import payloads
from playground.clock import Clock, SystemClock
from playground.faults import Faults
from playground.gateway import Gateway
from playground.intents import NO_INTENT, Intent
from playground.interactions import Interactions
from playground.permissions import NONE, Permission
from playground.person import Person
from playground.posting import Posting
from playground.ratelimits import Limiter
from playground.rest import PREFIX, Exchange, RestServer
from playground.rest_application import ApplicationRoutes
from playground.rest_interactions import InteractionRoutes
from playground.rest_messages import MessageRoutes
from playground.world import Channel, Guild, Message, Overwrite, Role, Team, User, World

_LARGEST_BODY = 64 * 1024 * 1024  # larger than Discord's 25 MiB, so that the refusal is ours to word


class Playground:
    """Serve a small Discord while the `async with` block runs; bots may come and go meanwhile.

    A bot dials `api_base` (assign it to `discord.http.Route.BASE`) and `gateway_url` (to
    `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`) with `token`. There is one guild with one channel to begin with.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        token: str = "playground.bot.token",  # noqa: S107 - it opens nothing but this playground
        privileged: Intent = NO_INTENT,
        port: int = 0,
    ) -> None:
        self.token, self.port = token, port
        self.clock: Clock = clock or SystemClock()
        self.world = World(self.clock)
        self.gateway = Gateway(self.world, token=token, privileged=privileged)
        self.posting = Posting(self.world, self.gateway)
        self.interactions = Interactions(self.posting)
        self.faults = Faults()
        self.limiter = Limiter(self.clock)
        self.owner = self.world.add_user("owner")
        self.rest = RestServer(token=token, limiter=self.limiter, faults=self.faults, told=self.world.touch)
        self.application = ApplicationRoutes(self.world, self.gateway, self.owner)
        for part in (MessageRoutes(self.posting), InteractionRoutes(self.interactions), self.application):
            self.rest.add(part.routes())
        self.guild = self.world.add_guild("The Playground", self.owner)
        self.channel = self.world.add_channel(self.guild, "general")
        self._people: dict[str, Person] = {}
        self._runner: AppRunner | None = None

    # ------------------------------------------------------------------ running
    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on a free port of localhost, or on the one that was asked for."""
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/attachments/{tail:.*}", self._serve_file)
        app.router.add_get("/ephemeral-attachments/{tail:.*}", self._serve_file)
        app.router.add_route("*", f"{PREFIX}/{{tail:.*}}", self.rest.handle)
        self._runner = AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        self.gateway.url = f"ws://127.0.0.1:{self.port}/gateway"
        self.posting.cdn_base = f"http://127.0.0.1:{self.port}"

    async def stop(self) -> None:
        """Let go of held requests, close every connection and stop listening."""
        self.faults.clear()
        await self.gateway.close_connections(1001, "The playground closes")
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        return self.gateway.url

    @property
    def exchanges(self) -> list[Exchange]:
        return self.rest.exchanges

    def requests(self, method: str = "*", path: str = "*") -> list[Exchange]:
        """List the requests so far by method and glob pattern, such as `/channels/*/messages`."""
        return self.rest.requests(method, path)

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        """Serve a file as the CDN does; a Range is honoured."""
        file = self.world.files.get(request.path)
        fault = self.faults.take(request.method, request.path)
        if fault is not None and fault.gate is not None:
            fault.arrived.set()
            await fault.gate.wait()
        elif fault is not None:
            if fault.status is None and request.transport is not None:
                request.transport.abort()
            return web.Response(status=fault.status or 500, text="planned")
        if file is None:
            return web.Response(status=404, text="This content is no longer available.")
        asked = request.http_range
        part = file.data[asked]
        headers = {"Accept-Ranges": "bytes", "Content-Type": file.content_type}
        if asked.start is None and asked.stop is None:
            return web.Response(body=file.data, headers=headers)
        start = asked.indices(len(file.data))[0]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(file.data)}"
        return web.Response(status=206, body=part, headers=headers)

    # ------------------------------------------------------------------ people and places
    def person(
        self,
        name: str,
        *,
        manage_guild: bool = False,
        permissions: Permission = NONE,
        guild: Guild | None = None,
    ) -> Person:
        """Give the person of that name, who joins the guild at the first time."""
        if name not in self._people:
            user = self.world.add_user(name)
            self._people[name] = Person(user=user, discord=self)
        person = self._people[name]
        self._join(person.user, guild or self.guild)
        wanted = permissions | (Permission.MANAGE_GUILD if manage_guild else NONE)
        if wanted:
            self.grant(person.user, wanted, guild=guild)
        return person

    def _join(self, user: User, guild: Guild) -> None:
        guild.members.setdefault(user.id, [])

    def grant(self, user: User, permissions: Permission, *, guild: Guild | None = None) -> None:
        """Give somebody a new role with these permissions."""
        home = guild or self.guild
        role = self.add_role(f"role {len(home.roles)}", permissions, guild=home)
        self.give(user, role, guild=home)

    def add_guild(self, name: str) -> Guild:
        """Make another guild; a connected bot hears that it was invited."""
        guild = self.world.add_guild(name, self.owner)
        self.gateway.dispatch("GUILD_CREATE", payloads.guild_create(self.world, guild), guild_id=guild.id)
        return guild

    def add_channel(self, name: str, *, guild: Guild | None = None, nsfw: bool = False) -> Channel:
        """Make another text channel, age-restricted if wanted."""
        home = guild or self.guild
        channel = self.world.add_channel(home, name, nsfw=nsfw)
        self.gateway.dispatch("CHANNEL_CREATE", payloads.channel(self.world, channel), guild_id=home.id)
        return channel

    def add_thread(self, name: str, *, channel: Channel | None = None, owner: User | None = None) -> Channel:
        """Begin a public thread in a channel, as one of its people does."""
        thread = self.world.add_thread(channel or self.channel, name, owner or self.owner)
        self.posting.announce_thread(thread)
        return thread

    def add_role(self, name: str, permissions: Permission = NONE, *, guild: Guild | None = None) -> Role:
        """Make a role that nobody has yet; `give` hands it out."""
        home = guild or self.guild
        role = self.world.add_role(home, name, permissions)
        shown = {"guild_id": str(home.id), "role": payloads.role(role)}
        self.gateway.dispatch("GUILD_ROLE_CREATE", shown, guild_id=home.id)
        return role

    def give(self, user: User, role: Role, *, guild: Guild | None = None) -> None:
        """Give somebody a role."""
        home = guild or self.guild
        home.members[user.id].append(role.id)
        if user.id == self.world.bot.id:
            # Of other members the bot hears only with the privileged intent, which it does not ask for.
            member = payloads.member(self.world, home, user) | {"guild_id": str(home.id)}
            self.gateway.dispatch("GUILD_MEMBER_UPDATE", member, guild_id=home.id)

    def overwrite(
        self,
        channel: Channel,
        target_id: int,
        *,
        allow: Permission = NONE,
        deny: Permission = NONE,
    ) -> None:
        """Set what one channel allows or denies a role or a member."""
        channel.overwrites[target_id] = Overwrite(allow=allow, deny=deny)
        self.gateway.dispatch("CHANNEL_UPDATE", payloads.channel(self.world, channel), guild_id=channel.guild_id)

    def deny_bot(self, permissions: Permission, *, channel: Channel | None = None) -> None:
        """Take permissions from the bot in one channel."""
        self.overwrite(channel or self.channel, self.world.bot.id, deny=permissions)

    # ------------------------------------------------------------------ things that vanish
    def delete_channel(self, channel: Channel) -> None:
        """Delete a channel with its messages."""
        for one in [channel, *(c for c in self.world.channels.values() if c.parent_id == channel.id)]:
            one.deleted = True
            for message in self.world.messages_in(one):
                message.deleted = True
        self.gateway.dispatch("CHANNEL_DELETE", payloads.channel(self.world, channel), guild_id=channel.guild_id)
        self.world.touch()

    def delete_message(self, message: Message) -> None:
        """Delete a message, as a moderator does."""
        self.posting.delete(message)

    def allow_command(
        self, name: str, target: User | Role, *, allowed: bool = True, guild: Guild | None = None
    ) -> None:
        """Let a role or person use a command, or not, as a server's admin does under Integrations."""
        home = guild or self.guild
        self.application.overrides.setdefault((home.id, name), {})[target.id] = allowed

    def own_by_team(self, owner: User, *, accepted: tuple[User, ...] = (), invited: tuple[User, ...] = ()) -> None:
        """Let a team own the bot's application from now on."""
        members = [(user, True) for user in accepted] + [(user, False) for user in invited]
        self.application.team = Team(id=self.world.new_id(), name="The Team", owner=owner, members=members)

    def remove_bot(self, guild: Guild | None = None) -> None:
        """Throw the bot out of a guild."""
        home = guild or self.guild
        home.members.pop(self.world.bot.id, None)
        self.gateway.dispatch("GUILD_DELETE", {"id": str(home.id)}, guild_id=home.id)
        self.world.touch()

    def outage(self, guild: Guild | None = None) -> None:
        """Make a guild unavailable, which is not a leave."""
        home = guild or self.guild
        home.available = False
        self.gateway.dispatch("GUILD_DELETE", {"id": str(home.id), "unavailable": True}, guild_id=home.id)

    def recover(self, guild: Guild | None = None) -> None:
        """End an outage."""
        home = guild or self.guild
        home.available = True
        back = payloads.guild_create(self.world, home) | {"unavailable": False}
        self.gateway.dispatch("GUILD_CREATE", back, guild_id=home.id)

    # ------------------------------------------------------------------ reading
    def commands(self, guild_id: int | None = None) -> list[dict[str, Any]]:
        """List the commands that a guild offers, or with None the global ones."""
        everywhere = self.application.commands[None]
        return everywhere + (self.application.commands.get(guild_id, []) if guild_id is not None else [])

    def messages(self, channel: Channel | None = None) -> list[Message]:
        """List what stands in a channel now, oldest first, ephemeral ones too."""
        return self.world.messages_in(channel or self.channel)

    async def bot_connected(self, *, timeout: float = 40.0) -> None:  # noqa: ASYNC109 - as in World.until
        """Wait until a bot has identified."""
        await self.world.until(lambda: self.gateway.connected, timeout=timeout, what="a bot")

    async def bot_gone(self, *, timeout: float = 40.0) -> None:  # noqa: ASYNC109 - as in World.until
        """Wait until no bot is connected, and forget what it could resume; a press fails at once from then on.

        Without this a press waits its 3 seconds: discord.py 2.7.1 ends with close code 4000, so it could yet resume.
        """
        await self.world.until(lambda: not self.gateway.connected, timeout=timeout, what="the bot to leave")
        self.gateway.forget_sessions()
