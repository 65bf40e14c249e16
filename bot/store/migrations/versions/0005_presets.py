"""Keep which preset a quote began with."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("quotes", sa.Column("preset", sa.String(length=40), nullable=False, server_default="usual"))
