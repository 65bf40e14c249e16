"""Let a model be shared with roles and persons too, described, and given away."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("loras", sa.Column("description", sa.Text(), nullable=False, server_default=""))
    op.add_column("loras", sa.Column("strength", sa.Float()))
    op.add_column("loras", sa.Column("provider", sa.String(length=40)))
    _widen_shares()
    op.create_table(
        "lora_transfers",
        sa.Column("lora_id", sa.String(length=16), nullable=False),
        sa.Column("from_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name="fk_lora_transfers_lora_id"),
        sa.PrimaryKeyConstraint("lora_id", name="pk_lora_transfers"),
    )
    op.create_index("ix_lora_transfers_to_id", "lora_transfers", ["to_id"])


def _widen_shares() -> None:
    # The primary key changes, which SQLite cannot do in place: a new table takes the name and the rows.
    connection = op.get_bind()
    before = connection.execute(sa.text("SELECT lora_id, guild_id, created_at FROM lora_shares")).all()
    op.drop_table("lora_shares")
    shares = op.create_table(
        "lora_shares",
        sa.Column("lora_id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lora_id"], ["loras.id"], name=op.f("fk_lora_shares_lora_id")),
        sa.PrimaryKeyConstraint("lora_id", "kind", "target_id", name=op.f("pk_lora_shares")),
    )
    op.create_index("ix_lora_shares_guild_id", "lora_shares", ["guild_id"])
    moved = [
        {"lora_id": lora_id, "kind": "server", "target_id": guild_id, "guild_id": guild_id, "created_at": created_at}
        for lora_id, guild_id, created_at in before
    ]
    op.bulk_insert(shares, moved)
