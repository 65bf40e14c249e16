"""Remember which deleted models a provider still has to delete."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("loras", sa.Column("forget_at", sa.BigInteger()))
    op.add_column("loras", sa.Column("forget_tries", sa.Integer(), nullable=False, server_default="0"))
