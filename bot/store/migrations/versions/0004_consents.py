"""Keep who is in the photos of a draft and of a model, and each answer to that question."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "consents",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("draft_id", sa.String(length=16), nullable=True),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("depicted", sa.String(length=20), nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_draft_id"), "consents", ["draft_id"])
    op.create_index(op.f("ix_consents_owner_id"), "consents", ["owner_id"])
    for table in ("drafts", "loras"):
        op.add_column(table, sa.Column("depicted", sa.String(length=20), nullable=True))
        op.add_column(table, sa.Column("consent_id", sa.String(length=16), nullable=True))
