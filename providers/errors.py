"""Owns every error that may leave providers/; never a client library's exception.

    ProviderError
    ├── BadCredentials      the key is missing or wrong; nothing was accepted
    ├── OutOfCredit         the account cannot pay; nothing was accepted
    ├── Refused             the request is wrong for this provider; nothing was accepted
    │   └── ContentRejected its rules forbid the photos or the prompt
    ├── RateLimited         too many requests; nothing was accepted
    ├── Unavailable         not reachable or out of order; nothing was accepted
    ├── SubmitUnsure        a paid call was sent and no clear answer came back
    ├── NotFound            the provider no longer knows the job
    ├── ArtifactBroken      what was downloaded is not what was promised
    ├── WebhookRejected     a message that is not surely from the provider
    └── UnexpectedAnswer    an answer that its documentation does not allow

For a paid call the three kinds matter: `SubmitUnsure` means look before sending again, everything else means that
nothing was accepted. `str(error)` says what happened, `error.advice` what the person can do next; neither ever holds a
key, a signed URL or a prompt. Both are written as the catalogues have them, with their values apart.
"""

from collections.abc import Mapping

from providers.wording import Sentence, Value, Wording, in_turn


class ProviderError(Exception):
    """Base of all errors of a provider.

    Args:
        message: In English, with the names of the values in braces.
        values: What stands in it, such as a provider's own words.
        advice: Instead of the one of its kind.
        retry_after: Seconds that the provider asked us to wait, if it did.
    """

    #: What the person can do next, a full sentence.
    advice: Wording = "Try again in a few minutes; if it stays, tell the operator of this bot."

    def __init__(
        self,
        message: str,
        *,
        values: Mapping[str, Value] | None = None,
        advice: Wording | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = message
        self.values: Mapping[str, Value] = dict(values or {})
        super().__init__(str(Sentence(message, values=self.values)))
        if advice is not None:
            self.advice = advice
        self.retry_after = retry_after

    @property
    def sentence(self) -> Sentence:
        """Return message and advice as the person reads them."""
        return in_turn([Sentence(self.message, values=self.values), self.advice])


class BadCredentials(ProviderError):
    """The provider did not take our key."""

    advice = "The operator of this bot has to set a valid key for this provider."


class OutOfCredit(ProviderError):
    """The provider's account has no money left."""

    advice = "The operator of this bot has to top up the account, or choose another provider."


class Refused(ProviderError):
    """The provider surely did not accept the request."""

    advice = "Change the settings that it names and try again."


class ContentRejected(Refused):
    """The provider's rules forbid the photos or the prompt."""

    advice = "Use other photos or another prompt."


class RateLimited(ProviderError):
    """The provider asks us to slow down."""

    advice = "Nothing to do: it goes on by itself in a moment."


class Unavailable(ProviderError):
    """The provider cannot be reached or is out of order, and surely accepted nothing."""

    advice = "Nothing to do: it goes on by itself once the provider answers again."


class SubmitUnsure(ProviderError):
    """A paid call left us and no clear answer came back: it may or may not have been accepted."""

    advice = "Nothing to do: the bot looks whether it was accepted before it tries again."


class NotFound(ProviderError):
    """The provider does not know the job (any more)."""

    advice = "Start it again; what was paid for it is shown with the job."


class ArtifactBroken(ProviderError):
    """What the provider delivered is truncated, of the wrong type, or unsafe to unpack."""


class UnexpectedAnswer(ProviderError):
    """The provider answered in a way that its documentation does not allow."""


class WebhookRejected(ProviderError):
    """A message to our webhook is not surely from the provider, or too old."""

    advice = "Nothing to do: jobs are polled anyway. If it stays, the operator has to check the webhook's secret."
