"""Bodies of commands as programs send them: JSON, read strictly, and then the operation's own arguments."""

from typing import Any, Final

import orjson
import pytest
from pydantic import ValidationError

from schemas.events_operations import ALL
from schemas.operation import Operation
from services.gateway.api.command_bodies import BODIES

ID: Final = "00000000-0000-4000-8000-000000000000"
EVENTS: Final[dict[str, dict[str, Any]]] = {
    "plan-gathering": {
        "cluster": "numelink",
        "key": "k",
        "title": "Petit-déjeuner",
        "visible_to": ["numelink"],
        "member_price": "12.50",
        "guest_price": "20.00",
        "sessions": [{"starts": "2027-03-25T09:30", "capacity": 40, "closes_at": "2027-03-24T18:00:00+01:00"}],
    },
    "cancel-gathering": {},
    "change-session": {"key": "k", "capacity": 5, "closes_at": "2027-03-24T18:00:00+01:00", "waiting_list": False},
    "register": {"key": "k", "people": [{"name": "Ada", "email": "ada@example.fr"}], "record": "numelink/1"},
    "cancel-registration": {"attendees": [ID], "overrule": True},
    "answer-offer": {"accept": True},
    "prefer-registration": {},
    "decide-registration": {"same_people": False},
    "replace-attendee": {"name": "Ada"},
    "take-over-gatherings": {"cluster": "numelink"},
}
BILLING: Final[dict[str, dict[str, Any]]] = {
    "decide-due": {"kind": "remit", "record": "numelink/1", "amount": "12.50"},
    "record-payment": {
        "issuer": "numelink",
        "record": "1",
        "amount": "12.50",
        "received_on": "2027-03-25",
        "key": "k",
    },
    "refund-payment": {"amount": "12.50"},
    "return-payment": {"returned_on": "2027-03-25", "code": "AC04", "fee": "0.50"},
}
COMMANDS: Final = [operation for operation in ALL if operation.kind == "command"]


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda operation: operation.name)
def test_a_command_of_events_arrives_as_it_was_sent(operation: Operation) -> None:
    sent = EVENTS[operation.name]
    body = BODIES[operation.name].model_validate_json(orjson.dumps(sent | {"reason": "un test"}))
    in_path = {name: ID for name in operation.arguments.model_fields if f"{{{name}}}" in operation.path}
    named = {name: getattr(body, name) for name in operation.arguments.model_fields if name not in in_path}
    arguments = operation.arguments(**in_path, **named)
    arrived = operation.arguments.model_validate(orjson.loads(orjson.dumps(arguments.model_dump(mode="json"))))
    assert arrived == arguments == operation.arguments.model_validate(sent | in_path)


@pytest.mark.parametrize("name", BILLING)
def test_amounts_of_money_are_text(name: str) -> None:
    BODIES[name].model_validate_json(orjson.dumps(BILLING[name] | {"reason": "un test"}))
    amount = next(field for field in ("amount", "fee") if field in BILLING[name])
    with pytest.raises(ValidationError, match="write amounts as text"):
        BODIES[name].model_validate_json(orjson.dumps(BILLING[name] | {"reason": "un test", amount: 0.5}))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("plan-gathering", {"member_price": 12.5}),
        ("plan-gathering", {"member_price": "-1.00"}),
        ("plan-gathering", {"member_price": "NaN"}),
        ("plan-gathering", {"title": "T\u2028"}),
        ("plan-gathering", {"sessions": [{"starts": "2027-03-25T09:30", "zone": "Europe"}]}),
        ("change-session", {"capacity": 2**62}),
        ("change-session", {"closes_at": "2027-03-24T18:00:00"}),
        ("change-session", {"closes_at": "0001-01-01T00:00:00+14:00"}),
        ("change-session", {"waiting_list": "no"}),
        ("register", {"people": [{"name": "Ada\nBcc: x@example.fr"}]}),
        ("register", {"people": [{"name": "Ada"}] * 21}),
        ("register", {"record": "numelink/" + "9" * 201}),
        ("register", {"fewer": "true"}),
        ("answer-offer", {"accept": 1}),
        ("cancel-registration", {"attendees": ["x"]}),
    ],
)
def test_what_is_no_such_value_is_refused(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BODIES[name].model_validate_json(orjson.dumps(EVENTS[name] | {"reason": "un test"} | change))
