"""Owns what all tables of the database have in common: names of constraints, times, ids; never a table."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

#: Names for constraints, so that migrations can speak of them on every engine.
metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time in UTC, stored as whole milliseconds since 1970."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else round(value.timestamp() * 1000)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value / 1000, UTC)


Id = sa.String(16)
#: Discord's snowflakes are unsigned 64-bit and stay below 2**63 until 2084.
Snowflake = sa.BigInteger
