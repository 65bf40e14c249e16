"""Owns how a model is given away: offered by its owner, and accepted by who gets it; never moves a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.clock import Clock
from bot.errors import Missing, NotYours, WrongMoment
from bot.lora import Lora, Transfer
from bot.sharing import live, own
from bot.store import loras as lora_rows
from bot.store import shares as rows
from bot.store.database import Database
from bot.texts import _

#: An offer that nobody answered for so long is no longer one.
LIFE = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """An offer with its model."""

    transfer: Transfer
    lora: Lora


class Transfers:
    """All that can be done about giving models away, each call for one person."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def offer(self, owner_id: int, lora_id: str, to_id: int) -> Offered:
        """Offer a model to somebody; nothing changes until they accept, and a later offer takes the place of this one.

        Raises:
            NotYours: it belongs to somebody else.
            WrongMoment: it would be given to its owner.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
            if to_id == owner_id:
                raise WrongMoment(
                    _("**{model}** is yours already.").format(model=lora.name),
                    advice=_("Choose somebody else to give it to."),
                )
            transfer = Transfer(lora_id=lora_id, from_id=owner_id, to_id=to_id, created_at=self._clock.now())
            await rows.offer(connection, transfer)
        return Offered(transfer=transfer, lora=lora)

    async def accept(self, person_id: int, lora_id: str) -> Offered:
        """Take a model that was offered; its shares end, so that it is private again.

        Pictures that others are having made with it are still made.
        """
        async with self._database.begin() as connection:
            offered = await self._offered(connection, person_id, lora_id)
            await rows.end_offer(connection, lora_id)
            await rows.drop_all(connection, lora_id)
            await lora_rows.give_to(connection, lora_id, person_id)
        return offered

    async def decline(self, person_id: int, lora_id: str) -> Offered:
        """Say no to an offer, or take it back; the model stays with its owner."""
        async with self._database.begin() as connection:
            offered = await self._offered(connection, person_id, lora_id, or_owner=True)
            await rows.end_offer(connection, lora_id)
        return offered

    async def offered_to(self, person_id: int) -> Sequence[Offered]:
        """Return what a person was offered and has not answered yet."""
        async with self._database.begin() as connection:
            offers = await rows.offers_to(connection, person_id, since=self._clock.now() - LIFE)
            return [Offered(transfer=one, lora=await live(connection, one.lora_id)) for one in offers]

    async def _offered(
        self, connection: AsyncConnection, person_id: int, lora_id: str, *, or_owner: bool = False
    ) -> Offered:
        lora = await live(connection, lora_id)
        transfer = await rows.offer_of(connection, lora_id)
        if transfer is None or transfer.from_id != lora.owner_id or transfer.created_at < self._clock.now() - LIFE:
            raise Missing(
                _("**{model}** is not on offer any more.").format(model=lora.name),
                advice=_("Its owner can offer it again with /models transfer."),
            )
        if person_id != transfer.to_id and not (or_owner and person_id == transfer.from_id):
            raise NotYours(_("**{model}** was offered to somebody else.").format(model=lora.name))
        return Offered(transfer=transfer, lora=lora)
