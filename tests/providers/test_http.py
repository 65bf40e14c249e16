from datetime import UTC, datetime

import pytest

from providers.errors import (
    BadCredentials,
    ContentRejected,
    NotFound,
    OutOfCredit,
    RateLimited,
    Refused,
    SubmitUnsure,
    Unavailable,
    UnexpectedAnswer,
)
from providers.http import LONGEST_RETRY_AFTER, error_for, fit_for_people, read, retry_after

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 1.5 ", 1.5),
        ("999999999", LONGEST_RETRY_AFTER),
        ("Sat, 14 Mar 2026 12:00:30 GMT", 30.0),
        ("Sat, 14 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 14 Mar 2027 11:00:00 GMT", LONGEST_RETRY_AFTER),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_reads_both_forms(value, seconds):
    assert retry_after({"rEtRy-AfTeR": value}, now=NOW) == seconds


def test_retry_after_is_none_without_the_header():
    assert retry_after({}) is None


@pytest.mark.parametrize(
    ("status", "free", "paid"),
    [
        (400, Refused, Refused),
        (401, BadCredentials, BadCredentials),
        (402, OutOfCredit, OutOfCredit),
        (403, BadCredentials, BadCredentials),
        (404, NotFound, Refused),
        (408, Unavailable, SubmitUnsure),
        (409, Refused, Refused),
        (422, Refused, Refused),
        (429, RateLimited, RateLimited),
        (451, ContentRejected, ContentRejected),
        (500, Unavailable, SubmitUnsure),
        (503, Unavailable, SubmitUnsure),
        (302, UnexpectedAnswer, SubmitUnsure),
    ],
)
def test_error_for_knows_a_paid_call(status, free, paid):
    headers = {"Retry-After": "3"}
    assert type(error_for(status, provider="Somebody", headers=headers)) is free
    assert type(error_for(status, provider="Somebody", headers=headers, paid=True)) is paid


def test_error_for_keeps_retry_after():
    assert error_for(429, provider="Somebody", headers={"Retry-After": "3"}).retry_after == 3.0


def test_fit_for_people_keeps_no_link_key_or_hidden_word():
    told = fit_for_people(
        "bad\n https://x.example/?sig=1 r8_abcdef for zxqfox, Bearer abcdefghijklmnop1", hide=["zxqfox"]
    )
    assert told == "bad (…) (…) for …, (…)"
    assert len(fit_for_people("x" * 1000)) == 300


async def test_read_tries_again_where_that_may_help():
    answers = [Unavailable("once"), RateLimited("twice", retry_after=0.01), "done"]

    async def call():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await read(call, first_pause=0.01) == "done"


@pytest.mark.parametrize("error", [Refused("no"), RateLimited("much later", retry_after=600)])
async def test_read_leaves_the_rest_to_the_caller(error):
    calls = []

    async def call():
        calls.append(1)
        raise error

    with pytest.raises(type(error)):
        await read(call)
    assert len(calls) == 1


async def test_read_gives_up():
    calls = []

    async def call():
        calls.append(1)
        raise Unavailable("never")

    with pytest.raises(Unavailable):
        await read(call, tries=3, first_pause=0.01)
    assert len(calls) == 3
