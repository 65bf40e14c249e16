"""Keep prompts that people want to use again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "saved_prompts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_prompts")),
    )
    op.create_index("ix_saved_prompts_owner_id", "saved_prompts", ["owner_id"])
