"""Keep the caption that a photo had before all were changed at once."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Bring the database forward."""
    op.add_column("photos", sa.Column("earlier_caption", sa.Text(), nullable=True))
