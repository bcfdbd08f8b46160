"""What says just what is held, and what does not: by what facts say, without their versions."""

from typing import Any, cast

import pytest

from schemas.base import Fact
from schemas.billing import BillingManifestRecorded
from schemas.membership import MemberRecorded, MemberRemoved, Subscription
from services import SERVICES
from services.cli.registry import definition_of
from services.cutover import noop
from services.cutover.fence import Fenced
from services.cutover.noop import kind_of
from tests.support.builders import a_consent, a_mailing, a_member

TERMS = tuple(Subscription.model_validate({"subscription_id": text, "starts_on": "2026-01-01"}) for text in "ab")
STORED = a_member(record_id="B-1", name="Forges du Gier", version=7, subscriptions=TERMS, extra={"Marque": "1"})


def wording(fact: Fact, stored: Fact | None) -> bool:
    kind = kind_of(definition_of(fact.service).mirrored, type(fact))
    digest = None if stored is None else noop.record_digest(stored)
    return noop._states(kind, fact, stored, digest)  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    "different",
    [
        {},
        {"version": 9},
        {"name": " Forges du Gier "},
        {"subscriptions": TERMS[::-1]},
        {"phone": ""},
        {"extra": {"Marque": "1", "Remarque": ""}},
    ],
)
def test_what_a_parity_would_not_tell_apart_is_no_question(different: dict[str, Any]) -> None:
    assert wording(STORED.model_copy(update=different), STORED)


OTHER: dict[str, Any] = {
    "subscriptions": [TERMS[0].model_dump(mode="json")], "opt_outs": ["email"], "extra": {"Marque": "2"},
    "naf_nomenclature": "rev2", "status": "ended", "exempt": True, "is_member": False,
    **dict.fromkeys(("member_since", "paid_until", "ended_on", "created_on", "modified_on"), "2026-01-01"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*MemberRecorded.model_fields} - {"version", "record_id"}))
def test_what_differs_in_any_field_is_one(name: str) -> None:
    document = STORED.model_dump(mode="json") | {name: OTHER.get(name, "something else")}
    assert not wording(MemberRecorded.model_validate(document), STORED)


def test_of_what_is_not_held_a_removal_says_so_and_nothing_else_does() -> None:
    assert wording(MemberRemoved(record_id="B-1", version=1, reason="a doublet"), None)
    assert not wording(MemberRemoved(record_id="B-1", version=1), STORED)
    assert not wording(STORED, None)
    assert not wording(a_consent(), None)


def test_recipients_add_up() -> None:
    fact = a_mailing(mailing_id="L1", recipients=("A", "B"))
    for recipients, is_stored in (((), True), (("B",), True), (("A", "B"), True), (("B", "C"), False)):
        assert wording(fact.model_copy(update={"recipients": recipients}), fact) == is_stored, recipients
    assert not wording(fact.model_copy(update={"subject": "else", "recipients": ("A",)}), fact)


def test_whatever_may_come_too_late_can_be_compared_with_what_is_held() -> None:
    fenced = [
        (definition.mirrored, cast("type[Fact]", subscription.fact))
        for definition in map(definition_of, SERVICES)
        for subscription in definition.subscriptions
        if isinstance(subscription.handler, Fenced)
    ]
    assert len(fenced) == 8
    assert all(kind_of(mirrored, fact) for mirrored, fact in fenced)
    with pytest.raises(LookupError, match="nothing mirrors"):
        kind_of(definition_of("billing").mirrored, BillingManifestRecorded)
