"""Owns the connection to Discord; the one module of bot/ that imports discord, and it knows no command.

Two class attributes of discord.py say where Discord is. They are set once for the process, before the login, so that
a proxy or the playground is reached without touching anything else.
"""

import asyncio
import functools
import hashlib
import importlib
import json
import logging
from collections.abc import Awaitable, Callable

import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.background import Background
from bot.errors import StartupError
from bot.services import Services
from bot.settings import Settings
from bot.store import notes
from bot.texts import _, speak, speaking

log = logging.getLogger(__name__)

#: Seconds before the bot connects again after its client died; doubles up to the cap, for IDENTIFY has a daily limit.
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0

#: How discord.py names the tasks of listeners and commands, none of which it awaits when it closes.
HANDLERS = ("discord.py: ", "CommandTree-invoker")
#: Seconds that these are given to end; a stopped service has ten in all.
SECONDS_TO_END = 3.0

#: The gateway's close code for a token that it does not take, or no longer.
AUTHENTICATION_FAILED = 4004

#: What the bot hears: servers and channels it is in, direct messages, messages that mention it. Nothing privileged.
INTENTS = discord.Intents(guilds=True, dm_messages=True, guild_messages=True)


class SpokenTree(app_commands.CommandTree["DarkroomBot"]):
    """The commands, each answered in the language of its person, once the door lets them in."""

    async def interaction_check(self, interaction: discord.Interaction["DarkroomBot"], /) -> bool:
        speak(str(interaction.locale))
        return await interaction.client.door(interaction)


class CommandTranslator(app_commands.Translator):
    """Says in the catalogues' languages what a command does; its name is the same everywhere, so one manual serves."""

    _NAMES = frozenset(
        {
            app_commands.TranslationContextLocation.command_name,
            app_commands.TranslationContextLocation.group_name,
            app_commands.TranslationContextLocation.parameter_name,
        }
    )

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        if context.location in self._NAMES:
            return None
        return _translated(string.message, str(locale))


@functools.cache
def _translated(text: str, locale: str) -> str | None:
    """Return what is not said in English; discord.py asks for every text in each of Discord's thirty languages."""
    with speaking(locale):
        said = _(text)
    return said if said != text else None


class DarkroomBot(commands.Bot):
    """The bot as Discord sees it; its cogs find all that they need in `services`.

    Args:
        services: What the cogs ask.
        guild_ready_timeout: Seconds without one more server after which all of them are known.
    """

    def __init__(self, services: Services, *, guild_ready_timeout: float = 2.0) -> None:
        super().__init__(
            command_prefix=commands.when_mentioned,
            tree_cls=SpokenTree,
            help_command=None,
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=discord.app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=False),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True, user=True),
            # The bot reads what it is sent and remembers in its database; caches would only cost memory.
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            guild_ready_timeout=guild_ready_timeout,
        )
        self.services = services
        self.background = Background()
        #: Asked before every command; it has answered whoever it turns away. The cogs put theirs here.
        self.door: Callable[[discord.Interaction[DarkroomBot]], Awaitable[bool]] = _let_in

    async def setup_hook(self) -> None:
        """Load the cogs and tell Discord of the commands if they have changed."""
        await self.tree.set_translator(CommandTranslator())
        # Not as an extension: closing would drop the modules, and the next client would have to import them anew.
        await importlib.import_module("cogs").setup(self)
        await self.sync_commands()

    async def close(self) -> None:
        """Stop what the cogs started, let what people have asked for end, then leave Discord."""
        await self.background.stop()
        mine = asyncio.current_task()
        begun = [t for t in asyncio.all_tasks() if t is not mine and t.get_name().startswith(HANDLERS)]
        if begun:
            await asyncio.wait(begun, timeout=SECONDS_TO_END)
        await super().close()

    async def on_message(self, message: discord.Message) -> None:
        """Keep discord.py from looking for text commands; the cogs listen for themselves."""

    async def sync_commands(self, *, anew: bool = False) -> int:
        """Tell Discord of the commands where they differ from what was told last; return how many there are.

        Discord allows 200 creations a day. The owner's commands are in their server alone.
        """
        owner_guild = self.services.settings.darkroom_owner_guild
        key = f"server of the owner's commands of {self.application_id}"
        async with self.services.database.begin() as connection:
            before = await notes.get(connection, key)
        count = await self._sync(None, anew=anew)
        if before and before != str(owner_guild):
            await self._sync(int(before), anew=anew)
        if owner_guild is not None:
            count += await self._sync(owner_guild, anew=anew)
        async with self.services.database.begin() as connection:
            await notes.put(connection, key, str(owner_guild or ""))
        return count

    async def _sync(self, guild_id: int | None, *, anew: bool) -> int:
        guild = None if guild_id is None else discord.Object(guild_id)
        translator = CommandTranslator()
        commands_ = self.tree.get_commands(guild=guild)
        described = [await command.get_translated_payload(self.tree, translator) for command in commands_]
        digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
        key = f"commands of {self.application_id}" + ("" if guild_id is None else f" in {guild_id}")
        async with self.services.database.begin() as connection:
            if not anew and await notes.get(connection, key) == digest:
                return len(commands_)
        try:
            synced = await self.tree.sync(guild=guild)
        except discord.Forbidden:
            if guild_id is None:
                raise
            log.warning("server %d does not let me have commands there; is DARKROOM_OWNER_GUILD right?", guild_id)
            return 0
        async with self.services.database.begin() as connection:
            await notes.put(connection, key, digest)
        log.info("told Discord of %d commands%s", len(synced), "" if guild_id is None else f" of server {guild_id}")
        return len(synced)


async def _let_in(_interaction: discord.Interaction[DarkroomBot]) -> bool:
    return True


def point_at(settings: Settings) -> None:
    """Tell discord.py where Discord is; for the whole process."""
    Route.BASE = settings.discord_api_base
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    # The bot never speaks in voice channels, so their missing libraries are no news.
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False


async def stay_connected(services: Services, token: str) -> None:
    """Be on Discord until cancelled; a client that dies is replaced by a fresh one.

    discord.py ends its client when the first connection fails and when it cannot parse an event; neither may end us.

    Raises:
        StartupError: Discord does not take the token.
    """
    pause = FIRST_PAUSE
    while True:
        began = asyncio.get_running_loop().time()
        try:
            async with DarkroomBot(services) as bot:
                await bot.start(token)
        except discord.LoginFailure as error:
            raise _refused() from error
        except discord.ConnectionClosed as error:
            if error.code == AUTHENTICATION_FAILED:
                raise _refused() from error
            log.warning("Discord closed the connection with %s, connecting again in %.0f s", error.code, pause)
        except Exception:  # whatever kills discord.py's client; the bot outlives it
            log.exception("the connection to Discord died, connecting again in %.0f s", pause)
        await asyncio.sleep(pause)
        lived = asyncio.get_running_loop().time() - began
        pause = FIRST_PAUSE if lived > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)


def _refused() -> StartupError:
    return StartupError(
        "Discord does not take DISCORD_TOKEN.",
        advice="Copy it again: discord.com/developers/applications, your application, Bot, Reset Token.",
    )
