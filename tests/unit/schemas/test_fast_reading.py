"""The fast reader may only say yes: what it accepts, pydantic accepts, with the same value and the same document."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Annotated, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BeforeValidator, StringConstraints, field_validator

from schemas import reading
from schemas.base import Content, Fact
from schemas.billing import InvoiceRecorded
from schemas.catalogue import FACTS
from schemas.envelope import BATCH, STRUCTURED, Envelope, Refused, encode
from schemas.events import RegistrationRecorded
from schemas.examples import example_event
from schemas.fast_reading import fast_reader
from schemas.fast_types import UnsupportedError, part_shape
from schemas.membership import MemberRecorded
from schemas.reading import read
from tests.support.builders import an_invoice
from tests.support.examples import examples

READ_FAST = [fact for fact in FACTS if fast_reader(fact)]
TEXTS = (
    *("", " ", "a\n", "\na", "a\x00", "a\x1f", "a\x7f", "\x85a", "a\u00a0", "\u200b", "\u2028", "\U0001f600", "\ud800"),
    *("é" * 200, "é" * 201, "x" * 1_000, "x" * 1_001, "x" * 20_001, '"\\/\b\f\r\t', "</script>"),
    *("1200", "1200.0", "1200.00", "-0.00", "-0.01", "+1.00", "01.00", "1e2", "NaN", "1_0.00", " 1.00", "1.00\n"),
    *("9999999999.99", "99999999999.99", "1" * 22 + ".00", "1" * 23 + ".00", ".50", "١.٠٠"),
    *("2026-11-23", "1970-01-01", "1849-12-31", "2200-12-31", "2201-01-01", "2026-02-30", "20261123", "2026-11-23\n"),
    *("2026-11-23T09:30:00Z", "2026-11-23t09:30:00z", "2026-11-23T09:30:00+01:00", "2026-11-23T09:30:00.1234567Z"),
    *("2026-11-23T09:30:00.5-23:59", "2026-11-23T24:00:00Z", "2026-11-23T23:59:60Z", "2026-11-23T09:30:00"),
    *("0001-01-01T00:00:00+14:00", "1849-12-31T23:59:59-01:00", "2026-11-23T09:30:00-00:00"),
    *("issued", "paid", "EUR", "eur", "active", "1.0", "/a/b", "/a/b\n", "/A/b", "true", "12"),
)
OTHERS = (None, True, False, 0, 1, -1, 1.0, 1e3, 2**53, 2**63 - 1, 2**63, 2**64, [], {}, [[]], {"a": "b"}, [None])
values = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(OTHERS).map(deepcopy),
    st.text(max_size=12),
    st.integers(),
    st.floats(allow_nan=False),
    st.decimals(-(10**11), 10**11, places=2).map(str),
    st.dates().map(str),
    st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
)


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a tree, with each of its keys."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from _places(tree[key])


@st.composite
def bodies(draw: st.DrawFn, fact: type[Content]) -> bytes:
    """An event of this type with a few faults or changes, in one of the writings that JSON allows."""
    event = deepcopy(example_event(fact))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(list(_places(event))))
        match draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"])):
            case "replace":
                container[key] = draw(values)
            case "remove":
                del container[key]
            case _ if isinstance(container, dict):
                container[draw(st.sampled_from(["traceparent", "origintime", "other", "label", "extra"]))] = draw(
                    values
                )
            case _:
                container.append(draw(values))
    body = json.dumps(event, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(body) - 1))
        body = body[:place] + draw(st.binary(max_size=2)) + body[place + 1 :]
    return body


def _as_pydantic_reads(fact: type[Content], body: bytes) -> Envelope[Any]:
    return Envelope[fact].model_validate_json(body)  # type: ignore[valid-type]


def _assert_equal(fast: Envelope[Any], slow: Envelope[Any]) -> None:
    assert fast == slow
    assert type(fast.data) is type(slow.data)
    assert fast.document == slow.document
    assert json.loads(fast.encode()) == json.loads(slow.encode())
    assert fast.model_extra == slow.model_extra
    assert str(fast.time) == str(slow.time)
    assert repr(fast.data) == repr(slow.data)


@given(st.data())
@settings(max_examples=examples(4_000), deadline=None)
def test_what_it_accepts_pydantic_accepts_with_the_same_value(data: st.DataObject) -> None:
    fact = data.draw(st.sampled_from(READ_FAST))
    body = data.draw(bodies(fact))
    fast = fast_reader(fact)
    assert fast is not None
    if (event := fast.event(body)) is not None:
        _assert_equal(event, _as_pydantic_reads(fact, body))


@pytest.mark.parametrize("fact", READ_FAST, ids=lambda fact: fact.__name__)
def test_each_text_in_each_place(fact: type[Content]) -> None:
    fast = fast_reader(fact)
    assert fast is not None
    sound, accepted = example_event(fact), 0
    for number in range(len(list(_places(sound)))):
        for value in (*TEXTS, *OTHERS):
            event = deepcopy(sound)
            container, key = list(_places(event))[number]
            container[key] = value
            body = json.dumps(event).encode()
            if (read := fast.event(body)) is not None:
                accepted += 1
                _assert_equal(read, _as_pydantic_reads(fact, body))
    assert accepted > 10


@pytest.mark.parametrize("fact", READ_FAST, ids=lambda fact: fact.__name__)
def test_examples_are_read_fast(fact: type[Content]) -> None:
    event = example_event(fact) | {"origintime": "2026-11-23T09:30:00.000+00:00"}
    fast = fast_reader(fact)
    assert fast is not None
    read = fast.event(json.dumps(event).encode())
    assert read is not None
    assert read.extension("origintime") == event["origintime"]


def test_all_that_former_systems_publish_of_one_record_is_read_fast() -> None:
    assert {InvoiceRecorded, MemberRecorded, RegistrationRecorded} <= set(READ_FAST)
    assert len(READ_FAST) >= 30


def test_a_batch_of_ours_is_read_fast_and_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    body = encode("/numelink/billing", [an_invoice(invoice_id=f"F{number}") for number in range(400)]).body

    def nobody(_: object) -> Any:
        raise AssertionError("pydantic was asked")

    monkeypatch.setattr(reading, "_adapters", nobody)
    events = read(InvoiceRecorded, body, BATCH, {})
    assert [cast("Envelope[InvoiceRecorded]", event).data.invoice_id for event in events] == [
        f"F{number}" for number in range(400)
    ]


def test_another_type_is_not_taken() -> None:
    event = example_event(InvoiceRecorded) | {"type": "fr.traboule.billing.payment-recorded.v1"}
    fast = fast_reader(InvoiceRecorded)
    assert fast is not None
    assert fast.event(json.dumps(event).encode()) is None
    assert fast.batch(json.dumps([example_event(InvoiceRecorded), event]).encode()) is None


def test_what_it_does_not_take_is_refused_in_pydantics_words() -> None:
    event = example_event(InvoiceRecorded)
    event["data"]["net"] = 12.5
    (refused,) = read(InvoiceRecorded, json.dumps(event).encode(), STRUCTURED, {})
    assert isinstance(refused, Refused)
    assert "data.net: Value error, write amounts as text" in refused.detail


def test_an_unknown_extension_is_carried_all_the_same() -> None:
    event = example_event(InvoiceRecorded) | {"partitionkey": "7"}
    (read_event,) = read(InvoiceRecorded, json.dumps(event).encode(), STRUCTURED, {})
    assert cast("Envelope[InvoiceRecorded]", read_event).extension("partitionkey") == "7"


class _Checked(Fact):
    name: str

    @field_validator("name")
    @classmethod
    def _short(cls, name: str) -> str:
        return name[:3]


class _Changed(Fact):
    name: Annotated[str, BeforeValidator(str)]


class _Upper(Fact):
    name: Annotated[str, StringConstraints(to_upper=True)]


class _HalfAPattern(Fact):
    name: Annotated[str, StringConstraints(pattern="a")]


@pytest.mark.parametrize("fact", [_Checked, _Changed, _Upper, _HalfAPattern])
def test_rules_that_msgspec_cannot_follow_leave_the_fact_to_pydantic(fact: type[Fact]) -> None:
    with pytest.raises(UnsupportedError):
        part_shape(fact)


class _Even(Fact):
    name: Annotated[str, AfterValidator(lambda text: re.sub("a", "b", text))]


def test_a_rule_that_follows_is_followed() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/a/b", "type": "fr.traboule.test.even.v1"}
    _Even.service, _Even.key = "test", "even"
    fast = fast_reader(_Even)
    assert fast is not None
    body = json.dumps(event | {"data": {"version": 1, "name": "banana"}}).encode()
    read = fast.event(body)
    assert read is not None
    assert cast("_Even", read.data).name == "bbnbnb"
