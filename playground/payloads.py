"""The world in Discord's JSON; it reads the world and changes nothing."""

from datetime import UTC, datetime
from typing import Any

from playground.world import Attachment, Channel, ChannelKind, Guild, Message, Role, Team, User, World

Json = dict[str, Any]


def timestamp(seconds: float) -> str:
    """Write a time as Discord does."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def user(someone: User) -> Json:
    """Show a user."""
    return {
        "id": str(someone.id),
        "username": someone.name,
        "global_name": None if someone.bot else someone.name,
        "discriminator": "0",
        "avatar": None,
        "bot": someone.bot,
        "public_flags": 0,
        "flags": 0,
        "primary_guild": None,
    }


def own_user(someone: User) -> Json:
    """Show the bot to itself."""
    return user(someone) | {"mfa_enabled": False, "locale": "en-US", "verified": True, "email": None}


def role(one: Role) -> Json:
    """Show a role."""
    return {
        "id": str(one.id),
        "name": one.name,
        "permissions": str(int(one.permissions)),
        "position": one.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def member(world: World, guild: Guild, someone: User) -> Json:
    """Show a member of a guild."""
    return {
        "user": user(someone),
        "roles": [str(role_id) for role_id in guild.members.get(someone.id, [])],
        "joined_at": timestamp(guild.joined_at),
        "nick": None,
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "premium_since": None,
        "pending": False,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "permissions": str(int(world.guild_permissions(someone.id, guild))),
    }


def channel(world: World, one: Channel) -> Json:
    """Show a channel."""
    last = str(one.last_message_id) if one.last_message_id else None
    if one.kind is ChannelKind.DM:
        people = [user(world.users[one.recipient_id])] if one.recipient_id else []
        return {"id": str(one.id), "type": 1, "recipients": people, "last_message_id": last, "flags": 0}
    if one.is_thread:
        return _thread(world, one, last)
    return {
        "id": str(one.id),
        "type": int(one.kind),
        "guild_id": str(one.guild_id),
        "name": one.name,
        "position": 0,
        "permission_overwrites": [
            {
                "id": str(target),
                "type": 0 if target in world.guilds[one.guild_id or 0].roles else 1,
                "allow": str(int(overwrite.allow)),
                "deny": str(int(overwrite.deny)),
            }
            for target, overwrite in one.overwrites.items()
        ],
        "parent_id": None,
        "nsfw": one.nsfw,
        "topic": None,
        "last_message_id": last,
        "rate_limit_per_user": 0,
        "flags": 0,
    }


def _thread(world: World, one: Channel, last: str | None) -> Json:
    written = len(world.messages_in(one))
    return {
        "id": str(one.id),
        "type": int(one.kind),
        "guild_id": str(one.guild_id),
        "parent_id": str(one.parent_id),
        "owner_id": str(one.owner_id),
        "name": one.name,
        "last_message_id": last,
        "rate_limit_per_user": 0,
        "message_count": written,
        "total_message_sent": written,
        "member_count": 1,
        "thread_metadata": {
            "archived": one.archived,
            "archive_timestamp": timestamp(one.created_at),
            "auto_archive_duration": 4320,
            "locked": False,
            "create_timestamp": timestamp(one.created_at),
        },
        "flags": 0,
    }


def guild(one: Guild) -> Json:
    """Show a guild as the REST API does."""
    nothing = (
        "icon description home_header splash discovery_splash banner application_id afk_channel_id system_channel_id "
        "widget_channel_id max_presences vanity_url_code rules_channel_id safety_alerts_channel_id "
        "public_updates_channel_id incidents_data"
    )
    zero = (
        "system_channel_flags verification_level default_message_notifications mfa_level explicit_content_filter "
        "premium_tier premium_subscription_count nsfw_level"
    )
    return {
        "id": str(one.id),
        "name": one.name,
        "owner_id": str(one.owner_id),
        "roles": [role(r) for r in one.roles.values()],
        "features": [],
        "emojis": [],
        "stickers": [],
        "region": "deprecated",
        "afk_timeout": 300,
        "widget_enabled": False,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "preferred_locale": one.locale,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        **dict.fromkeys(nothing.split()),
        **dict.fromkeys(zero.split(), 0),
    }


def guild_create(world: World, one: Guild) -> Json:
    """Show a guild as the gateway does; of the members only the bot, as without the members intent.

    Without `unavailable` it is one that the bot has just joined.
    """
    here = [c for c in world.channels.values() if c.guild_id == one.id and not c.deleted]
    return guild(one) | {
        "joined_at": timestamp(one.joined_at),
        "large": False,
        "member_count": len(one.members),
        "channels": [channel(world, c) for c in here if not c.is_thread],
        "members": [member(world, one, world.bot)],
        "threads": [channel(world, c) for c in here if c.is_thread and not c.archived],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def attachment(one: Attachment, base: str) -> Json:
    """Show a file; `base` is where the CDN answers. The signature in the URL is for show."""
    optional: Json = {"description": one.description} if one.description else {}
    if one.ephemeral:
        optional["ephemeral"] = True
    return {
        "id": str(one.id),
        "filename": one.filename,
        "size": len(one.data),
        "url": f"{base}{one.path}?ex=1&is=1&hm=1",
        "proxy_url": f"{base}{one.path}",
        "content_type": one.content_type,
        **optional,
    }


def message(world: World, one: Message, base: str) -> Json:
    """Show a message. Files that a component shows are left out of `attachments` (api-docs#1340)."""
    shown = set(attachments_shown(one.components))
    optional: Json = {}
    if one.nonce is not None:
        optional["nonce"] = one.nonce
    if one.interaction_metadata is not None:
        optional |= {"interaction_metadata": one.interaction_metadata, "application_id": str(world.bot.id)}
        optional["webhook_id"] = str(world.bot.id)
    if one.replies_to is not None:
        optional["message_reference"] = {
            "type": 0,
            "channel_id": str(one.channel_id),
            "message_id": str(one.replies_to),
        }
    return {
        "id": str(one.id),
        "channel_id": str(one.channel_id),
        "type": int(one.kind),
        "author": user(world.users[one.author_id]),
        "content": one.content,
        "embeds": one.embeds,
        "components": one.components,
        "attachments": [attachment(a, base) for a in one.attachments if str(a.id) not in shown],
        "mentions": [user(world.users[u]) for u in one.pinged],
        "mention_roles": [],
        "mention_everyone": one.pinged_everyone,
        "pinned": False,
        "tts": False,
        "timestamp": timestamp(one.created_at),
        "edited_timestamp": None if one.edited_at is None else timestamp(one.edited_at),
        "flags": one.flags,
        **optional,
    }


def attachments_shown(components: list[Json]) -> list[str]:
    """List the ids of the attachments that components show."""
    found: list[str] = []
    for node in components:
        media = [node.get("media"), node.get("file"), *(item["media"] for item in node.get("items", []))]
        found += [m["attachment_id"] for m in media if m and "attachment_id" in m]
        found += attachments_shown(node.get("components", []))
        if accessory := node.get("accessory"):
            found += attachments_shown([accessory])
    return found


def team(one: Team) -> Json:
    """Show the team that owns the application; membership states: 1 invited, 2 accepted."""
    return {
        "id": str(one.id),
        "icon": None,
        "name": one.name,
        "owner_user_id": str(one.owner.id),
        "members": [
            {
                "user": user(someone),
                "team_id": str(one.id),
                "membership_state": 2 if accepted else 1,
                "role": "developer",
                "permissions": ["*"],
            }
            for someone, accepted in [(one.owner, True), *one.members]
        ],
    }


def application(world: World, owner: User, owners: Team | None) -> Json:
    """Show the bot's application to itself."""
    return {
        "id": str(world.bot.id),
        "name": world.bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "bot": user(world.bot),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "00" * 32,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "owner": user(owner),
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": None if owners is None else team(owners),
        "eligible_oauth2_scopes": [],
    }
