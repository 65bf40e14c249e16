"""Owns what a server's gallery shows, a thread for each model, and what it is to show next; posts nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.generating import Gallery, GeneratingService
from bot.store import galleries as rows
from bot.store import guilds as guild_rows
from bot.store.database import Database
from bot.store.galleries import GalleryPost, GalleryThread

#: Posts that are looked at in one round.
A_ROUND = 20


@dataclass(frozen=True, kw_only=True)
class Hanging:
    """Pictures on their way to a gallery."""

    post: GalleryPost
    gallery: Gallery
    #: Where the server wants its gallery now; None for no gallery any more.
    channel_id: int | None
    #: The model's thread, or what is to become one.
    thread: GalleryThread


class Galleries:
    """What the cog asks that keeps the galleries."""

    def __init__(self, *, database: Database, generating: GeneratingService) -> None:
        self._database = database
        self._generating = generating

    async def to_hang(self) -> Sequence[Hanging]:
        """Return finished pictures that a gallery does not show yet, the oldest first."""
        async with self._database.begin() as connection:
            await rows.drop_unfinished(connection)
            posts = await rows.due(connection, limit=A_ROUND)
        return [await self._hanging(post) for post in posts]

    async def to_take_down(self) -> Sequence[tuple[GalleryPost, int]]:
        """Return posts whose pictures were deleted, each with the thread that shows it."""
        async with self._database.begin() as connection:
            return await rows.taken_back(connection, limit=A_ROUND)

    async def write_thread(self, thread: GalleryThread) -> None:
        """Remember how far a thread is."""
        async with self._database.begin() as connection:
            await rows.put_thread(connection, thread)

    async def write_post(self, post: GalleryPost) -> bool:
        """Remember what became of a post; false when its person was forgotten meanwhile."""
        async with self._database.begin() as connection:
            return await rows.write_post(connection, post)

    async def _hanging(self, post: GalleryPost) -> Hanging:
        gallery = await self._generating.gallery(post.job_id, with_files=True)
        async with self._database.begin() as connection:
            settings = await guild_rows.settings(connection, post.guild_id)
            thread = await rows.thread_of(connection, post.guild_id, post.lora_id)
        channel_id = settings.gallery_channel_id
        if thread is None:
            thread = GalleryThread(guild_id=post.guild_id, lora_id=post.lora_id, channel_id=channel_id or 0)
        elif channel_id is not None and thread.channel_id != channel_id:
            thread = anew(replace(thread, channel_id=channel_id))
        return Hanging(post=post, gallery=gallery, channel_id=channel_id, thread=thread)


def anew(thread: GalleryThread) -> GalleryThread:
    """Return a thread that has to be begun once more, because it is gone or belongs elsewhere now."""
    return replace(thread, message_id=None, begun=False, posts=thread.posts + 1)
