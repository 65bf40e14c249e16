"""Owns the choice of a provider: who can do it, is well, is preferred, and costs least; never calls one for a job.

What a provider said of its health at the last check, and whether its circuit is open, are opinions that go stale; they
only keep a job from being given to somebody who is known to be out of order.
"""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bot.draft import Draft
from bot.errors import BadInput, BotError, CannotServe
from bot.lora import Lora
from bot.texts import N_, _, either, ngettext, told
from bot.training.circuit import Circuits
from bot.training.presets import Wishes, recipe_for
from providers.base import Estimate, Health, ImageMaker, Trainer, Upscales
from providers.recipe import Recipe
from providers.registry import Registry

log = logging.getLogger(__name__)

#: Seconds between two rounds of checks.
ROUND_SECONDS = 600.0
#: The two things that a provider may do.
TRAINS, DRAWS = N_("train"), N_("make pictures")
#: What people choose to leave the choice to us.
AUTO = "auto"
#: Why a provider does a job that its person chose it for; such a job never goes to another one.
CHOSEN = N_("your choice")
_PREFERRED = N_("preferred here")

AdapterT = TypeVar("AdapterT", Trainer, ImageMaker)


@dataclass(frozen=True, kw_only=True)
class TrainerChoice:
    """A trainer with what it would do."""

    trainer: Trainer
    recipe: Recipe
    estimate: Estimate
    #: Why this one, a clause for people: "the cheapest of 3".
    why: str


@dataclass(frozen=True, kw_only=True)
class MakerChoice:
    """An image maker with what it would cost."""

    maker: ImageMaker
    estimate: Estimate
    why: str


@dataclass(frozen=True, kw_only=True)
class ProviderHealth:
    """What is known of a provider in one role."""

    title: str
    role: str
    #: What it said last; None before it was asked.
    health: Health | None
    #: Several calls in a row have failed.
    lost: bool

    @property
    def well(self) -> bool:
        return (self.health is None or self.health.ok) and not self.lost


@dataclass(kw_only=True)
class Router:
    """Chooses among the adapters of this deployment."""

    registry: Registry
    circuits: Circuits
    #: Names in the operator's order of preference; others come after them.
    preferred: Sequence[str] = ()
    #: By role and name: a trainer and an image maker may share a name and not their luck.
    _health: dict[tuple[str, str], Health] = field(default_factory=dict)

    async def run(self) -> None:
        """Ask every provider for its health now and every ten minutes, until cancelled."""
        while True:
            await self.check_all()
            await asyncio.sleep(ROUND_SECONDS)

    async def check_all(self) -> None:
        """Ask every provider for its health; log what has changed."""
        adapters: dict[tuple[str, str], Trainer | ImageMaker] = {
            **{(TRAINS, name): trainer for name, trainer in self.registry.trainers.items()},
            **{(DRAWS, name): maker for name, maker in self.registry.image_makers.items()},
        }
        answers = await asyncio.gather(*(adapter.check() for adapter in adapters.values()))
        for (role, name), health in zip(adapters, answers, strict=True):
            known = self._health.get((role, name))
            if not health.ok and (known is None or known.ok):
                log.warning("%s cannot %s: %s", name, role, health.detail)
            elif health.ok and known is not None and not known.ok:
                log.warning("%s can %s again: %s", name, role, health.detail)
            self._health[role, name] = health

    def healths(self) -> Sequence[ProviderHealth]:
        """Return what is known of every provider in each of its roles."""
        adapters: list[tuple[str, Trainer | ImageMaker]] = [
            *((TRAINS, trainer) for trainer in self.registry.trainers.values()),
            *((DRAWS, maker) for maker in self.registry.image_makers.values()),
        ]
        return [
            ProviderHealth(
                title=adapter.title,
                role=role,
                health=self._health.get((role, adapter.name)),
                lost=self.circuits.lost(adapter.name),
            )
            for role, adapter in adapters
        ]

    def well(self, role: str, name: str) -> bool:
        """Tell whether nothing is known against a provider in this role."""
        health = self._health.get((role, name))
        return (health is None or health.ok) and not self.circuits.lost(name)

    def trainer_for(
        self,
        draft: Draft,
        photo_count: int,
        wishes: Wishes,
        *,
        wanted: str | None,
        without: Collection[str] = (),
        preferred: Sequence[str] | None = None,
        allowed: Collection[str] | None = None,
    ) -> TrainerChoice:
        """Return the trainer for a draft: the wanted one, or the best of those that can.

        Args:
            draft: What is to be trained.
            photo_count: How many photos it has.
            wishes: What the person asked for.
            wanted: The name that the person chose, if they did.
            without: Names that are out of question for this job alone.
            preferred: A server's order of preference, which comes before the operator's; None for no own one.
            allowed: The only names that a server allows; None for all.

        Raises:
            BadInput: a number or the count of photos is outside of what every trainer takes.
            CannotServe: nobody here can, or the wanted one cannot or may not.
        """
        refusal = self.registry.refusal_to_train(wanted or AUTO)
        if refusal is not None:
            raise CannotServe(told(refusal))
        able = self.registry.trainers_for(draft.base_model)
        fitting = _within(able, wanted, without=without, allowed=allowed)
        if not fitting:
            raise CannotServe(
                _("No provider here trains for {base_model}.").format(base_model=draft.base_model.label),
                advice=_("Tell the operator of this bot."),
            )
        if wanted is not None and wanted != AUTO:
            return self._wanted_trainer(draft, photo_count, wishes, wanted, fitting)
        choices: list[TrainerChoice] = []
        refusals: list[BotError] = []
        for trainer in [t for t in fitting if self.well(TRAINS, t.name)] or fitting:
            try:
                choices.append(_trainer_choice(draft, photo_count, wishes, trainer, why=""))
            except BadInput as error:
                refusals.append(error)
        if not choices:
            raise refusals[0]
        liked = self._liked(preferred)
        best = min(choices, key=lambda c: (_rank(c.trainer.name, liked), c.estimate.high_usd))
        why = _why(best.trainer.name, [c.trainer.name for c in choices], liked, what=draft.base_model.label)
        return TrainerChoice(trainer=best.trainer, recipe=best.recipe, estimate=best.estimate, why=why)

    def maker_for(
        self,
        lora: Lora,
        count: int,
        *,
        wanted: str | None,
        without: Collection[str] = (),
        preferred: Sequence[str] | None = None,
        allowed: Collection[str] | None = None,
        extra: Sequence[Lora] = (),
        negative_prompt: bool = False,
    ) -> MakerChoice:
        """Return the image maker for a model: the wanted one, or the best of those that can.

        Args:
            lora: The model.
            count: How many pictures.
            wanted: As for `trainer_for`, like the three below.
            without: See above.
            preferred: See above.
            allowed: See above.
            extra: Further models that shall go into the pictures.
            negative_prompt: Something shall not be in them.

        Raises:
            CannotServe: nobody here can, or the wanted one cannot or may not.
        """
        able = self._able(lora, extra, negative_prompt=negative_prompt)
        fitting = _within(able, wanted, without=without, allowed=allowed)
        if not fitting:
            raise CannotServe(
                _("No provider here makes pictures with a {base_model} model.").format(
                    base_model=lora.base_model.label
                ),
                advice=_("Tell the operator of this bot."),
            )
        if wanted is not None and wanted != AUTO:
            for maker in fitting:
                if maker.name == wanted:
                    return MakerChoice(maker=maker, estimate=maker.estimate(count), why=CHOSEN)
            raise CannotServe(
                _("That provider cannot use this model here."),
                advice=_("{providers} can use **{model}**.").format(providers=_names(fitting), model=lora.name),
            )
        well = [m for m in fitting if self.well(DRAWS, m.name)] or fitting
        liked = self._liked(preferred)
        best = min(well, key=lambda m: (_rank(m.name, liked), m.capabilities.last_resort, m.estimate(count).high_usd))
        why = _why(
            best.name,
            [m.name for m in well],
            liked,
            what=_("{base_model} models").format(base_model=lora.base_model.label),
        )
        return MakerChoice(maker=best, estimate=best.estimate(count), why=why)

    def upscaler_for(
        self, *, preferred: Sequence[str] | None = None, allowed: Collection[str] | None = None
    ) -> MakerChoice:
        """Return the best of those that enlarge pictures, whoever made them.

        Raises:
            CannotServe: nobody here does, or none that this server allows.
        """
        offers = self._upscalers()
        able = [maker for maker, _estimate in offers]
        names = {maker.name for maker in _within(able, None, without=(), allowed=allowed)}
        if not names:
            raise CannotServe(
                _("No provider here upscales pictures."), advice=_("Ask the operator of this bot for one that does.")
            )
        fitting = [(maker, estimate) for maker, estimate in offers if maker.name in names]
        well = [offer for offer in fitting if self.well(DRAWS, offer[0].name)] or fitting
        liked = self._liked(preferred)
        maker, estimate = min(well, key=lambda offer: (_rank(offer[0].name, liked), offer[1].high_usd))
        why = _why(maker.name, [one.name for one, _estimate in well], liked, what=_("upscaling"))
        return MakerChoice(maker=maker, estimate=estimate, why=why)

    def upscales(self, *, allowed: Collection[str] | None) -> bool:
        """Tell whether somebody who is well and allowed enlarges pictures."""
        makers = [maker for maker, _estimate in self._upscalers()]
        return any(self.well(DRAWS, one.name) and (allowed is None or one.name in allowed) for one in makers)

    def _upscalers(self) -> Sequence[tuple[ImageMaker, Estimate]]:
        return [
            (maker, maker.estimate_upscale())
            for maker in self.registry.image_makers.values()
            if maker.capabilities.upscale is not None and isinstance(maker, Upscales)
        ]

    def _able(self, lora: Lora, extra: Sequence[Lora], *, negative_prompt: bool) -> Sequence[ImageMaker]:
        """Return the image makers for such pictures; none when none can use the model at all.

        Raises:
            CannotServe: the model alone would do, and not with what else is asked for.
        """
        able = self.registry.image_makers_for(lora.base_model, lora.format)
        if not able:
            return able
        formats = {one.format for one in (lora, *extra)}
        if {one.base_model for one in extra} - {lora.base_model}:
            raise CannotServe(
                _("Models of different kinds don't mix."),
                advice=_("Add {kind} models only.").format(kind=lora.base_model.label),
            )
        mixing = [m for m in able if m.capabilities.max_loras > len(extra) and formats <= m.capabilities.accepts]
        if not mixing:
            most = max(m.capabilities.max_loras for m in able)
            raise CannotServe(
                _("No provider here mixes {count} such models.").format(count=len(extra) + 1),
                advice=_("Use at most {most} at once.").format(most=most),
            )
        heeding = [m for m in mixing if not negative_prompt or lora.base_model in m.capabilities.negative_prompts]
        if not heeding:
            raise CannotServe(
                _("No provider here heeds a negative prompt with {kind} models.").format(kind=lora.base_model.label),
                advice=_("Leave it out."),
            )
        return heeding

    def _wanted_trainer(
        self, draft: Draft, photo_count: int, wishes: Wishes, wanted: str, fitting: Sequence[Trainer]
    ) -> TrainerChoice:
        for trainer in fitting:
            if trainer.name == wanted:
                return _trainer_choice(draft, photo_count, wishes, trainer, why=CHOSEN)
        raise CannotServe(
            _("That provider cannot train this draft here."),
            advice=_("{providers} can train for {base_model}.").format(
                providers=_names(fitting), base_model=draft.base_model.label
            ),
        )

    def _liked(self, preferred: Sequence[str] | None) -> Sequence[str]:
        """Return all names that somebody prefers, a server's before the operator's."""
        return list(dict.fromkeys([*(preferred or ()), *self.preferred]))


def _within(
    able: Sequence[AdapterT], wanted: str | None, *, without: Collection[str], allowed: Collection[str] | None
) -> Sequence[AdapterT]:
    """Return those that may do this job.

    Raises:
        CannotServe: they exist, and the server that asks allows none of them, or not the wanted one.
    """
    left = [adapter for adapter in able if adapter.name not in without]
    allowed_here = [adapter for adapter in left if allowed is None or adapter.name in allowed]
    if left and (not allowed_here or wanted in {adapter.name for adapter in left if adapter not in allowed_here}):
        if not allowed_here:
            raise CannotServe(
                _("The providers that can do this are not allowed in this server."),
                advice=_("Ask a moderator of this server."),
            )
        raise CannotServe(
            _("That provider is not allowed in this server."),
            advice=_("{providers} may do it here.").format(providers=_names(allowed_here)),
        )
    return allowed_here


def _rank(name: str, liked: Sequence[str]) -> int:
    return liked.index(name) if name in liked else len(liked)


def _why(name: str, candidates: Sequence[str], liked: Sequence[str], *, what: str) -> str:
    if len(candidates) == 1:
        return _("the only one here for {what}").format(what=what)
    if name in liked:
        return _PREFERRED
    count = len(candidates)
    return ngettext("the cheapest of {count}", "the cheapest of {count}", count).format(count=count)


def _trainer_choice(draft: Draft, photo_count: int, wishes: Wishes, trainer: Trainer, *, why: str) -> TrainerChoice:
    _enough(photo_count, trainer)
    recipe = recipe_for(draft, trainer, wishes)
    return TrainerChoice(trainer=trainer, recipe=recipe, estimate=trainer.estimate(recipe, photo_count), why=why)


def _enough(count: int, trainer: Trainer) -> None:
    limits = trainer.capabilities.photos
    if count < limits.low:
        lacking = int(limits.low) - count
        raise BadInput(
            _("{trainer} needs at least {fewest} photos and this draft has {count}.").format(
                trainer=trainer.title, fewest=f"{limits.low:g}", count=count
            ),
            advice=ngettext("Add {count} more.", "Add {count} more.", lacking).format(count=lacking),
        )
    if count > limits.high:
        raise BadInput(
            _("{trainer} takes at most {most} photos and this draft has {count}.").format(
                trainer=trainer.title, most=f"{limits.high:g}", count=count
            ),
            advice=_("Remove some."),
        )


def _names(adapters: Sequence[Trainer] | Sequence[ImageMaker]) -> str:
    return either([f"`{adapter.name}`" for adapter in adapters])
