"""What an objection forbids: its record, its addresses and whoever has them, in whatever order all this is heard."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.communications import ConsentDecision
from services.common.sections import Record
from services.communications.consents.objections import (
    CROWD,
    UNDATED,
    Objection,
    concerned_by,
    of_card,
    suppressions_of,
)
from services.communications.consents.preferences import Known, preferences_of
from services.communications.contacts.contact import Contact, contact
from services.communications.suppressions.suppression import Suppression

NINE = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def a_contact(record_id: str, email: str | None = None, cluster: str = "numelink", **more: Any) -> Contact:
    return contact(cluster, record_id, record_id, {"email": email, **more})


def an_objection(record_id: str | None = "A", address: str | None = None, **more: Any) -> Objection:
    fields = {"channel": "bulk-email", "purpose": "*", "decided_at": NINE, "source": None, **more}
    return Objection(cluster="numelink", consent_id="C1", record_id=record_id, address=address, **fields)


def forbidden(suppressions: Sequence[Suppression]) -> set[Any]:
    return {item for each in suppressions for item in (each.address, *each.records) if item is not None}


def name_of(address: str) -> str:
    return f"name of {address}"


def test_an_objection_of_a_record_hangs_on_the_record_and_on_its_address() -> None:
    suppressions = suppressions_of(an_objection(), [a_contact("A", "a@gier.example")], name_of)
    assert forbidden(suppressions) == {Record("numelink", "A"), "a@gier.example"}


def test_an_objection_of_an_address_is_kept_when_no_record_knows_it() -> None:
    assert forbidden(suppressions_of(an_objection(None, "a@gier.example"), [], name_of)) == {"a@gier.example"}


def test_an_objection_of_an_address_hangs_on_each_record_that_has_it() -> None:
    contacts = [a_contact("B", "a@gier.example", "clustr-numerique"), a_contact("C", "c@gier.example")]
    suppressions = suppressions_of(an_objection(None, "a@gier.example"), contacts, name_of)
    assert forbidden(suppressions) == {"a@gier.example", Record("clustr-numerique", "B")}


def test_each_cause_makes_one_suppression() -> None:
    contacts = [a_contact(name, "a@gier.example") for name in "ABC"]
    causes = [each.cause for each in suppressions_of(an_objection("A", "a@gier.example"), contacts, name_of)]
    assert len(causes) == len(set(causes)) == 3


def test_of_many_consents_of_one_address_the_first_concerns_those_who_have_it() -> None:
    contacts = [a_contact(name, "a@gier.example") for name in "ABC"]
    objections = [an_objection(None, "a@gier.example", purpose=purpose) for purpose in ("news", "news", "partners")]
    concerned = concerned_by([*objections, an_objection("B")], contacts)
    assert [len(found) for found in concerned] == [3, 0, 3, 1]


@pytest.mark.parametrize(("sharing", "concerned"), [(CROWD, CROWD), (CROWD + 1, 0)])
def test_a_crowd_that_shares_an_address_is_concerned_by_no_objection_of_it(sharing: int, concerned: int) -> None:
    contacts = [a_contact(f"R{n}", "mairie@gier.example") for n in range(sharing)]
    own, of_address = concerned_by([an_objection("R1"), an_objection(None, "mairie@gier.example")], contacts)
    assert [each.record_id for each in own] == ["R1"]
    assert len(of_address) == concerned
    found = suppressions_of(an_objection(None, "mairie@gier.example"), of_address, name_of)
    assert "mairie@gier.example" in forbidden(found), "the address is left alone all the same"


def test_no_cause_holds_an_address() -> None:
    suppressions = suppressions_of(an_objection(), [a_contact("A", "a@gier.example")], lambda _: "4f1c")
    assert not any("@" in each.cause for each in suppressions)


@pytest.mark.parametrize(
    ("channel", "purpose", "covers", "of"),
    [("bulk-email", "*", "bulk", "*"), ("email", "news", "bulk", "news"), ("email", "*", "everything", "*")],
)
def test_only_who_wants_no_e_mail_at_all_gets_no_invoice(channel: str, purpose: str, covers: str, of: str) -> None:
    (suppression,) = suppressions_of(an_objection(channel=channel, purpose=purpose), [], name_of)
    assert (suppression.covers, suppression.purpose) == (covers, of)


def test_a_card_that_refuses_newsletters_suppresses_its_record_and_address() -> None:
    suppressions = of_card(a_contact("A", "a@gier.example", opt_outs=("sms", "bulk-email")), name_of)
    assert forbidden(suppressions) == {Record("numelink", "A"), "a@gier.example"}
    assert {each.at for each in suppressions} == {UNDATED}
    assert of_card(a_contact("A", "a@gier.example", opt_outs=("sms",)), name_of) == []


_decisions = st.builds(
    ConsentDecision,
    consent_id=st.sampled_from(["1", "2", "3"]),
    channel=st.just("bulk-email"),
    purpose=st.sampled_from(["news", "*"]),
    status=st.sampled_from(["granted", "refused", "withdrawn"]),
    brand=st.sampled_from([None, "Gier"]),
    decided_at=st.sampled_from([NINE, datetime(2026, 2, 1, tzinfo=UTC)]),
)
_known = st.builds(
    lambda whose, decision: Known(whose, decision.model_copy(update={"known_in": whose[0]})),
    st.tuples(st.sampled_from(["numelink", "clustr-numerique"]), st.sampled_from(["a@x.example", "R2"])),
    _decisions,
)


_owns = st.lists(_decisions, max_size=3, unique_by=lambda item: item.consent_id)
_others = st.lists(_known, max_size=5, unique_by=lambda item: (item.whose, item.decision.consent_id))


@given(own=_owns, known=_others, data=st.data())
def test_the_order_of_arrival_cannot_matter(own: list[Any], known: list[Any], data: st.DataObject) -> None:
    stated = preferences_of("numelink", "A", own, known)
    shuffled = data.draw(st.permutations(own)), data.draw(st.permutations(known))
    assert preferences_of("numelink", "A", *shuffled) == stated


@given(own=_owns, known=_others)
def test_what_is_known_of_an_address_only_ever_forbids_more(own: list[Any], known: list[Any]) -> None:
    alone = {(item.channel, item.purpose) for item in preferences_of("numelink", "A", own).in_force if not item.allowed}
    both = preferences_of("numelink", "A", own, known).in_force
    assert alone <= {(item.channel, item.purpose) for item in both if not item.allowed}


def test_a_later_consent_of_another_list_lifts_no_refusal_of_an_address() -> None:
    def decision(status: str, month: int) -> ConsentDecision:
        fields = {"consent_id": f"C{month}", "channel": "bulk-email", "purpose": "news", "status": status}
        return ConsentDecision.model_validate(fields | {"decided_at": datetime(2026, month, 1, tzinfo=UTC)})

    known = Known(("numelink", "a@x.example"), decision("refused", 1).model_copy(update={"known_in": "numelink"}))
    (preference,) = preferences_of("clustr-numerique", "A", [decision("granted", 2)], [known]).in_force
    assert (preference.allowed, preference.known_in, preference.consent_id) == (False, "numelink", "C1")
