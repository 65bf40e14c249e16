"""What a server's settings mean for one person, and how they come back from the database."""

from datetime import UTC, datetime

import pytest

from bot.guild import Act, GuildSettings, Limits, RoleLimits
from bot.place import Place
from bot.store import guilds as rows
from bot.store.database import Database
from tests.fresh_database import lay_database

WHEN = datetime(2026, 3, 14, tzinfo=UTC)
BOTH = GuildSettings(
    person_usd_a_day=1.0,
    jobs_at_once=2,
    server_usd_a_month=9.0,
    role_limits=(
        RoleLimits(role_id=1, usd_a_day=5.0),
        RoleLimits(role_id=2, usd_a_day=3.0, jobs_at_once=1),
        RoleLimits(role_id=3, usd_a_day=0.5, jobs_at_once=7),
    ),
)


@pytest.mark.parametrize(
    ("roles", "usd", "jobs"),
    [
        ((), 1.0, 2),
        ((4,), 1.0, 2),
        ((1,), 5.0, 2),  # says nothing about jobs
        ((2,), 3.0, 1),  # in place of everybody's, also where it is stricter
        ((3,), 0.5, 7),
        ((2, 3), 3.0, 7),  # the most generous of each
        ((1, 2, 3), 5.0, 7),
    ],
)
def test_of_several_roles_the_most_generous_word_counts(roles, usd, jobs):
    assert BOTH.limits_for(roles) == Limits(usd_a_day=usd, jobs_at_once=jobs, server_usd_a_month=9.0)


def test_without_settings_there_are_no_limits_of_the_server():
    assert GuildSettings().limits_for((1,)) == Limits()
    assert GuildSettings().allowed is None


def test_thread_is_open_when_its_channel_is():
    settings = GuildSettings(channel_ids=(7,))
    assert settings.is_open_in(Place(channel_id=7, guild_id=1))
    assert settings.is_open_in(Place(channel_id=8, parent_id=7, guild_id=1))
    assert not settings.is_open_in(Place(channel_id=8, parent_id=9, guild_id=1))
    assert GuildSettings().is_open_in(Place(channel_id=8, guild_id=1))


def test_server_is_managed_by_permission_or_by_role():
    settings = GuildSettings(manage_role_ids=(3,))
    assert settings.is_managed_by(Place(channel_id=1, guild_id=1, manages=True))
    assert settings.is_managed_by(Place(channel_id=1, guild_id=1, role_ids=frozenset({3, 4})))
    assert not settings.is_managed_by(Place(channel_id=1, guild_id=1, role_ids=frozenset({4})))


def test_only_training_and_pictures_are_kept_for_roles():
    settings = GuildSettings(train_role_ids=(1,), generate_role_ids=(2,), manage_role_ids=(3,))
    assert [settings.roles_for(act) for act in (Act.TRAIN, Act.GENERATE, Act.USE)] == [(1,), (2,), ()]


async def test_settings_come_back_as_they_were_put(tmp_path):
    async with Database.opened(await lay_database(tmp_path)) as database:
        async with database.begin() as connection:
            await rows.put(connection, 5, BOTH, at=WHEN)
        async with database.begin() as connection:
            assert await rows.settings(connection, 5) == BOTH
            assert await rows.settings(connection, 6) == await rows.settings(connection, None) == GuildSettings()


async def test_settings_of_an_older_version_are_read(tmp_path):
    async with Database.opened(await lay_database(tmp_path)) as database, database.begin() as connection:
        await rows.put(connection, 5, GuildSettings(jobs_at_once=4), at=WHEN)
        await connection.exec_driver_sql("""UPDATE guilds SET settings = '{"jobs_at_once": 4, "gone": true}'""")
        assert await rows.settings(connection, 5) == GuildSettings(jobs_at_once=4)
