"""Owns the shape of the tables about trained models: the models, their checkpoints, whom they are shared with."""

import sqlalchemy as sa

from bot.store.columns import Id, Moment, Snowflake, metadata

loras = sa.Table(
    "loras",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("owner_id", Snowflake, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("trigger_word", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("base_model", sa.String(40), nullable=False),
    sa.Column("format", sa.String(20), nullable=False),
    sa.Column("job_id", Id, unique=True),
    sa.Column("blob_key", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    # The first draft of the line that it was trained from, and its number among that line's models.
    sa.Column("family_id", Id),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    # Who is in its photos, and the answer that says so; null for models of before the question.
    sa.Column("depicted", sa.String(20)),
    sa.Column("consent_id", Id),
    # What its owner says about it, and what is taken where somebody leaves strength or provider open.
    sa.Column("description", sa.Text, nullable=False, server_default=""),
    sa.Column("strength", sa.Float),
    sa.Column("provider", sa.String(40)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("deleted_at", Moment),
    # When the provider's copy of a deleted model is tried next, and how often it was; null when that is over.
    sa.Column("forget_at", Moment),
    sa.Column("forget_tries", sa.Integer, nullable=False, server_default="0"),
)
sa.Index("uq_loras_family_id_version", loras.c.family_id, loras.c.version, unique=True)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    # What a training kept of its way, the last weights too; the one that the model's own row names is in use.
    sa.Column("id", Id, primary_key=True),
    sa.Column("lora_id", Id, sa.ForeignKey("loras.id"), nullable=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("blob_key", sa.String(200), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False, index=True),
    sa.UniqueConstraint("lora_id", "step"),
)

lora_shares = sa.Table(
    "lora_shares",
    metadata,
    sa.Column("lora_id", Id, sa.ForeignKey("loras.id"), primary_key=True),
    # Who may use it: everybody in a server, who has a role, or one person; the target is that server, role or person.
    sa.Column("kind", sa.String(10), primary_key=True),
    sa.Column("target_id", Snowflake, primary_key=True, autoincrement=False),
    # The server that it is about; none for a person.
    sa.Column("guild_id", Snowflake, index=True),
    sa.Column("created_at", Moment, nullable=False),
)

lora_transfers = sa.Table(
    "lora_transfers",
    metadata,
    # An offer to give a model away; it ends when it is accepted, declined, taken back or old.
    sa.Column("lora_id", Id, sa.ForeignKey("loras.id"), primary_key=True),
    sa.Column("from_id", Snowflake, nullable=False),
    sa.Column("to_id", Snowflake, nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
)

adult_marks = sa.Table(
    "adult_marks",
    metadata,
    sa.Column("lora_id", Id, sa.ForeignKey("loras.id"), primary_key=True),
    # The server whose managers say so; 0 for the model's owner, which holds everywhere.
    sa.Column("guild_id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("by_id", Snowflake, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

gallery_threads = sa.Table(
    "gallery_threads",
    metadata,
    # A model's thread in a server's gallery, which begins at a message and has that message's number.
    sa.Column("guild_id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("lora_id", Id, sa.ForeignKey("loras.id"), primary_key=True),
    sa.Column("channel_id", Snowflake, nullable=False),
    sa.Column("message_id", Snowflake),
    sa.Column("begun", sa.Boolean, nullable=False, server_default=sa.false()),
    # How often it had to be begun anew; part of the nonces.
    sa.Column("posts", sa.Integer, nullable=False, server_default="0"),
)

gallery_posts = sa.Table(
    "gallery_posts",
    metadata,
    # Pictures that go to a gallery; written with their job, before anything is made.
    sa.Column("job_id", Id, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("guild_id", Snowflake, nullable=False),
    sa.Column("lora_id", Id, nullable=False),
    sa.Column("locale", sa.String(10), nullable=False, server_default="en"),
    sa.Column("message_id", Snowflake, index=True),
    sa.Column("thread_channel_id", Snowflake),
    # The pictures were deleted, and the message has to go.
    sa.Column("taken_back", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("given_up", sa.Text),
)
