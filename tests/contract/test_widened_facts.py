"""Facts that got further fields: what was said yesterday is read as yesterday, under the same id."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.digests import record_digest
from schemas.envelope import encode, to_json
from schemas.events import EventRecorded, EventSession, Registrant, RegistrationRecorded
from schemas.examples import EXAMPLES
from schemas.fast_reading import fast_reader
from schemas.stored import as_json, stored_fact

BEFORE = {
    "ConsentRecorded": (
        "ef1a232b1e387fcabe590fde61665b70",
        "c70a3e920c90b8b9b4b58c168bd15238b7551dafb28b858e9ca0c069f6c167a8",
    ),
    "MailingRecorded": (
        "6dc88cae3389e1a32e84b3facda9f17c",
        "38cba09d52553b2d02dc99cdbf0b3457ad31a6f3e8ae30550d31847573c53086",
    ),
    "EventRecorded": (
        "e163a9a9fceb387d13d9e2b2f37bff0e",
        "3f7c64eb7e0017078c1552bc95044d863cf642213ac41603ba210d54cbdd8549",
    ),
    "RegistrationRecorded": (
        "04319218b6f85918f1bd5ad30bdea2bb",
        "c8dd5550ab0fbbb2e016e0912f93c49e36ce06c1793911276fd4b4b070d9ff14",
    ),
}
"""Id and digest of each published example, before its fact was widened."""
CONSENT: dict[str, Any] = {
    "version": 1,
    "consent_id": "C1",
    "channel": "bulk-email",
    "purpose": "*",
    "status": "refused",
    "decided_at": datetime(2026, 1, 5, tzinfo=UTC),
}
REGISTRATION: dict[str, Any] = {
    "version": 1,
    "registration_id": "R1",
    "event_id": "E1",
    "registered_at": datetime(2026, 1, 5, tzinfo=UTC),
}


@pytest.mark.parametrize("fact", [ConsentRecorded, MailingRecorded, EventRecorded, RegistrationRecorded])
def test_an_example_of_yesterday_keeps_its_id_and_its_digest(fact: type[Any]) -> None:
    example: Any = EXAMPLES[fact]()
    event = orjson.loads(encode("/numelink/x", [example]).body)
    assert (event["id"], record_digest(example)) == BEFORE[fact.__name__]


def test_a_consent_is_about_a_record_or_an_address() -> None:
    ConsentRecorded(**CONSENT, record_id="1042")
    ConsentRecorded(**CONSENT, address="a@gier.example")
    with pytest.raises(ValidationError, match="name at least one of them"):
        ConsentRecorded(**CONSENT)


def test_a_registration_is_a_record_s_or_a_registrant_s() -> None:
    RegistrationRecorded(**REGISTRATION, registrant=Registrant(kind="guest", name="Zoé Müller"))
    with pytest.raises(ValidationError, match="name at least one of them"):
        RegistrationRecorded(**REGISTRATION)


@pytest.mark.parametrize("fact", [ConsentRecorded, RegistrationRecorded, EventRecorded, MailingRecorded])
def test_widened_facts_are_still_read_fast_and_refused_alike(fact: type[Any]) -> None:
    reader = fast_reader(fact)
    assert reader is not None
    event = orjson.loads(encode("/numelink/x", [EXAMPLES[fact]()]).body)
    assert reader.event(orjson.dumps(event)) is not None
    if "record_id" in event["data"]:
        del event["data"]["record_id"]
        assert reader.event(orjson.dumps(event)) is None


def test_what_a_mirror_stores_as_json_is_the_same_fact_again() -> None:
    session = EventSession(session_id="S1", starts_at=datetime(2026, 1, 5, 8, 30, tzinfo=UTC), capacity=0)
    fact = EventRecorded(version=1, event_id="E", title="Apéro", starts_at=session.starts_at, sessions=(session,))
    row = {name: getattr(fact, name) for name in EventRecorded.model_fields} | {"sessions": as_json(fact.sessions)}
    assert stored_fact(EventRecorded, row) == fact
    assert to_json(stored_fact(EventRecorded, row | {"sessions": None})) == to_json(
        fact.model_copy(update={"sessions": ()})
    )
