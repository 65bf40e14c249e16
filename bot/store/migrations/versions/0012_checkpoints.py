"""Keep the checkpoints of trainings."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "checkpoints",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("lora_id", sa.String(length=16), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("blob_key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name=op.f("fk_checkpoints_lora_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("lora_id", "step", name=op.f("uq_checkpoints_lora_id_step")),
    )
    op.create_index(op.f("ix_checkpoints_created_at"), "checkpoints", ["created_at"])
