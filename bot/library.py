"""Owns the trained models: who may use which, their names, shares and end; never makes a picture."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.errors import Missing, NotYours, WrongMoment
from bot.lora import Lora
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store.database import Database
from bot.texts import _, ngettext


@dataclass(frozen=True, kw_only=True)
class LoraDetails:
    """A model and what else its owner sees."""

    lora: Lora
    #: Servers whose members may use it.
    guild_ids: Sequence[int]


class Library:
    """All that can be done with trained models, each call for one person."""

    def __init__(self, *, database: Database, blobs: Blobs, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def usable(self, person_id: int, *, guild_id: int | None, named_like: str = "") -> Sequence[Lora]:
        """Return the models that a person may use here, their own first."""
        async with self._database.begin() as connection:
            return await rows.usable_by(connection, person_id, guild_id=guild_id, named_like=named_like)

    async def find(self, person_id: int, text: str, *, guild_id: int | None) -> Lora:
        """Return the model that a person means by an id or a name.

        Raises:
            Missing: no model they may use here is called so.
            WrongMoment: several are.
        """
        async with self._database.begin() as connection:
            with contextlib.suppress(Missing, NotYours):
                return await may_use(connection, text.strip(), person_id, guild_id=guild_id)
        usable = await self.usable(person_id, guild_id=guild_id)
        wanted = " ".join(text.split()).casefold()
        called = [lora for lora in usable if lora.name.casefold() == wanted]
        if len(called) > 1:
            raise WrongMoment(
                ngettext(
                    "{count} model here is called **{model}**.",
                    "{count} models here are called **{model}**.",
                    len(called),
                ).format(count=len(called), model=called[0].name),
                advice=_("Choose one from the list that opens while you type."),
            )
        if called:
            return called[0]
        if not usable:
            raise Missing(_("You have no model yet."), advice=_("Begin with /draft new."))
        raise Missing(
            _("You have no model of that name."), advice=_("Choose one from the list that opens while you type.")
        )

    async def details(self, person_id: int, lora_id: str, *, guild_id: int | None) -> LoraDetails:
        """Return a model with its shares."""
        async with self._database.begin() as connection:
            lora = await may_use(connection, lora_id, person_id, guild_id=guild_id)
            return LoraDetails(lora=lora, guild_ids=await rows.shared_with(connection, lora_id))

    async def own(self, owner_id: int, lora_id: str) -> Lora:
        """Return a person's own model.

        Raises:
            NotYours: it belongs to somebody else.
        """
        async with self._database.begin() as connection:
            return await _own(connection, lora_id, owner_id)

    async def rename(self, owner_id: int, lora_id: str, name: str) -> Lora:
        """Give a model another name and return it as it was.

        Raises:
            BadInput: the name cannot be used.
        """
        name = words.model_name(name)
        async with self._database.begin() as connection:
            lora = await _own(connection, lora_id, owner_id)
            await rows.rename(connection, lora_id, name)
        return lora

    async def delete(self, owner_id: int, lora_id: str) -> Lora:
        """Delete a model and its file for ever; pictures made with it stay.

        Raises:
            WrongMoment: pictures are being made with it.
        """
        async with self._database.begin() as connection:
            lora = await _own(connection, lora_id, owner_id)
            if await job_rows.under_way(connection, lora_id=lora_id):
                raise WrongMoment(
                    _("Pictures are being made with **{model}**.").format(model=lora.name),
                    advice=_("Delete it when they are done."),
                )
            await rows.mark_deleted(connection, lora_id, at=self._clock.now())
        await self._blobs.delete([lora.blob_key])
        return lora

    async def share(self, owner_id: int, lora_id: str, guild_id: int | None, *, shared: bool | None = None) -> bool:
        """Share a model with a server, or take it back, or whichever it is not; true when it is shared now.

        Raises:
            WrongMoment: there is no server, in a direct message.
        """
        async with self._database.begin() as connection:
            lora = await _own(connection, lora_id, owner_id)
            if guild_id is None:
                raise WrongMoment(
                    _("**{model}** can be shared with a server, and this is a direct message.").format(model=lora.name),
                    advice=_("Use /models share in the server."),
                )
            is_shared = guild_id in await rows.shared_with(connection, lora_id)
            wanted = not is_shared if shared is None else shared
            if wanted and not is_shared:
                await rows.share(connection, lora_id, guild_id, at=self._clock.now())
            elif is_shared and not wanted:
                await rows.unshare(connection, lora_id, guild_id)
            return wanted


async def may_use(connection: AsyncConnection, lora_id: str, person_id: int, *, guild_id: int | None) -> Lora:
    """Return a model if this person may make pictures with it here.

    Raises:
        Missing: there is no such model, or it is neither theirs nor shared with this server.
    """
    lora = await rows.get(connection, lora_id)
    if lora is None or lora.deleted_at is not None:
        raise Missing(_("That model was deleted."), advice=_("/models list shows those you can use."))
    if lora.owner_id != person_id and guild_id not in await rows.shared_with(connection, lora_id):
        raise NotYours(
            _("That model belongs to somebody else and is not shared here."),
            advice=_("/models list shows those you can use."),
        )
    return lora


async def _own(connection: AsyncConnection, lora_id: str, owner_id: int) -> Lora:
    lora = await rows.get(connection, lora_id)
    if lora is None or lora.deleted_at is not None:
        raise Missing(_("There is no such model."), advice=_("/models list shows yours."))
    if lora.owner_id != owner_id:
        raise NotYours(_("That model belongs to somebody else, so only they can do that."))
    return lora
