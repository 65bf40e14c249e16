"""Owns every error that a person can meet in Darkroom; each is a sentence fit to be shown to them.

    BotError
    ├── NotYours            it belongs to somebody else
    ├── NotAllowed          the managers of this server, or the operator, do not allow it
    ├── Missing             it does not exist, or no longer
    ├── BadInput            something typed, chosen or sent cannot be used
    │   └── PhotoRefused    one file that is not a usable photo (bot/photos.py)
    ├── WrongMoment         it cannot be done now, such as training a draft twice at once
    ├── CannotServe         no configured provider can do it
    └── StartupError        the bot cannot start; for the operator, one line

`str(error)` says what is wrong, `error.advice` what to do next. Everything else that is raised is a bug: the funnel in
cogs/failures.py answers it with an incident number and keeps the details in the log.

Whoever is asked by a person says the sentence in their language, `_("…").format(…)`. Work in the background speaks to
nobody yet: it marks the sentence with `N_` and hands its values over apart.
"""

from collections.abc import Mapping

from bot.texts import told
from providers.wording import Sentence, Value, Wording


class BotError(Exception):
    """Base of all errors that are meant for people.

    Args:
        message: The sentence; with the names of its values in braces if there are any.
        values: What stands in it, where it is not said in the person's language yet.
        advice: What the person can do next.
    """

    def __init__(self, message: str, *, values: Mapping[str, Value] | None = None, advice: Wording = "") -> None:
        self.message = message
        self.values: Mapping[str, Value] = dict(values or {})
        super().__init__(str(Sentence(message, values=self.values)))
        #: What the person can do next, a full sentence; empty when the message already says it.
        self.advice = advice

    @property
    def sentence(self) -> str:
        """Return message and advice as the person reads them, in the language that is spoken now."""
        return f"{told(self.message, self.values)} {told(self.advice)}".strip()


class NotYours(BotError):
    """It belongs to somebody else."""


class NotAllowed(BotError):
    """The managers of this server, or the operator, do not allow it."""


class Missing(BotError):
    """It does not exist, or no longer."""


class BadInput(BotError):
    """Something typed, chosen or sent cannot be used."""


class WrongMoment(BotError):
    """It cannot be done now, but could be at another time."""


class CannotServe(BotError):
    """No configured provider can do it."""


class StartupError(BotError):
    """The bot cannot start; one line for the operator."""
