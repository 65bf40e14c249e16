"""Owns the keeping of answers to who is in the photos, in the caller's transaction; asks nobody and moves no photo."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consent import TEXT_VERSION, Consent, Depicted
from bot.draft import Draft, DraftState
from bot.errors import WrongMoment
from bot.ids import new_id
from bot.store import consents as rows
from bot.texts import _, spoken


async def keep_answer(connection: AsyncConnection, draft: Draft, depicted: Depicted, *, at: datetime) -> Draft:
    """Keep an answer about a draft and the models trained from it, and return the draft with it.

    Raises:
        WrongMoment: a model of a child would become one of somebody else.
    """
    if draft.depicted is depicted:
        return draft
    if draft.depicted is Depicted.CHILD and draft.state is not DraftState.OPEN:
        raise WrongMoment(
            _("**{name}** is trained as a model of a child, and that stays.").format(name=draft.name),
            advice=_("If that was a mistake, train another from the right photos."),
        )
    consent = new_consent(draft.owner_id, depicted, draft_id=draft.id, at=at)
    await rows.insert(connection, consent)
    await rows.hold(connection, consent)
    return replace(draft, depicted=depicted, consent_id=consent.id)


def new_consent(owner_id: int, depicted: Depicted, *, draft_id: str | None, at: datetime) -> Consent:
    """Return an answer that was just given, to the text as it is now."""
    return Consent(
        id=new_id(),
        draft_id=draft_id,
        owner_id=owner_id,
        depicted=depicted,
        text_version=TEXT_VERSION,
        language=spoken(),
        created_at=at,
    )
