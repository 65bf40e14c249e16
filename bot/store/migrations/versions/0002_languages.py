"""Keep the language of a card, and that of a person."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("cards", sa.Column("locale", sa.String(length=10), nullable=False, server_default="en"))
    op.add_column("people", sa.Column("locale", sa.String(length=10), nullable=False, server_default="en"))
