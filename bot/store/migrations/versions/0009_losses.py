"""Keep how the loss of a training came down."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Bring the database forward."""
    op.create_table(
        "losses",
        sa.Column("job_id", sa.String(length=16), nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("loss", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_losses_job_id")),
        sa.PrimaryKeyConstraint("job_id", "slot", name=op.f("pk_losses")),
    )
