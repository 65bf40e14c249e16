"""Add the leases of trainings on GPU machines."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "leases",
        sa.Column("marker", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("archive", sa.Text(), nullable=False),
        sa.Column("archive_sha256", sa.String(length=64), nullable=False),
        sa.Column("archive_size", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64)),
        sa.Column("holder_hash", sa.String(length=64)),
        sa.Column("box_id", sa.String(length=200)),
        sa.Column("progress", sa.JSON()),
        sa.Column("outcome", sa.JSON()),
        sa.Column("usd_an_hour", sa.Float()),
        sa.Column("issued_at", sa.BigInteger()),
        sa.Column("heard_at", sa.BigInteger()),
        sa.Column("stop_at", sa.BigInteger()),
        sa.Column("over_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("marker", name=op.f("pk_leases")),
    )
