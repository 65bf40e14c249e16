"""REST routes about the bot itself, its commands, and the people and guilds that it may look up."""

from typing import Any

from playground import errors, payloads
from playground.command_limits import check_commands
from playground.gateway import Gateway
from playground.rest import Call, Reply, Route
from playground.world import Team, User, World

Json = dict[str, Any]


class ApplicationRoutes:
    """Answer `/users/...`, `/guilds/...`, `/applications/...` and the like, and own the bot's commands."""

    def __init__(self, world: World, gateway: Gateway, owner: User) -> None:
        self.world, self.gateway, self.owner = world, gateway, owner
        self.team: Team | None = None
        #: What a server's admins set under Integrations, by server and command.
        self.overrides: dict[tuple[int | None, str], dict[int, bool]] = {}
        self.commands: dict[int | None, list[Json]] = {None: []}

    def routes(self) -> list[Route]:
        """List the routes."""
        everywhere = "/applications/{application_id}/commands"
        in_guild = "/applications/{application_id}/guilds/{guild_id}/commands"
        return [
            Route(method="GET", path="/users/@me", handler=lambda _: Reply(body=payloads.own_user(self.world.bot))),
            Route(method="POST", path="/users/@me/channels", handler=self.open_dm),
            Route(method="GET", path="/users/{user_id}", handler=self.user),
            Route(method="GET", path="/oauth2/applications/@me", handler=self.application),
            Route(method="GET", path="/applications/@me", handler=self.application),
            Route(method="GET", path="/gateway/bot", handler=self.gateway_bot),
            Route(method="GET", path="/guilds/{guild_id}", handler=self.guild),
            Route(method="GET", path="/guilds/{guild_id}/channels", handler=self.channels),
            Route(method="GET", path="/guilds/{guild_id}/members/{user_id}", handler=self.member),
            Route(method="GET", path=everywhere, handler=self.read_commands),
            Route(method="PUT", path=everywhere, handler=self.write_commands),
            Route(method="GET", path=in_guild, handler=self.read_commands),
            Route(method="PUT", path=in_guild, handler=self.write_commands),
        ]

    def application(self, _call: Call) -> Reply:
        return Reply(body=payloads.application(self.world, self.owner, self.team))

    def gateway_bot(self, _call: Call) -> Reply:
        starts = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return Reply(body={"url": self.gateway.url, "shards": 1, "session_start_limit": starts})

    def user(self, call: Call) -> Reply:
        return Reply(body=payloads.user(self._user(call.id("user_id"))))

    def open_dm(self, call: Call) -> Reply:
        recipient = self._user(int(call.payload.get("recipient_id", 0)))
        return Reply(body=payloads.channel(self.world, self.world.dm_with(recipient)))

    def guild(self, call: Call) -> Reply:
        guild = self.world.guilds.get(call.id("guild_id"))
        if guild is None or self.world.bot.id not in guild.members:
            raise errors.unknown_guild()
        counts: Json = {}
        if call.query.get("with_counts") in ("1", "true"):
            counts = {"approximate_member_count": len(guild.members), "approximate_presence_count": len(guild.members)}
        return Reply(body=payloads.guild(guild) | counts)

    def channels(self, call: Call) -> Reply:
        self.guild(call)
        found = [c for c in self.world.channels.values() if c.guild_id == call.id("guild_id") and not c.deleted]
        return Reply(body=[payloads.channel(self.world, c) for c in found if not c.is_thread])

    def member(self, call: Call) -> Reply:
        self.guild(call)
        guild, user = self.world.guilds[call.id("guild_id")], self._user(call.id("user_id"))
        if user.id not in guild.members:
            raise errors.unknown_member()
        shown = payloads.member(self.world, guild, user)
        return Reply(body={key: value for key, value in shown.items() if key != "permissions"})

    def read_commands(self, call: Call) -> Reply:
        return Reply(body=self.commands.get(self._guild_id(call), []))

    def write_commands(self, call: Call) -> Reply:
        check_commands(call.payload)
        guild_id = self._guild_id(call)
        old = {(c["type"], c["name"]): c["id"] for c in self.commands.get(guild_id, [])}
        self.commands[guild_id] = [self._stored(c, guild_id, old) for c in call.payload]
        self.world.touch()
        return Reply(body=self.commands[guild_id])

    def _stored(self, sent: Json, guild_id: int | None, old: dict[tuple[int, str], str]) -> Json:
        kind = sent.get("type") or 1
        stored: Json = {
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
            "nsfw": False,
            "default_member_permissions": None,
            **{key: value for key, value in sent.items() if value is not None},
            "type": kind,
            "description": sent.get("description") or "",
            "id": old.get((kind, sent["name"])) or str(self.world.new_id()),
            "application_id": str(self.world.bot.id),
            "version": str(self.world.new_id()),
        }
        if stored["default_member_permissions"] is not None:
            stored["default_member_permissions"] = str(stored["default_member_permissions"])
        return stored if guild_id is None else stored | {"guild_id": str(guild_id)}

    def _guild_id(self, call: Call) -> int | None:
        if call.id("application_id") != self.world.bot.id:
            raise errors.missing_access()
        if "guild_id" not in call.names:
            return None
        guild = self.world.guilds.get(call.id("guild_id"))
        if guild is None or self.world.bot.id not in guild.members:
            raise errors.missing_access()
        return guild.id

    def _user(self, user_id: int) -> User:
        if user_id not in self.world.users:
            raise errors.unknown_user()
        return self.world.users[user_id]
