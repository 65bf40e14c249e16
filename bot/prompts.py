"""Owns prompts that are ready to be used: a few for each kind of model, and what people saved; makes no picture.

`{trigger}` in a prompt stands for the trigger word of whichever model it is used with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot import words
from bot.clock import Clock
from bot.errors import BadInput, Missing, WrongMoment
from bot.ids import new_id
from bot.lora import Lora
from bot.store import prompts as rows
from bot.store.database import Database
from bot.store.prompts import SavedPrompt
from bot.texts import N_, _
from providers.recipe import SubjectKind

TRIGGER = "{trigger}"
#: What a chosen suggestion of a saved prompt is sent as: prompts are longer than a suggestion may be.
SAVED = "saved:"
MOST_SAVED = 50

_PERSON = (
    (N_("Portrait"), "studio portrait of {trigger}, soft light, 85 mm"),
    (N_("Outdoors"), "photo of {trigger} in a park, golden hour, shallow depth of field"),
    (N_("Black and white"), "black and white close-up of {trigger}, film grain"),
    (N_("Traveller"), "photo of {trigger} on a mountain ridge, wide view, morning fog"),
    (N_("Oil painting"), "oil painting of {trigger}, visible brush strokes"),
    (N_("Comic"), "comic book drawing of {trigger}, bold lines, flat colours"),
)
_ANIMAL = (
    (N_("Portrait"), "close-up photo of {trigger}, sharp eyes, soft background"),
    (N_("In the snow"), "photo of {trigger} in fresh snow, winter sun"),
    (N_("Running"), "photo of {trigger} running through a meadow, motion blur"),
    (N_("By the sea"), "photo of {trigger} at the beach, evening light"),
    (N_("Watercolour"), "watercolour painting of {trigger}, paper texture"),
    (N_("Astronaut"), "photo of {trigger} in a space suit on the moon"),
)
_OBJECT = (
    (N_("Product shot"), "product photo of {trigger} on white, soft shadow"),
    (N_("On a table"), "photo of {trigger} on a wooden table, window light"),
    (N_("In a hand"), "photo of a hand holding {trigger}"),
    (N_("Poster"), "minimal poster of {trigger}, two colours"),
    (N_("Giant"), "photo of a giant {trigger} standing in a city street"),
    (N_("Line drawing"), "technical line drawing of {trigger}, white background"),
)
_STYLE = (
    (N_("Landscape"), "mountain lake at dawn, in the style of {trigger}"),
    (N_("City"), "busy street in the rain, in the style of {trigger}"),
    (N_("Portrait"), "portrait of an old sailor, in the style of {trigger}"),
    (N_("Still life"), "bowl of fruit on a table, in the style of {trigger}"),
    (N_("Animal"), "fox in a forest, in the style of {trigger}"),
    (N_("Interior"), "cosy kitchen, in the style of {trigger}"),
)
#: What a prompt of each kind is called, and its text.
PRESETS: Mapping[SubjectKind, Sequence[tuple[str, str]]] = {
    SubjectKind.PERSON: _PERSON,
    SubjectKind.ANIMAL: _ANIMAL,
    SubjectKind.OBJECT: _OBJECT,
    SubjectKind.STYLE: _STYLE,
}


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """A ready prompt, as it is offered with a model."""

    name: str
    #: With the trigger word filled in.
    text: str
    #: What is sent when it is chosen.
    value: str


class Prompts:
    """A person's ready prompts, each call for one person."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def suggested(self, person_id: int, lora: Lora) -> Sequence[Suggestion]:
        """Return what is ready for a model: the person's own prompts first, then those for its kind."""
        own = [
            Suggestion(name=one.name, text=filled(one.text, lora), value=f"{SAVED}{one.id}")
            for one in await self.saved(person_id)
        ]
        texts = [(name, filled(text, lora)) for name, text in PRESETS[lora.kind]]
        return [*own, *(Suggestion(name=_(name), text=text, value=text) for name, text in texts)]

    async def meant(self, person_id: int, typed: str, lora: Lora) -> str:
        """Return the prompt that was typed or chosen, with the trigger word filled in.

        Raises:
            Missing: it is a saved prompt that is gone.
        """
        if not typed.startswith(SAVED):
            return filled(typed, lora)
        async with self._database.begin() as connection:
            saved = await rows.get(connection, typed.removeprefix(SAVED))
        if saved is None or saved.owner_id != person_id:
            raise Missing(_("That saved prompt is gone."), advice=_("/prompts list shows yours."))
        return filled(saved.text, lora)

    async def saved(self, person_id: int) -> Sequence[SavedPrompt]:
        """Return what a person saved, by name."""
        async with self._database.begin() as connection:
            return await rows.of_owner(connection, person_id)

    async def save(self, person_id: int, name: str, text: str, *, lora: Lora | None = None) -> SavedPrompt:
        """Save a prompt under a name; one of that name is replaced.

        Args:
            person_id: Whose it is.
            name: What it is found by.
            text: The prompt.
            lora: The model whose trigger word in it shall become that of whichever model it is used with.

        Raises:
            BadInput: name or prompt cannot be used.
            WrongMoment: they have saved as many as fit.
        """
        name, text = words.model_name(name), words.prompt(text)
        if not text:
            raise BadInput(_("There is no prompt to save."), advice=_("Type what the picture shows."))
        if lora is not None and lora.trigger_word:
            text = text.replace(lora.trigger_word, TRIGGER)
        async with self._database.begin() as connection:
            same = await rows.named(connection, person_id, name)
            if same is None and len(await rows.of_owner(connection, person_id)) >= MOST_SAVED:
                raise WrongMoment(
                    _("You have saved {most} prompts, and no more fit.").format(most=MOST_SAVED),
                    advice=_("Delete one with /prompts delete."),
                )
            saved = SavedPrompt(
                id=same.id if same else new_id(),
                owner_id=person_id,
                name=name,
                text=text,
                created_at=self._clock.now(),
            )
            await rows.put(connection, saved)
        return saved

    async def delete(self, person_id: int, name: str) -> SavedPrompt:
        """Delete a saved prompt by its name or id.

        Raises:
            Missing: there is none.
        """
        async with self._database.begin() as connection:
            found = await rows.get(connection, name) or await rows.named(connection, person_id, name)
            if found is None or found.owner_id != person_id:
                raise Missing(_("You have saved no prompt of that name."), advice=_("/prompts list shows yours."))
            await rows.delete(connection, found.id)
        return found


def filled(text: str, lora: Lora) -> str:
    """Return a prompt with the model's trigger word, or what it shows where it has none."""
    return text.replace(TRIGGER, lora.trigger_word or lora.name)
