"""Owns who may use a model, and whom its owner shares it with; never changes the model itself."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.blocked_words import found_in
from bot.clock import Clock
from bot.errors import Missing, NotAllowed, NotYours, WrongMoment
from bot.guilds import without_blocked_words
from bot.lora import Lora, Share, ShareKind
from bot.place import Place
from bot.store import guilds as guild_rows
from bot.store import loras as lora_rows
from bot.store import shares as rows
from bot.store.database import Database
from bot.texts import _


class Sharing:
    """All that can be done about a model's shares, each call for one person."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def share(self, owner_id: int, lora_id: str, share: Share) -> Lora:
        """Share a model; fine when it is shared so already.

        Raises:
            NotAllowed: its card holds a word that the server does not want.
            NotYours: it belongs to somebody else.
            WrongMoment: it would be shared with its owner.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
            if share == Share.with_person(owner_id):
                raise WrongMoment(
                    _("**{model}** is yours already.").format(model=lora.name),
                    advice=_("Choose somebody else to share it with."),
                )
            await _require_wanted(connection, lora, share)
            await rows.add(connection, lora_id, share, at=self._clock.now())
        return lora

    async def revoke(self, person_id: int, lora_id: str, share: Share, place: Place) -> Lora:
        """Take a model back from a server, a role or a person; pictures that are under way are still made.

        Who manages a server may take back what is shared with it or with one of its roles.

        Raises:
            Missing: it is not shared so.
            NotYours: it belongs to somebody else, and is not shared with a server that this person manages.
        """
        async with self._database.begin() as connection:
            settings = await guild_rows.settings(connection, place.guild_id)
            manages = counts_here(share, place) and settings.is_managed_by(place)
            lora = await (live(connection, lora_id) if manages else own(connection, lora_id, person_id))
            if not await rows.drop(connection, lora_id, share):
                raise Missing(_("**{model}** is not shared that way.").format(model=lora.name))
        return lora

    async def replace_all(
        self, owner_id: int, lora_id: str, kind: ShareKind, shares: Sequence[Share], place: Place
    ) -> None:
        """Share a model with just these people, or with just these roles of the server that this is.

        Raises:
            NotAllowed: its card holds a word that the server does not want.
            NotYours: it belongs to somebody else.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
            before = [
                share
                for share in await rows.of_lora(connection, lora_id)
                if share.kind is kind and (kind is ShareKind.PERSON or counts_here(share, place))
            ]
            for share in [one for one in before if one not in shares]:
                await rows.drop(connection, lora_id, share)
            for share in [one for one in shares if one != Share.with_person(owner_id)]:
                await _require_wanted(connection, lora, share)
                await rows.add(connection, lora_id, share, at=self._clock.now())

    async def is_shared(self, owner_id: int, lora_id: str, share: Share) -> bool:
        """Tell whether a person's own model is shared so."""
        async with self._database.begin() as connection:
            await own(connection, lora_id, owner_id)
            return share in await rows.of_lora(connection, lora_id)


async def may_use(connection: AsyncConnection, lora_id: str, person_id: int, place: Place) -> Lora:
    """Return a model if this person may make pictures with it there.

    Raises:
        Missing: there is no such model.
        NotYours: it is neither theirs nor shared with them there.
    """
    lora = await lora_rows.get(connection, lora_id)
    if lora is None or lora.deleted_at is not None:
        raise Missing(_("That model was deleted."), advice=_("/models list shows those you can use."))
    if lora.owner_id != person_id and not await lora_rows.reaches(connection, lora_id, person_id, place):
        raise NotYours(
            _("That model belongs to somebody else and is not shared here."),
            advice=_("/models list shows those you can use."),
        )
    return lora


async def refuse_unwanted(connection: AsyncConnection, lora: Lora, place: Place, *texts: str) -> None:
    """Let pass what may stand on a model's card, there and in the servers that it is shared with.

    Raises:
        NotAllowed: it holds a word that is not wanted in one of them.
    """
    without_blocked_words(await guild_rows.settings(connection, place.guild_id), *texts)
    for share in await rows.of_lora(connection, lora.id):
        found = await _unwanted_word(connection, share, *texts)
        if found is not None:
            raise NotAllowed(
                _("The word “{word}” is not wanted in a server that **{model}** is shared with.").format(
                    model=lora.name, word=found
                ),
                advice=_("Say it without it."),
            )


async def _require_wanted(connection: AsyncConnection, lora: Lora, share: Share) -> None:
    found = await _unwanted_word(connection, share, lora.name, lora.description, lora.trigger_word)
    if found is not None:
        raise NotAllowed(
            _("The card of **{model}** has the word “{word}”, which is not wanted in this server.").format(
                model=lora.name, word=found
            ),
            advice=_("Change it with /models rename or /models describe, then share it again."),
        )


async def _unwanted_word(connection: AsyncConnection, share: Share, *texts: str) -> str | None:
    return found_in((await guild_rows.settings(connection, share.guild_id)).blocked_words, *texts)


async def own(connection: AsyncConnection, lora_id: str, owner_id: int) -> Lora:
    """Return a person's own model.

    Raises:
        Missing: there is no such model.
        NotYours: it belongs to somebody else.
    """
    lora = await live(connection, lora_id)
    if lora.owner_id != owner_id:
        raise NotYours(_("That model belongs to somebody else, so only they can do that."))
    return lora


async def live(connection: AsyncConnection, lora_id: str) -> Lora:
    """Return a model that is not deleted, whoever asks.

    Raises:
        Missing: there is none.
    """
    lora = await lora_rows.get(connection, lora_id)
    if lora is None or lora.deleted_at is not None:
        raise Missing(_("There is no such model."), advice=_("/models list shows yours."))
    return lora


def server_of(place: Place, lora: Lora) -> Share:
    """Return the share with the server that this is.

    Raises:
        WrongMoment: it is a direct message.
    """
    if place.guild_id is None:
        raise WrongMoment(
            _("**{model}** can be shared with a server, and this is a direct message.").format(model=lora.name),
            advice=_("Use /models share in the server."),
        )
    return Share.with_server(place.guild_id)


def counts_here(share: Share, place: Place) -> bool:
    """Tell whether a share is about the server that this is."""
    return share.kind is not ShareKind.PERSON and share.guild_id is not None and share.guild_id == place.guild_id
