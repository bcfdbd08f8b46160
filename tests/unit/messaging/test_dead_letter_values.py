"""Whatever a publisher put into properties and headers, its message can be parked."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.delivery import ATTEMPT, ORIGIN_KEY, ORIGIN_USER, Delivery
from shared.messaging.storable import short_text, storable_json, storable_text

_value = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(headers=st.dictionaries(st.text(), _value, max_size=5))
def test_any_header_can_be_stored_as_json_without_nul(headers: dict[str, object]) -> None:
    text = storable_json(headers)
    assert isinstance(orjson.loads(text), dict)
    assert "\\u0000" not in text


def test_headers_stay_readable() -> None:
    headers = {"a": Decimal("1.5"), "b": b"raw", "c": datetime(2026, 1, 1, tzinfo=UTC), "d": {"e": [1]}}
    text = storable_json(headers)
    assert orjson.loads(text) == {
        "a": "Decimal('1.5')",
        "b": "b'raw'",
        "c": "2026-01-01T00:00:00+00:00",
        "d": {"e": [1]},
    }


def test_what_is_sent_back_keeps_its_origin_and_its_cloudevents_headers_and_no_other() -> None:
    delivery = Delivery(
        "billing.paid", b"", None, {"ce-id": "7", "x-death": []}, "m", "numelink.billing", "numelink.billing.paid"
    )
    assert delivery.return_headers(2) == {
        "ce-id": "7",
        ORIGIN_USER: "numelink.billing",
        ORIGIN_KEY: "numelink.billing.paid",
        ATTEMPT: 2,
    }


@given(text=st.text(st.sampled_from("\x00a\ud800é\N{GRINNING FACE}"), max_size=400))
def test_a_property_fits_what_amqp_carries(text: str) -> None:
    """Each NUL becomes three bytes: 255 of them, as a broker passes them on, would be no message id any more."""
    short = short_text(text)
    assert len(short.encode()) <= 255
    assert "\x00" not in short
    assert short == storable_text(text) or len(short.encode()) > 250
