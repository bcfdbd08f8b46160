"""Every service: what was imported is held, and what was planted is found."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.membership import MemberRemoved, Subscription
from services.cutover.parity.runs import last_run
from tests.support.builders import (
    a_consent,
    a_mailing,
    a_member,
    a_payment,
    a_registration,
    an_event,
    an_invoice,
)
from tests.support.parity import Mirrored, a_mirror, empty

YEAR = Subscription(subscription_id="t1", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31), amount=Decimal("120"))
FACTS: dict[str, Sequence[Fact]] = {
    "membership": [a_member(record_id=f"M{n}", subscriptions=(YEAR,), extra={"Code": "x"}) for n in range(4)],
    "billing": [
        *(an_invoice(invoice_id=f"F{n}", gross=Decimal("120.5")) for n in range(4)),
        *(a_payment(payment_id=f"P{n}") for n in range(2)),
    ],
    "events": [
        *(an_event(event_id=f"E{n}") for n in range(4)),
        *(a_registration(registration_id=f"R{n}") for n in range(2)),
    ],
    "communications": [
        *(a_consent(consent_id=f"C{n}") for n in range(4)),
        *(a_mailing(mailing_id=f"L{n}", recipients=("M3", "M1", "M2")) for n in range(2)),
    ],
}
CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "membership": ({"city": "Rive-de-Gier"}, {"subscriptions": (YEAR.model_copy(update={"amount": Decimal("90")}),)}),
    "billing": ({"label": "Cotisation"}, {"gross": Decimal("12.50")}),
    "events": ({"place": None}, {"status": "cancelled"}),
    "communications": ({"brand": "Numelink"}, {"status": "withdrawn"}),
}
"""For each service a field and, where there is money, an amount."""


@pytest.fixture(scope="module", params=FACTS)
def database(request: pytest.FixtureRequest, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("exports")
    with a_mirror(nodes, folder, request.param) as mirrored:
        yield mirrored


@pytest.fixture
async def mirrored(database: Mirrored) -> Mirrored:
    await empty(database)
    return database


async def test_what_was_imported_is_held(mirrored: Mirrored) -> None:
    facts = FACTS[mirrored.service]
    await mirrored.imports(*facts)
    await mirrored.imports(*facts[:1], cluster="clustr-numerique")

    proved = (await mirrored.parity(*facts, also=["--json"])).json

    assert (proved["clean"], proved["differences"]) == (True, [])
    assert sum(sides["there"] for sides in proved["counts"].values()) == len(facts)
    assert all(sides["there"] == sides["here"] for sides in proved["counts"].values())


async def test_planted_differences_are_found_and_named(mirrored: Mirrored) -> None:
    only_ours, fact, other, *same = FACTS[mirrored.service]
    key = list(type(fact).model_fields)[1]
    only_theirs = fact.model_copy(update={key: "new"})
    field, amount = CHANGES[mirrored.service]
    await mirrored.imports(only_ours, fact, other, *same)

    proved = (
        await mirrored.parity(
            only_theirs,
            fact.model_copy(update=field),
            other.model_copy(update=amount),
            *same,
            also=["--json"],
            ends=1,
        )
    ).json

    result = [(item["what"], item["item_id"], item["fields"]) for item in proved["differences"]]
    assert result == [
        ("missing-here", "new", []),
        ("missing-there", getattr(only_ours, key), []),
        ("different", getattr(fact, key), list(field)),
        ("different", getattr(other, key), list(amount)),
    ]
    assert (proved["clean"], proved["open"], proved["accepted"]) == (False, 4, 0)
    if mirrored.service == "billing":
        assert proved["sums"]["invoice"] == {"2026": {"there": "374.00", "here": "482.00"}}


async def test_the_gate_is_told_of_the_newest_run(mirrored: Mirrored) -> None:
    facts = FACTS[mirrored.service]

    async def told() -> Any:
        async with mirrored.database.engine() as engine, engine.begin() as connection:
            return await last_run(connection, "numelink")

    assert await told() is None
    await mirrored.parity(*facts, ends=1)
    assert (await told()).open_differences == len(facts)
    await mirrored.imports(*facts)
    await mirrored.parity(*facts)
    assert (await told()).open_differences == 0


@pytest.mark.parametrize("database", ["membership"], indirect=True)
async def test_a_removed_member_is_day_neither_side(mirrored: Mirrored) -> None:
    fact, stays = a_member(record_id="gone"), a_member(record_id="stays")
    removal = MemberRemoved(version=1, record_id="gone")
    await mirrored.imports(fact, stays)
    await mirrored.imports(removal)

    await mirrored.parity(stays)
    await mirrored.parity(fact, stays, ends=1)


@pytest.mark.parametrize("database", ["communications"], indirect=True)
async def test_recipients_add_up_over_tellings(mirrored: Mirrored) -> None:
    first = a_mailing(mailing_id="L", recipients=("a", "b"))
    more = first.model_copy(update={"recipients": ("b", "c")})
    await mirrored.imports(first)
    await mirrored.imports(more)

    await mirrored.parity(first.model_copy(update={"recipients": ("c", "b", "a")}))
    (path,) = mirrored.export(first)
    former = path.rename(path.with_name("first.jsonl"))
    await mirrored.command("parity", str(former), *map(str, mirrored.export(more)))
