"""Owns which pictures go to a server's gallery; it looks at rows and posts nothing.

A server that wants a gallery names a channel in its settings. Only models that are shared with the whole server have a
thread there, so that nobody's private model is shown around, and what is made in an age-restricted channel stays there.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.guild import GuildSettings
from bot.lora import Lora, Share
from bot.place import Place
from bot.store import galleries as rows
from bot.store import shares as share_rows
from bot.store.galleries import GalleryPost
from bot.training.job import Job


async def plan(connection: AsyncConnection, settings: GuildSettings, place: Place, job: Job, lora: Lora) -> None:
    """Note, with the job itself, that its pictures go to the server's gallery, if they do."""
    if settings.gallery_channel_id is None or place.guild_id is None or place.age_restricted:
        return
    if Share.with_server(place.guild_id) not in await share_rows.of_lora(connection, lora.id):
        return
    thread = await rows.thread_of(connection, place.guild_id, lora.id)
    if thread is not None and thread.message_id == place.channel_id:
        # They appear in the thread anyway.
        return
    post = GalleryPost(job_id=job.id, guild_id=place.guild_id, lora_id=lora.id, locale=place.locale)
    await rows.add_post(connection, post)
