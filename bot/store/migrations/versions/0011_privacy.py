"""Keep direct messages to send, what people want to hear, wishes to be forgotten, and servers that were left."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("people", sa.Column("tell_done", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("people", sa.Column("tell_deletion", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("drafts", sa.Column("warned_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "letters",
        sa.Column("id", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
    )
    op.create_index(op.f("ix_letters_person_id"), "letters", ["person_id"])
    op.create_index(op.f("ix_letters_ended_at"), "letters", ["ended_at"])
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_person_id"), "erasures", ["person_id"])
    op.create_table(
        "departures",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", name=op.f("pk_departures")),
    )
