"""Keep which models are versions of one another, and which drafts are copies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the database forward; every model that is there is the first version of its draft's."""
    op.add_column("drafts", sa.Column("family_id", sa.String(length=16)))
    op.add_column("loras", sa.Column("family_id", sa.String(length=16)))
    op.add_column("loras", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.execute("UPDATE loras SET family_id = (SELECT draft_id FROM jobs WHERE jobs.id = loras.job_id)")
    op.create_index("uq_loras_family_id_version", "loras", ["family_id", "version"], unique=True)
