"""Owns what HTTP means to an adapter: which error a status is, how long to wait, how reads are tried again.

It knows neither a provider nor an HTTP library, and never sends anything itself.
"""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from providers.errors import (
    BadCredentials,
    ContentRejected,
    NotFound,
    OutOfCredit,
    ProviderError,
    RateLimited,
    Refused,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.wording import Sentence, Value

#: Tries of a read, and the longest pause between two of them, in seconds; the caller has a longer patience of its own.
READ_TRIES = 3
LONGEST_PAUSE = 5.0
#: A provider that asks for more than this is taken to mean this, in seconds.
LONGEST_RETRY_AFTER = 24 * 3600.0
_LONGEST_DETAIL = 300

T = TypeVar("T")

#: A server or proxy that gave up waiting (408) or doesn't dare yet (425); tells nothing about the request itself.
_PASSING = frozenset({408, 425})
#: What is `told` is the provider's own words in parentheses, or nothing.
_MEANINGS: Mapping[int, tuple[type[ProviderError], Sentence]] = {
    401: (BadCredentials, Sentence("{provider} didn't take our key{told}.")),
    402: (OutOfCredit, Sentence("{provider} has no credit left on our account{told}.")),
    403: (BadCredentials, Sentence("{provider} doesn't allow this with our key{told}.")),
    404: (NotFound, Sentence("{provider} doesn't know this (any more){told}.")),
    410: (NotFound, Sentence("{provider} doesn't have this any more{told}.")),
    429: (RateLimited, Sentence("{provider} asks us to slow down{told}.")),
    451: (ContentRejected, Sentence("{provider} rejected the photos or the prompt{told}.")),
}

_NOT_FOR_PEOPLE = re.compile(
    r"\w+://\S+|data:\S+|\b(?:bearer|key|token)\s+\S{16,}|\b(?:r8|whsec|tgp|hf)_\w+", re.IGNORECASE
)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """Return the seconds that an answer asks us to wait, from either form of Retry-After (RFC 9110, 10.2.3)."""
    value = next((v.strip() for k, v in headers.items() if k.lower() == "retry-after"), "")
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    seconds = (until - (now or datetime.now(UTC))).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def fit_for_people(text: str, *, hide: Iterable[str] = ()) -> str:
    """Return a provider's words in one line without links, keys and what is named in `hide`, cut to a few lines."""
    for secret in sorted((h for h in hide if h), key=len, reverse=True):
        text = text.replace(secret, "…")
    line = " ".join(_NOT_FOR_PEOPLE.sub("(…)", text).split())
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"


def error_for(
    status: int,
    *,
    provider: str,
    detail: str = "",
    headers: Mapping[str, str] | None = None,
    paid: bool = False,
) -> ProviderError:
    """Return the error that an answer means.

    Args:
        status: Any status that is not what the caller hoped for.
        provider: Its name for people.
        detail: Its own words, already `fit_for_people`.
        headers: Read for Retry-After.
        paid: It answers the one paid call: then a server's trouble leaves open whether the call was accepted, and an
            unknown path means that the request was wrong.
    """
    told = f" ({detail.rstrip('.')})" if detail else ""
    values: Mapping[str, Value] = {"provider": provider, "status": status, "told": told}
    wait = retry_after(headers or {})
    if paid and (status in _PASSING or not 400 <= status < 500):
        return SubmitUnsure("{provider} answered the order with status {status}.", values=values, retry_after=wait)
    if status in _PASSING or status >= 500:
        return Unavailable("{provider} is out of order (status {status}).", values=values, retry_after=wait)
    if status in _MEANINGS and not (paid and _MEANINGS[status][0] is NotFound):
        kind, sentence = _MEANINGS[status]
        return kind(sentence.template, values=values, retry_after=wait)
    if 400 <= status < 500 and told:
        return Refused("{provider} refused the request{told}.", values=values)
    if 400 <= status < 500:
        return Refused("{provider} refused the request with status {status}.", values=values)
    return UnexpectedAnswer("{provider} answered with status {status}{told}.", values=values)


async def read(call: Callable[[], Awaitable[T]], *, tries: int = READ_TRIES, first_pause: float = 0.2) -> T:
    """Make a call that is free and changes nothing, again when that may help.

    Pauses double, are jittered, and follow Retry-After where that is short; a longer one is left to the caller.
    """
    for attempt in range(1, tries + 1):
        try:
            return await call()
        except (RateLimited, Unavailable) as error:
            asked = error.retry_after or 0.0
            if attempt == tries or asked > LONGEST_PAUSE:
                raise
            pause = min(first_pause * 2.0 ** (attempt - 1), LONGEST_PAUSE)
            await asyncio.sleep(max(asked, pause * random.uniform(0.5, 1.0)))  # noqa: S311 - spreads calls, guards nothing
    raise AssertionError("a read is tried at least once")
