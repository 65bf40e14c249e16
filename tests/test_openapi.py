import pytest

from playground.rest import Exchange
from tests.openapi import DEVIATIONS, MISSING, assert_conforms, judge

needs_the_file = pytest.mark.skipif(judge() is None, reason=MISSING)


def make_exchange(**changes):
    fields = {
        "method": "GET",
        "path": "/users/1",
        "query": {},
        "request": {},
        "files": (),
        "status": 200,
        "answer": {
            "id": "1",
            "username": "a",
            "avatar": None,
            "discriminator": "0",
            "public_flags": 0,
            "flags": 0,
            "global_name": None,
            "primary_guild": None,
        },
    }
    return Exchange(**(fields | changes))


@needs_the_file
def test_openapi_passes_what_fits():
    assert_conforms([make_exchange()])


@needs_the_file
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"answer": {"id": 1}}, "answer"),
        ({"path": "/nothing/at/all"}, "is no operation"),
        ({"status": 302}, "status 302"),
        ({"status": 404, "answer": {"oops": 1}}, "is a required property"),
        ({"method": "POST", "path": "/channels/1/messages", "request": {"content": 5}}, "request content"),
    ],
)
def test_openapi_names_what_does_not_fit(changes, complaint):
    with pytest.raises(AssertionError, match=complaint):
        assert_conforms([make_exchange(**changes)])


@needs_the_file
def test_openapi_does_not_judge_a_planned_answer():
    assert_conforms([make_exchange(status=502, answer={}, planned=True)])


def test_openapi_deviations_have_reasons():
    assert all(len(reason) > 20 for _, _, reason in DEVIATIONS)
