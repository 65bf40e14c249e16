"""A small bot for the playground's tests: plain discord.py, with one command for every thing that it can do."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import discord
from discord import app_commands, ui
from discord.ext import commands

from playground.server import Playground
from tests.playing import dial

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)


class Params(ui.Modal, title="Train"):
    trigger = ui.Label(text="Trigger word", component=ui.TextInput(custom_id="trigger", min_length=2, max_length=10))
    base = ui.Label(
        text="Base model",
        component=ui.Select(
            custom_id="base", options=[discord.SelectOption(label=n, value=n) for n in ("dev", "schnell")]
        ),
    )
    way = ui.Label(
        text="Way",
        component=ui.RadioGroup(
            custom_id="way", options=[discord.RadioGroupOption(label=n, value=n) for n in ("fast", "good")]
        ),
    )
    consent = ui.Label(text="Consent", component=ui.Checkbox(custom_id="consent"))
    photos = ui.Label(text="Photos", component=ui.FileUpload(custom_id="photos", min_values=1, max_values=10))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        sizes = [len(await photo.read()) for photo in self.photos.component.values]
        parts = [self.trigger.component.value, *self.base.component.values, self.way.component.value]
        await interaction.response.send_message(f"{parts} {self.consent.component.value} {sizes}", ephemeral=True)


class Extras(ui.Modal, title="Extras"):
    extras = ui.Label(
        text="Extras",
        component=ui.CheckboxGroup(
            custom_id="extras",
            min_values=0,
            max_values=2,
            required=False,
            options=[discord.CheckboxGroupOption(label=n, value=n) for n in ("captions", "flip", "crop")],
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=panel(f"extras {self.extras.component.values}"))


class Do(ui.DynamicItem[ui.Button], template=r"do:(?P<what>\w+)"):
    def __init__(self, what: str, *, disabled: bool = False) -> None:
        super().__init__(ui.Button(label=what.title(), custom_id=f"do:{what}", disabled=disabled))
        self.what = what

    @classmethod
    async def from_custom_id(cls, interaction, item, match):
        return cls(match["what"])

    async def callback(self, interaction: discord.Interaction) -> None:
        match self.what:
            case "form":
                await interaction.response.send_modal(Params())
            case "extras":
                await interaction.response.send_modal(Extras())
            case "update":
                await interaction.response.edit_message(view=panel("updated"))
            case "later":
                await interaction.response.defer()
                await interaction.edit_original_response(view=panel("later"))
            case "follow":
                await interaction.response.defer()
                await interaction.followup.send("followed", ephemeral=True)
            case "whisper":
                await interaction.response.send_message("psst", ephemeral=True)


def panel(text: str, *, file: str | None = None) -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    parts: list[Any] = [ui.TextDisplay(text), ui.Separator()]
    if file:
        parts.append(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{file}")))
    row, more = ui.ActionRow(), ui.ActionRow()
    for what in ("form", "extras", "update", "later", "follow"):
        row.add_item(Do(what))
    more.add_item(Do("whisper"))
    more.add_item(Do("never", disabled=True))
    more.add_item(ui.Button(label="Docs", url="https://example.org"))
    view.add_item(ui.Container(*parts, row, more, accent_colour=0x336699))
    return view


class Menus(ui.View):
    @ui.select(
        placeholder="Colours",
        max_values=2,
        options=[discord.SelectOption(label=n.title(), value=n) for n in ("red", "blue")],
    )
    async def colours(self, interaction: discord.Interaction, select: ui.Select) -> None:
        await interaction.response.edit_message(content=f"{select.values}")

    @ui.select(cls=ui.UserSelect, placeholder="People")
    async def people(self, interaction: discord.Interaction, select: ui.UserSelect) -> None:
        await interaction.response.send_message(f"{[user.name for user in select.values]}", ephemeral=True)

    @ui.select(cls=ui.ChannelSelect, placeholder="Places")
    async def places(self, interaction: discord.Interaction, select: ui.ChannelSelect) -> None:
        await interaction.response.send_message(f"{[place.name for place in select.values]}", ephemeral=True)

    @ui.select(cls=ui.RoleSelect, placeholder="Off", disabled=True)
    async def off(self, interaction: discord.Interaction, select: ui.RoleSelect) -> None:
        """Never be called."""


class PlainBot(commands.Bot):
    def __init__(self, *, sync: bool = True, intents: discord.Intents = INTENTS, **settings: Any) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=intents,
            guild_ready_timeout=0.05,
            allowed_mentions=discord.AllowedMentions.none(),
            **settings,
        )
        self.heard: list[discord.Message] = []
        self.gone: list[tuple[str, int]] = []
        self.was_ready = asyncio.Event()
        self.news = asyncio.Event()
        self.sync = sync
        add_commands(self.tree)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Skip the pause of 5 s between two IDENTIFYs that discord.py makes for the real Discord's sake."""

    async def setup_hook(self) -> None:
        self.add_dynamic_items(Do)
        if self.sync:
            await self.tree.sync()

    async def on_message(self, message: discord.Message) -> None:
        if message.author.id == self.user.id:
            return
        self.heard.append(message)
        self.news.set()
        if message.guild is None and message.attachments:
            sizes = [len(await attachment.read()) for attachment in message.attachments]
            await message.channel.send(f"got {sizes}")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so that the handlers below bring about."""
        async with asyncio.timeout(40):
            while not condition():
                await self.news.wait()
                self.news.clear()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self.news.set()

    async def on_ready(self) -> None:
        self.was_ready.set()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self.gone.append(("guild", guild.id))
        self.news.set()

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self.gone.append(("channel", channel.id))
        self.news.set()

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.gone.append(("message", event.message_id))
        self.news.set()


def add_commands(tree: app_commands.CommandTree) -> None:
    draft = app_commands.Group(name="draft", description="Drafts")

    @draft.command(name="new", description="New draft")
    async def new(
        interaction: discord.Interaction,
        name: app_commands.Range[str, 2, 12],
        kind: Literal["person", "style"],
        photo: discord.Attachment | None = None,
        steps: app_commands.Range[int, 100, 2000] = 100,
    ) -> None:
        size = len(await photo.read()) if photo else 0
        await interaction.response.send_message(f"{name} {kind} {size} {steps}", ephemeral=True)

    tree.add_command(draft)

    @tree.command(description="Panel")
    async def show(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(view=panel("hello"))

    @tree.command(description="Picture")
    async def draw(interaction: discord.Interaction, prompt: str) -> None:
        await interaction.response.defer(thinking=True)
        await interaction.edit_original_response(
            view=panel(prompt, file="out.png"),
            attachments=[discord.File(io.BytesIO(b"\x89PNG..."), "out.png", description="drawn")],
        )

    @draw.autocomplete("prompt")
    async def suggest(interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=current + "!", value=current + "-value")]

    @tree.command(description="Whom")
    async def whom(interaction: discord.Interaction, user: discord.Member, place: discord.TextChannel) -> None:
        await interaction.response.send_message(f"{user.name} {place.name}", ephemeral=True)

    @tree.command(description="Menus")
    async def menus(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("choose", view=Menus())

    @tree.command(description="Silent")
    async def silent(interaction: discord.Interaction) -> None:
        """Answer nothing."""

    @tree.command(description="For managers")
    @app_commands.default_permissions(manage_guild=True)
    async def manage(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("managed", ephemeral=True)

    @tree.context_menu(name="Add to draft")
    async def add(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"{len(message.attachments)} photos", ephemeral=True)


@asynccontextmanager
async def connected(server: Playground, bot: PlainBot | None = None, **settings: Any) -> AsyncIterator[PlainBot]:
    """Run a bot against a playground until the block ends."""
    dial(server)
    bot = bot or PlainBot(**settings)
    task = asyncio.create_task(bot.start(server.token))
    ready = asyncio.create_task(bot.was_ready.wait())
    try:
        await asyncio.wait({task, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        assert ready.done(), "the bot did not get ready"
        yield bot
    finally:
        ready.cancel()
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)
