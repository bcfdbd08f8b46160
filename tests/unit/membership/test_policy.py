"""What the operators configure reaches the views: rules of survivorship, and since when paying twice is a conflict."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import orjson

from services.membership.policy import Policy
from services.membership.views.rules import FieldRules, SurvivorshipRules
from tests.support.any_order import an_envelope, handle
from tests.support.builders import a_member
from tests.support.in_memory import POLICY, InMemoryMembership


def view_under(policy: Policy) -> dict[str, Any]:
    """Of one company in two clusters, of which the one wrote later, and the other at greater length; both paid 2024."""

    async def told() -> dict[str, Any]:
        uow = InMemoryMembership()
        uow.policy = policy
        for cluster, city, modified_on in (
            ("clustr-numerique", "Saint-Étienne-en-Forez", date(2025, 1, 1)),
            ("numelink", "Lyon", date(2026, 1, 1)),
        ):
            fact = a_member(
                record_id="1", name="Forges Xylo", siren="732829320", city=city, modified_on=modified_on,
                paid_until=date(2024, 12, 31),
            )  # fmt: skip
            await handle(uow, [an_envelope(cluster, fact)])
        [document] = uow.views.values()
        return orjson.loads(document)

    return asyncio.run(told())


def test_the_configured_rules_decide_which_value_is_shown() -> None:
    assert view_under(POLICY)["city"]["value"] == "Lyon"
    longest = SurvivorshipRules(FieldRules(("longest",)), {})
    assert view_under(replace(POLICY, rules=longest))["city"]["value"] == "Saint-Étienne-en-Forez"


def test_years_before_the_configured_day_are_no_conflict() -> None:
    assert [item["kind"] for item in view_under(POLICY)["conflicts"]] == ["paid-twice"]
    assert view_under(replace(POLICY, paid_twice_since=date(2025, 1, 1)))["conflicts"] == []
