"""Which decisions of one source record are in force."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.communications import ConsentDecision
from schemas.envelope import encode
from services.communications.consents.preferences import preferences_of
from shared.messaging.consumer import MAX_BODY

NINE = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


def a_decision(consent_id: str, status: str = "granted", *, after: float = 0, **different: Any) -> ConsentDecision:
    published = {"consent_id": consent_id, "channel": "email", "purpose": "news", "status": status}
    return ConsentDecision.model_validate(published | {"decided_at": NINE + timedelta(seconds=after)} | different)


def in_force(*decisions: ConsentDecision) -> dict[tuple[str, str], tuple[bool, str]]:
    stated = preferences_of("numelink", "1042", decisions)
    return {(item.channel, item.purpose): (item.allowed, item.consent_id) for item in stated.in_force}


def test_the_last_decision_counts() -> None:
    assert in_force(a_decision("2", "refused", after=0.5), a_decision("1")) == {("email", "news"): (False, "2")}
    assert in_force(a_decision("2", "refused"), a_decision("1", after=0.5)) == {("email", "news"): (True, "1")}


@pytest.mark.parametrize("status", ["refused", "withdrawn"])
def test_of_two_decisions_at_one_instant_the_refusal_counts(status: str) -> None:
    assert in_force(a_decision("1", status), a_decision("2")) == {("email", "news"): (False, "1")}


def test_what_one_brand_may_not_no_brand_may() -> None:
    later = a_decision("2", after=9, brand="Gier")
    assert in_force(a_decision("1", "refused", brand="Ondaine"), later) == {("email", "news"): (False, "1")}


def test_each_channel_and_purpose_is_decided_by_itself() -> None:
    decisions = a_decision("1"), a_decision("2", "refused", channel="post"), a_decision("3", "refused", purpose="*")
    assert in_force(*decisions) == {
        ("email", "*"): (False, "3"),
        ("email", "news"): (True, "1"),
        ("post", "news"): (False, "2"),
    }


@given(st.permutations([a_decision(str(n), "refused" if n % 2 else "granted", after=n // 2) for n in range(6)]))
def test_the_order_of_rows_does_not_show(decisions: list[ConsentDecision]) -> None:
    stated = preferences_of("numelink", "1042", decisions)
    assert stated == preferences_of("numelink", "1042", sorted(decisions, key=str))
    assert [decision.consent_id for decision in stated.decisions] == ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize("purposes", [1, 40_000])
def test_preferences_that_are_too_long_for_a_message_leave_out_the_oldest_and_no_refusal(purposes: int) -> None:
    decisions = [
        a_decision(f"C{n:05}", "refused", after=n, purpose=f"news {n % purposes}", proof="p" * 60)
        for n in range(40_000)
    ]
    stated = preferences_of("numelink", "1042", decisions)
    assert len(encode("/traboule/communications", [stated]).body) < MAX_BODY / 2
    assert stated.unlisted == 40_000 - len(stated.decisions) > 0
    assert stated.decisions[-1].consent_id == "C39999"
    [preference] = stated.in_force
    assert (preference.allowed, preference.purpose) == (False, "news 0" if purposes == 1 else "*")


def test_who_named_very_many_purposes_and_refused_few_is_refused_those() -> None:
    decisions = [a_decision(f"C{n}", "refused" if n < 3 else "granted", purpose=f"news {n}") for n in range(5_000)]
    stated = preferences_of("numelink", "1042", [*decisions, a_decision("P", channel="phone")])
    assert {(item.channel, item.purpose, item.allowed) for item in stated.in_force} == {
        ("email", "news 0", False), ("email", "news 1", False), ("email", "news 2", False), ("phone", "news", True),
    }  # fmt: skip
