"""Forms that come back: the same request again, or another."""

import pytest
from fastapi import Request

from services.gateway.console.forms import headers_of, typed, typed_again
from services.gateway.console.inside import Answer
from services.gateway.problems import ProblemError

REQUEST = Request({"type": "http", "method": "POST", "path": "/console", "query_string": b"", "headers": []})


@pytest.mark.parametrize(("status", "is_same"), [(409, False), (422, False), (500, True), (503, True)])
def test_what_may_have_been_done_is_the_same_request_when_it_is_sent_again(status: int, is_same: bool):
    fields = {"_key": "abc", "reason": "Doublon"}
    form = typed_again(REQUEST, fields, Answer(status, None, None, {}))
    assert form.value("reason") == "Doublon"
    assert (headers_of({"_key": form.key}) == headers_of(fields)) is is_same


def test_a_form_that_had_no_key_gets_one():
    assert typed_again(REQUEST, {"reason": "x"}, Answer(503, None, None, {})).key


def sent(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(REQUEST.scope, receive)


async def test_a_form_of_300_fields_is_read_and_a_longer_one_is_not_taken_for_an_empty_one():
    most = [f"field{number}=1" for number in range(300)]
    assert len(await typed(sent("&".join(most).encode()))) == 300
    assert await typed(sent(b"")) == {}
    for body in ("&".join([*most, "x=1"]).encode(), b"reason=%ff", b"\xff"):
        with pytest.raises(ProblemError) as refused:
            await typed(sent(body))
        assert refused.value.kind == "form-unreadable"
