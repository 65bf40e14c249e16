"""How Discord is spoken to: acknowledge, read what was asked, call one service, show what it answers.

    desk.py        from a press, a choice or a form to the method that handles it
    failures.py    the one funnel for errors          replies.py  answering one person, whatever was answered before
    typed.py       gives back what was typed into what is refused
    answer_calls.py  which of these calls are repeated when Discord is in trouble
    places.py      where something was asked, and whether results can be posted there
    drafts.py captions.py intake.py training.py sheets.py generating.py pictures.py prompts.py library.py
                   one cog a feature
    panels.py      shows a draft to its person, for the cogs that change one
    model_commands.py sharing.py    parts of the library's cog
    status.py      keeps the card of every job true
    galleries.py   keeps the threads of models in a server's gallery
    help.py        which commands there are for whom
    letters.py     sends the direct messages that nobody waits for
    privacy.py     what is held about a person, and its end
    ui/            what people see

No SQL, no HTTP, no rules: those are the services'.
"""

import discord

from bot.client import DarkroomBot
from cogs import answer_calls, door, failures
from cogs.admin import Admin
from cogs.admin_settings import AdminSettings
from cogs.captions import Captions
from cogs.desk import Desk
from cogs.drafts import Drafts
from cogs.galleries import GalleryKeeper
from cogs.generating import Generating
from cogs.help import Help
from cogs.intake import PhotoIntake
from cogs.letters import Postman
from cogs.library import Library
from cogs.log_channels import LogChannels
from cogs.owner import Owner
from cogs.pictures import Pictures
from cogs.privacy import PrivacyCog
from cogs.prompts import Prompts
from cogs.reports import ReportButtons
from cogs.sheets import Sheets
from cogs.status import StatusBoard
from cogs.training import Training


async def setup(bot: DarkroomBot) -> None:
    """Put every cog on the bot."""
    answer_calls.install()
    bot.tree.error(failures.on_command_error)
    door.install(bot)
    await bot.add_cog(Desk(bot))
    await bot.add_cog(Drafts(bot.services))
    await bot.add_cog(Captions(bot.services))
    intake = PhotoIntake(bot.services)
    await bot.add_cog(intake)
    bot.tree.add_command(intake.menu)
    await bot.add_cog(Generating(bot.services))
    pictures = Pictures(bot.services)
    await bot.add_cog(pictures)
    bot.tree.add_command(pictures.menu)
    await bot.add_cog(Prompts(bot.services))
    await bot.add_cog(Library(bot.services))
    await bot.add_cog(Sheets(bot.services))
    await bot.add_cog(Training(bot.services))
    await bot.add_cog(Admin(bot.services))
    await bot.add_cog(AdminSettings(bot.services))
    await bot.add_cog(ReportButtons(bot.services))
    await bot.add_cog(LogChannels(bot))
    if bot.services.settings.darkroom_owner_guild is not None:
        await bot.add_cog(Owner(bot), guild=discord.Object(bot.services.settings.darkroom_owner_guild))
    await bot.add_cog(StatusBoard(bot))
    await bot.add_cog(GalleryKeeper(bot))
    await bot.add_cog(Postman(bot))
    await bot.add_cog(PrivacyCog(bot))
    await bot.add_cog(Help(bot))
