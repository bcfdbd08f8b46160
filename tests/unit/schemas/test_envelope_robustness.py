"""Whatever a validator raises, only the guilty event is refused."""

import orjson
import pytest

from schemas import reading
from schemas.billing import InvoiceRecorded
from schemas.envelope import BATCH, Envelope, Refused, encode
from schemas.reading import read
from tests.support.builders import an_event, an_invoice


def test_an_instant_outside_the_calendar_is_refused_and_its_neighbour_is_read() -> None:
    good, bad = (orjson.loads(encode("/numelink/events", [an_event()]).body) for _ in range(2))
    bad["data"]["starts_at"] = "0001-01-01T00:00:00+14:00"
    fact = type(an_event())
    first, second = read(fact, orjson.dumps([bad, good]), BATCH, {})
    assert isinstance(first, Refused)
    assert "starts_at" in first.detail
    assert isinstance(second, Envelope)


def test_a_validator_that_breaks_costs_one_event_and_not_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    body = encode("/numelink/billing", [an_invoice(), an_invoice(number="boom")]).body

    class Breaking:
        def __init__(self, inner: object) -> None:
            self._inner = inner

        def validate_json(self, text: bytes) -> object:
            if b"boom" in text:
                raise OverflowError("not a ValueError")
            return self._inner.validate_json(text)  # type: ignore[attr-defined]

    real = reading._adapters
    monkeypatch.setattr(reading, "_adapters", lambda fact: tuple(map(Breaking, real(fact))))
    monkeypatch.setattr(reading, "fast_reader", lambda _: None)
    sound, broken = read(InvoiceRecorded, body, BATCH, {})
    assert isinstance(sound, Envelope)
    assert isinstance(broken, Refused)
    assert (broken.reason, broken.detail) == ("unreadable", "OverflowError in the reader")
