"""Named queries about galleries: the threads of models in servers, and the pictures that are to be shown there."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.tables import gallery_posts, gallery_threads, jobs, pictures
from bot.texts import ENGLISH
from bot.training.job import JobState


@dataclass(frozen=True, kw_only=True)
class GalleryThread:
    """A model's thread in a server's gallery; it begins at a message and has that message's number."""

    guild_id: int
    lora_id: str
    #: The channel that it hangs in.
    channel_id: int
    #: The message, and the thread; None until Discord has it.
    message_id: int | None = None
    #: The thread is there, not the message alone.
    begun: bool = False
    #: How often it had to be begun anew; part of the nonces.
    posts: int = 0


@dataclass(frozen=True, kw_only=True)
class GalleryPost:
    """The pictures of a job in a gallery."""

    job_id: str
    guild_id: int
    lora_id: str
    #: The locale that it speaks.
    locale: str = ENGLISH
    message_id: int | None = None
    #: The thread that the message stands in; the model may have another by now.
    thread_channel_id: int | None = None
    #: Its pictures were deleted; the message has to go.
    taken_back: bool = False
    #: Why nothing more happens to it.
    given_up: str | None = None


def _post(row: sa.RowMapping) -> GalleryPost:
    return GalleryPost(**{f.name: row[f.name] for f in fields(GalleryPost)})


async def thread_of(connection: AsyncConnection, guild_id: int, lora_id: str) -> GalleryThread | None:
    """Return a model's thread in a server."""
    where = sa.and_(gallery_threads.c.guild_id == guild_id, gallery_threads.c.lora_id == lora_id)
    row = (await connection.execute(sa.select(gallery_threads).where(where))).mappings().first()
    return None if row is None else GalleryThread(**{f.name: row[f.name] for f in fields(GalleryThread)})


async def put_thread(connection: AsyncConnection, thread: GalleryThread) -> None:
    """Write a model's thread."""
    where = sa.and_(gallery_threads.c.guild_id == thread.guild_id, gallery_threads.c.lora_id == thread.lora_id)
    await connection.execute(sa.delete(gallery_threads).where(where))
    await connection.execute(sa.insert(gallery_threads).values(**asdict(thread)))


async def add_post(connection: AsyncConnection, post: GalleryPost) -> None:
    """Add a post, in the transaction that adds its job."""
    await connection.execute(sa.insert(gallery_posts).values(**asdict(post)))


async def write_post(connection: AsyncConnection, post: GalleryPost) -> bool:
    """Write what became of a post; a deletion that came in meanwhile stays. False when it is there no more."""
    values = {name: value for name, value in asdict(post).items() if name not in {"job_id", "taken_back"}}
    which = gallery_posts.c.job_id == post.job_id
    return (await connection.execute(sa.update(gallery_posts).where(which).values(**values))).rowcount == 1


async def drop_unfinished(connection: AsyncConnection) -> None:
    """Forget the posts of jobs that ended without pictures."""
    ended = sa.select(jobs.c.id).where(jobs.c.ended_at.is_not(None), jobs.c.state != JobState.SUCCEEDED)
    await connection.execute(sa.delete(gallery_posts).where(gallery_posts.c.job_id.in_(ended)))


async def due(connection: AsyncConnection, *, limit: int) -> Sequence[GalleryPost]:
    """Return the posts of finished pictures that are not in their gallery yet, the oldest first."""
    open_ = sa.and_(
        gallery_posts.c.message_id.is_(None),
        gallery_posts.c.given_up.is_(None),
        gallery_posts.c.taken_back.is_(False),
    )
    shown = sa.select(pictures.c.id).where(pictures.c.job_id == gallery_posts.c.job_id).exists()
    statement = (
        sa.select(gallery_posts)
        .join(jobs, jobs.c.id == gallery_posts.c.job_id)
        .where(open_, jobs.c.state == JobState.SUCCEEDED, shown)
        .order_by(jobs.c.ended_at)
        .limit(limit)
    )
    return [_post(row) for row in (await connection.execute(statement)).mappings()]


async def take_back(connection: AsyncConnection, job_id: str) -> None:
    """Let the pictures of a job go from their gallery."""
    await connection.execute(sa.update(gallery_posts).where(gallery_posts.c.job_id == job_id).values(taken_back=True))


async def taken_back(connection: AsyncConnection, *, limit: int) -> Sequence[tuple[GalleryPost, int]]:
    """Return posts that still show deleted pictures, each with its thread."""
    stands = sa.and_(
        gallery_posts.c.taken_back,
        gallery_posts.c.message_id.is_not(None),
        gallery_posts.c.thread_channel_id.is_not(None),
    )
    found = (await connection.execute(sa.select(gallery_posts).where(stands).limit(limit))).mappings()
    return [(_post(row), row["thread_channel_id"]) for row in found]


async def job_shown_in(connection: AsyncConnection, message_id: int) -> str | None:
    """Return the job whose pictures a message of a gallery shows."""
    job_id: str | None = await connection.scalar(
        sa.select(gallery_posts.c.job_id).where(gallery_posts.c.message_id == message_id)
    )
    return job_id
