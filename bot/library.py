"""Owns the trained models: finding them, what their cards say, their end; never makes a picture, never shares one."""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import words
from bot.blobs import Blobs
from bot.clock import Clock
from bot.errors import BadInput, BotError, Missing, NotYours, WrongMoment
from bot.lora import Lora, Share, Transfer
from bot.place import Place
from bot.remote_models import RemoteModels
from bot.sharing import may_use, own, refuse_unwanted
from bot.store import checkpoints as checkpoint_rows
from bot.store import jobs as job_rows
from bot.store import loras as rows
from bot.store import shares as share_rows
from bot.store.database import Database
from bot.texts import _, ngettext
from providers.registry import Registry

#: No image maker likes more, and most files are ruined by it.
STRONGEST = 2.0


@dataclass(frozen=True, kw_only=True)
class LoraDetails:
    """A model, with what its owner sees besides."""

    lora: Lora
    #: Empty for who is not its owner.
    shares: Sequence[Share]
    #: The offer to give it away that stands; None for who is not its owner.
    transfer: Transfer | None
    #: The image maker that its owner chose, as people call it; empty without one.
    provider_title: str
    #: How many checkpoints of its training there are to choose from; 0 for who is not its owner.
    checkpoints: int


@dataclass(frozen=True, kw_only=True)
class CardChange:
    """What an owner changes about a model; None leaves a thing as it is."""

    name: str | None = None
    description: str | None = None
    trigger_word: str | None = None
    #: Empty for what the image maker likes best.
    strength: str | None = None
    #: Name of an image maker; empty or "auto" for the best choice.
    provider: str | None = None


class Library:
    """All that can be done with trained models, each call for one person."""

    def __init__(
        self, *, database: Database, blobs: Blobs, registry: Registry, remote_models: RemoteModels, clock: Clock
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._registry = registry
        self._remote_models = remote_models
        self._clock = clock

    async def usable(self, person_id: int, place: Place, *, named_like: str = "") -> Sequence[Lora]:
        """Return the models that a person may use there, their own first."""
        async with self._database.begin() as connection:
            return await rows.usable_by(connection, person_id, place, named_like=named_like)

    async def find(self, person_id: int, text: str, place: Place) -> Lora:
        """Return the model that a person means by an id or a name.

        Raises:
            Missing: no model they may use there is called so.
            WrongMoment: several are.
        """
        async with self._database.begin() as connection:
            with contextlib.suppress(Missing, NotYours):
                return await may_use(connection, text.strip(), person_id, place)
        usable = await self.usable(person_id, place)
        wanted = " ".join(text.split()).casefold()
        called = _newest([lora for lora in usable if lora.name.casefold() == wanted])
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

    async def meant_or_none(self, person_id: int, text: str, place: Place) -> Lora | None:
        """Return the model that a person means so far, while they still type."""
        try:
            return await self.find(person_id, text, place)
        except BotError:
            return None

    async def details(self, person_id: int, lora_id: str, place: Place) -> LoraDetails:
        """Return a model as this person may see it there."""
        async with self._database.begin() as connection:
            lora = await may_use(connection, lora_id, person_id, place)
            mine = lora.owner_id == person_id
            shares = await share_rows.of_lora(connection, lora_id) if mine else ()
            transfer = await share_rows.offer_of(connection, lora_id) if mine else None
            checkpoints = await checkpoint_rows.of_lora(connection, lora_id) if mine else ()
        maker = self._registry.image_makers.get(lora.provider or "")
        return LoraDetails(
            lora=lora,
            shares=shares,
            transfer=transfer,
            provider_title=maker.title if maker else lora.provider or "",
            checkpoints=len(checkpoints),
        )

    async def own(self, owner_id: int, lora_id: str) -> Lora:
        """Return a person's own model.

        Raises:
            NotYours: it belongs to somebody else.
        """
        async with self._database.begin() as connection:
            return await own(connection, lora_id, owner_id)

    async def change(self, owner_id: int, lora_id: str, change: CardChange, place: Place) -> tuple[Lora, Lora]:
        """Change what a model's card says and return it as it was, and as it is.

        Raises:
            BadInput: a value cannot be used.
            NotAllowed: it holds a word that is not wanted there, or where the model is shared.
            NotYours: it belongs to somebody else.
        """
        async with self._database.begin() as connection:
            before = await own(connection, lora_id, owner_id)
            now = self._changed(before, change)
            said = [text for text in (change.name, change.description, change.trigger_word) if text]
            await refuse_unwanted(connection, before, place, *said)
            await rows.write_card(connection, now)
        return before, now

    async def delete(self, owner_id: int, lora_id: str) -> tuple[Lora, str | None]:
        """Delete a model and its file for ever, also at the provider that trained it; pictures made with it stay.

        With the model comes a sentence if the provider's copy is not gone yet; it is tried again by itself.

        Raises:
            WrongMoment: pictures are being made with it.
        """
        async with self._database.begin() as connection:
            lora = await own(connection, lora_id, owner_id)
            if await job_rows.under_way(connection, lora_id=lora_id):
                raise WrongMoment(
                    _("Pictures are being made with **{model}**.").format(model=lora.name),
                    advice=_("Delete it when they are done."),
                )
            await rows.mark_deleted(connection, lora_id, at=self._clock.now())
            earlier = await checkpoint_rows.forget(connection, lora_id)
        await self._blobs.delete({lora.blob_key, *earlier})
        return lora, await self._remote_models.forget_now(lora)

    def _changed(self, lora: Lora, change: CardChange) -> Lora:
        if change.name is not None:
            lora = replace(lora, name=words.model_name(change.name))
        if change.description is not None:
            lora = replace(lora, description=words.description(change.description))
        if change.trigger_word is not None:
            lora = replace(lora, trigger_word=_trigger_word(lora, change.trigger_word))
        if change.strength is not None:
            lora = replace(lora, strength=_strength(change.strength))
        if change.provider is not None:
            lora = replace(lora, provider=self._provider(lora, change.provider))
        return lora

    def _provider(self, lora: Lora, name: str) -> str | None:
        if name in {"", "auto"}:
            return None
        able = {maker.name: maker for maker in self._registry.image_makers_for(lora.base_model, lora.format)}
        if name not in able and name != lora.provider:
            raise BadInput(
                _("No provider here that can use this model is called `{name}`.").format(name=name[:40]),
                advice=_("Choose one from the list that opens while you type."),
            )
        return name


def _newest(called: Sequence[Lora]) -> Sequence[Lora]:
    """Return the newest of what are versions of one model: it is meant by their name."""
    lines = {lora.family_id for lora in called}
    if len(lines) != 1 or None in lines:
        return called
    return [max(called, key=lambda lora: lora.version)]


def _trigger_word(lora: Lora, text: str) -> str:
    if lora.job_id is not None and text.strip() != lora.trigger_word:
        raise BadInput(
            _("The trigger word of a model that was trained here is a part of it."),
            advice=_("Train the model again to give it another one."),
        )
    return words.trigger_word(text) if text.strip() else ""


def _strength(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        strength = float(text.replace(",", "."))
    except ValueError:
        strength = math.nan
    if not 0 < strength <= STRONGEST:
        raise BadInput(
            _("A strength is a number above 0 and up to {most}, such as 0.8.").format(most=f"{STRONGEST:g}"),
            advice=_("Leave it out for what works best."),
        )
    return strength
