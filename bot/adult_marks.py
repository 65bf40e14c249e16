"""Owns which models are marked as adult: by their owner for everywhere, by a server's managers for there.

A manager's mark is the server's word: the owner cannot take it back, and the other way round.
"""

from bot import audit
from bot.audit import AuditAct
from bot.clock import Clock
from bot.consent import Depicted
from bot.errors import NotAllowed, WrongMoment
from bot.guild import Act
from bot.guilds import Guilds
from bot.lora import Lora
from bot.place import Place
from bot.sharing import may_use
from bot.store import adult as rows
from bot.store.database import Database
from bot.texts import _


class AdultMarks:
    """All that can be done about marks, each call for one person."""

    def __init__(self, *, database: Database, guilds: Guilds, clock: Clock) -> None:
        self._database = database
        self._guilds = guilds
        self._clock = clock

    async def set(self, person_id: int, lora_id: str, place: Place, *, adult: bool) -> Lora:
        """Mark a model as adult or take the mark back: everywhere for its owner, in this server for its managers.

        Raises:
            NotAllowed: they are neither, or the model is of a child.
            NotYours: the model is not shared with them there.
            WrongMoment: the model is not marked by them.
        """
        now = self._clock.now()
        async with self._database.begin() as connection:
            lora = await may_use(connection, lora_id, person_id, place)
            where = rows.EVERYWHERE
            if lora.owner_id != person_id:
                await self._guilds.require(connection, person_id, place, Act.MANAGE)
                where = place.guild_id or 0
            if adult and lora.depicted is Depicted.CHILD:
                raise NotAllowed(_("**{model}** is a model of a child, which is never adult.").format(model=lora.name))
            if adult:
                await rows.mark(connection, lora.id, where, by_id=person_id, at=now)
            elif not await rows.unmark(connection, lora.id, where):
                raise WrongMoment(
                    _("**{model}** is not marked as adult by you.").format(model=lora.name),
                    advice=_("A mark of its owner and one of a server are two things."),
                )
            if where != rows.EVERYWHERE:
                act = AuditAct.MARK_ADULT if adult else AuditAct.UNMARK_ADULT
                await audit.record(connection, guild_id=where, actor_id=person_id, act=act, target=lora.id, at=now)
        return lora
