"""Keep servers' galleries: a thread for each model, and the pictures that go there."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "gallery_threads",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lora_id", sa.String(length=16), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("begun", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("posts", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name=op.f("fk_gallery_threads_lora_id")),
        sa.PrimaryKeyConstraint("guild_id", "lora_id", name=op.f("pk_gallery_threads")),
    )
    op.create_table(
        "gallery_posts",
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("lora_id", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=10), nullable=False, server_default="en"),
        sa.Column("message_id", sa.BigInteger()),
        sa.Column("thread_channel_id", sa.BigInteger()),
        sa.Column("taken_back", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("given_up", sa.Text()),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_gallery_posts_job_id")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_gallery_posts")),
    )
    op.create_index("ix_gallery_posts_message_id", "gallery_posts", ["message_id"])
