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
"""


class BotError(Exception):
    """Base of all errors that are meant for people."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        #: What the person can do next, a full sentence; empty when the message already says it.
        self.advice = advice

    @property
    def sentence(self) -> str:
        """Return message and advice as the person reads them."""
        return f"{self} {self.advice}".strip()


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
