"""Who is offered a command in a server: the command's own default, and what the server's admins set about it.

Source: https://docs.discord.com/developers/interactions/application-commands#permissions
"""

from collections.abc import Mapping
from typing import Any

from playground.permissions import Permission
from playground.world import Channel, World

Json = dict[str, Any]
#: By the id of a role or person, whether they may; the guild's own id is @everyone.
Overrides = Mapping[int, bool]


def may_use(world: World, command: Json, user_id: int, channel: Channel, overrides: Overrides) -> bool:
    """Tell whether somebody is offered a command there; contexts are the command's, overrides the server's."""
    contexts = command.get("contexts")
    if contexts is not None and (1 if channel.guild_id is None else 0) not in contexts:
        return False
    if channel.guild_id is None:
        return bool(command.get("dm_permission", True) or contexts)
    guild, held = world.guilds[channel.guild_id], world.permissions(user_id, channel)
    if Permission.ADMINISTRATOR in held or user_id == guild.owner_id:
        return True
    # The nearest word counts: the person's own, their roles', everybody's, and last the command's.
    for targets in ([user_id], guild.members.get(user_id, []), [guild.id]):
        if said := [overrides[target] for target in targets if target in overrides]:
            return any(said)
    needed = command.get("default_member_permissions")
    # "0" is for administrators alone.
    return needed is None or int(held) & int(needed) == int(needed) != 0
