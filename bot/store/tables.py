"""Owns the shape of the database: one table a noun, those about models in a module of their own; never a query."""

import sqlalchemy as sa

from bot.store.columns import Id, Moment, Snowflake, metadata
from bot.store.model_tables import (
    adult_marks,
    checkpoints,
    gallery_posts,
    gallery_threads,
    lora_shares,
    lora_transfers,
    loras,
)

#: What lies in the other two modules and is taken from here.
__all__ = [
    "Id",
    "Moment",
    "Snowflake",
    "adult_marks",
    "checkpoints",
    "gallery_posts",
    "gallery_threads",
    "lora_shares",
    "lora_transfers",
    "loras",
    "metadata",
]

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("active_draft_id", Id),
    # The locale that their Discord had when they last asked for something; direct messages speak it.
    sa.Column("locale", sa.String(10), nullable=False, server_default="en"),
    # Which direct messages they want: that a model is ready, and that photos go tomorrow.
    sa.Column("tell_done", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("tell_deletion", sa.Boolean, nullable=False, server_default=sa.true()),
)

letters = sa.Table(
    "letters",
    metadata,
    # Direct messages that nobody waits for; written with what they tell of, sent once.
    sa.Column("id", sa.String(20), primary_key=True),
    sa.Column("person_id", Snowflake, nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    # What its sentences are made of; the words are found when it is sent, in the person's language then.
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("job_id", Id),
    sa.Column("created_at", Moment, nullable=False),
    # Null until Discord has it or it was given up.
    sa.Column("ended_at", Moment, index=True),
)

erasures = sa.Table(
    "erasures",
    metadata,
    # Wishes to be forgotten, and what became of them.
    sa.Column("id", Id, primary_key=True),
    sa.Column("person_id", Snowflake, nullable=False, index=True),
    sa.Column("asked_at", Moment, nullable=False),
    sa.Column("done_at", Moment),
    sa.Column("report", sa.JSON, nullable=False),
)

departures = sa.Table(
    "departures",
    metadata,
    # Servers that the bot is no longer in, until what is kept about them goes.
    sa.Column("guild_id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("at", Moment, nullable=False),
)

notes = sa.Table(
    "notes",
    metadata,
    # Small facts about this deployment, such as the digest of the commands that Discord has.
    sa.Column("key", sa.String(80), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

drafts = sa.Table(
    "drafts",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("owner_id", Snowflake, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("trigger_word", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("base_model", sa.String(40), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    # The first draft of its line of copies; null for that one itself.
    sa.Column("family_id", Id),
    # Who is in the photos, and the answer that says so; null until it is given.
    sa.Column("depicted", sa.String(20)),
    sa.Column("consent_id", Id),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    # When its person was told that its photos go; counts only if nobody touched the draft since.
    sa.Column("warned_at", Moment),
)

consents = sa.Table(
    "consents",
    metadata,
    # Answers to the question who is in the photos; only ever added to.
    sa.Column("id", Id, primary_key=True),
    sa.Column("draft_id", Id, index=True),
    sa.Column("owner_id", Snowflake, nullable=False, index=True),
    sa.Column("depicted", sa.String(20), nullable=False),
    sa.Column("text_version", sa.Integer, nullable=False),
    sa.Column("language", sa.String(10), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

photos = sa.Table(
    "photos",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("owner_id", Snowflake, nullable=False, index=True),
    # Exactly one of these two is set: a photo lies in a draft, or in a batch whose draft its person has yet to pick.
    sa.Column("draft_id", Id, sa.ForeignKey("drafts.id"), index=True),
    sa.Column("batch_id", Id, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("file_name", sa.String(260), nullable=False),
    sa.Column("blob_key", sa.String(200), nullable=False),
    sa.Column("content_type", sa.String(40), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("dhash", sa.String(16), nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("findings", sa.JSON, nullable=False),
    sa.Column("caption", sa.Text, nullable=False, server_default=""),
    # What it was before all captions of the draft were changed at once; null when there is nothing to undo.
    sa.Column("earlier_caption", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("draft_id", "sha256"),
)

saved_prompts = sa.Table(
    "saved_prompts",
    metadata,
    # Prompts that people want to use again; `{trigger}` in one stands for the trigger word of any model.
    sa.Column("id", Id, primary_key=True),
    sa.Column("owner_id", Snowflake, nullable=False, index=True),
    sa.Column("name", sa.String(80), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

quotes = sa.Table(
    "quotes",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("draft_id", Id, sa.ForeignKey("drafts.id"), nullable=False, index=True),
    sa.Column("provider", sa.String(40), nullable=False),
    sa.Column("why", sa.String(100), nullable=False, server_default=""),
    # The preset that its numbers began with.
    sa.Column("preset", sa.String(40), nullable=False, server_default="usual"),
    sa.Column("recipe", sa.JSON, nullable=False),
    sa.Column("estimate", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("owner_id", sa.BigInteger, nullable=False, index=True),
    sa.Column("guild_id", Snowflake),
    sa.Column("title", sa.String(80), nullable=False),
    sa.Column("provider", sa.String(40), nullable=False),
    sa.Column("why", sa.String(100), nullable=False, server_default=""),
    sa.Column("tried", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("draft_id", Id, index=True),
    sa.Column("lora_id", Id, index=True),
    # The training whose sample pictures this generation makes.
    sa.Column("parent_id", Id, index=True),
    sa.Column("prepared", sa.JSON),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    # Set in the commit before the paid call leaves and cleared by the one that knows its outcome.
    sa.Column("submitting_since", Moment),
    sa.Column("looks", sa.Integer, nullable=False, server_default="0"),
    sa.Column("remote_id", sa.String(200)),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("eta_at", Moment),
    sa.Column("failure", sa.JSON),
    sa.Column("cost_usd", sa.Float),
    # Pictures that the provider's own filter kept back; written with the pictures that it let pass.
    sa.Column("withheld", sa.Integer, nullable=False, server_default="0"),
    sa.Column("cancel_requested", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("cleaned", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Moment, nullable=False),
    # When a training left the line in which it waits for a free place; null while it stands there.
    sa.Column("turn_at", Moment),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("updated_at", Moment, nullable=False),
    # Counts writes; a card that has shown revision n is stale when the row is further on.
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    # The tracker's own: when to look again (null: never), who looks now, and the fence that a late writer trips over.
    sa.Column("next_at", Moment, index=True),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("lease_owner", sa.String(40)),
    sa.Column("lease_until", Moment),
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
)
#: Two presses on Train in the same millisecond: the database lets one through.
sa.Index(
    "uq_jobs_one_training_a_draft",
    jobs.c.draft_id,
    unique=True,
    sqlite_where=sa.and_(jobs.c.kind == "training", jobs.c.ended_at.is_(None)),
    postgresql_where=sa.and_(jobs.c.kind == "training", jobs.c.ended_at.is_(None)),
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("job_id", Id, sa.ForeignKey("jobs.id"), nullable=False, index=True),
    sa.Column("kind", sa.String(10), nullable=False),
    # Millionths of a dollar: whole numbers add up.
    sa.Column("micro_usd", sa.BigInteger, nullable=False),
    sa.Column("owner_id", Snowflake, nullable=False),
    sa.Column("guild_id", Snowflake),
    sa.Column("provider", sa.String(40), nullable=False),
    sa.Column("at", Moment, nullable=False),
    # One reserve a job and one end of it, whatever crashes.
    sa.UniqueConstraint("job_id", "kind"),
)

leases = sa.Table(
    "leases",
    metadata,
    # A training on a GPU machine; the marker is its job's.
    sa.Column("marker", sa.String(80), primary_key=True),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    # The photos: where they lie below the data folder, and what their archive must be at the other end.
    sa.Column("archive", sa.Text, nullable=False),
    sa.Column("archive_sha256", sa.String(64), nullable=False),
    sa.Column("archive_size", sa.BigInteger, nullable=False),
    # Of the last ticket's token and of the key of the machine that claimed the job; neither is stored itself.
    sa.Column("token_hash", sa.String(64)),
    sa.Column("holder_hash", sa.String(64)),
    # The machine's id at its provider, as it says itself.
    sa.Column("box_id", sa.String(200)),
    sa.Column("progress", sa.JSON),
    sa.Column("outcome", sa.JSON),
    sa.Column("usd_an_hour", sa.Float),
    sa.Column("issued_at", Moment),
    sa.Column("heard_at", Moment),
    sa.Column("stop_at", Moment),
    sa.Column("over_at", Moment),
)

losses = sa.Table(
    "losses",
    metadata,
    sa.Column("job_id", Id, sa.ForeignKey("jobs.id"), primary_key=True),
    # Steps are thinned to so many slots that the curve looks the same; the first loss of a slot stays.
    sa.Column("slot", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("step", sa.Integer, nullable=False),
    sa.Column("loss", sa.Float, nullable=False),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    # Webhook messages that were acted on; the second delivery of one changes nothing.
    sa.Column("provider", sa.String(40), primary_key=True),
    sa.Column("delivery_id", sa.String(200), primary_key=True),
    sa.Column("at", Moment, nullable=False),
)

pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("job_id", Id, sa.ForeignKey("jobs.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("blob_key", sa.String(200), nullable=False),
    sa.Column("seed", sa.BigInteger, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.UniqueConstraint("job_id", "position"),
)

cards = sa.Table(
    "cards",
    metadata,
    sa.Column("job_id", Id, sa.ForeignKey("jobs.id"), primary_key=True),
    sa.Column("channel_id", Snowflake, nullable=False, index=True),
    sa.Column("message_id", Snowflake),
    # How often the message had to be made anew because somebody deleted it; part of its nonce.
    sa.Column("posts", sa.Integer, nullable=False, server_default="0"),
    # What the message shows now; a render with the same digest is not sent again.
    sa.Column("digest", sa.String(64)),
    sa.Column("shown_revision", sa.Integer, nullable=False, server_default="0"),
    # The word that its turn has come after a long wait.
    sa.Column("turn_message_id", Snowflake),
    # The last word, a message of its own.
    sa.Column("final_message_id", Snowflake),
    # Why nothing more is sent here; the job goes on and shows up in /jobs.
    sa.Column("given_up", sa.Text),
    # The locale that it speaks.
    sa.Column("locale", sa.String(10), nullable=False, server_default="en"),
)

guilds = sa.Table(
    "guilds",
    metadata,
    sa.Column("id", Snowflake, primary_key=True, autoincrement=False),
    # Everything that a server's managers have set, as `bot.guild.GuildSettings`.
    sa.Column("settings", sa.JSON, nullable=False),
    # The same as in the settings; here so that a query can find it.
    sa.Column("log_channel_id", Snowflake),
    sa.Column("updated_at", Moment, nullable=False),
)

blocks = sa.Table(
    "blocks",
    metadata,
    sa.Column("guild_id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("person_id", Snowflake, primary_key=True, autoincrement=False),
    sa.Column("reason", sa.String(300), nullable=False),
    sa.Column("by_id", Snowflake, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("until", Moment),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("guild_id", Snowflake, index=True),
    sa.Column("actor_id", Snowflake, nullable=False),
    sa.Column("act", sa.String(30), nullable=False),
    sa.Column("target", sa.String(80), nullable=False),
    sa.Column("details", sa.JSON, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", Id, primary_key=True),
    # The server where it was seen; None for a direct message, whose reports go to the operator.
    sa.Column("guild_id", Snowflake, index=True),
    sa.Column("reporter_id", Snowflake, nullable=False),
    # Who asked for the pictures, and their job.
    sa.Column("subject_id", Snowflake, nullable=False),
    sa.Column("job_id", Id, nullable=False),
    sa.Column("reason", sa.String(500), nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("settled_by", Snowflake),
    sa.Column("settled_at", Moment),
)

notices = sa.Table(
    "notices",
    metadata,
    # What log channels are told: a row first, then one message, which follows the row like a card its job.
    sa.Column("id", Id, primary_key=True),
    sa.Column("guild_id", Snowflake, nullable=False, index=True),
    sa.Column("kind", sa.String(20), nullable=False),
    # The report, job, provider or announcement that it is about; one notice each in a server.
    sa.Column("subject", sa.String(80), nullable=False),
    sa.Column("facts", sa.JSON, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    # Nothing can be done about it any more.
    sa.Column("closed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("channel_id", Snowflake),
    sa.Column("message_id", Snowflake),
    sa.Column("revision", sa.Integer, nullable=False, server_default="1"),
    sa.Column("shown_revision", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("guild_id", "kind", "subject"),
)
