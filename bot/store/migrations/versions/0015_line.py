"""Keep when a training's turn came, and the message that said so."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Bring the database forward; who is with a provider already waits for no place."""
    op.add_column("jobs", sa.Column("turn_at", sa.BigInteger()))
    op.add_column("cards", sa.Column("turn_message_id", sa.BigInteger()))
    op.execute("UPDATE jobs SET turn_at = created_at WHERE kind = 'training' AND state != 'preparing'")
