"""Manifests of every service: kept by the handler, compared with what was mirrored, by command."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.catalogue import FACTS as ALL
from schemas.cutover import ManifestRecorded
from schemas.digests import record_digest
from schemas.envelope import Envelope, encode
from schemas.membership import Subscription
from schemas.reading import read
from services.cli.environment import settings_of
from services.cli.registry import definition_of
from services.cutover.manifests import keep_manifests, listed_of, newest_complete
from services.cutover.parity.runs import forget
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

TERM = Subscription(subscription_id="t1", starts_on=date(2026, 1, 1), amount=Decimal("120"), label=" dues ")
FACTS: dict[str, Sequence[Fact]] = {
    "membership": [
        a_member(record_id="M1", subscriptions=(TERM,), extra={"Code": "x", "Vide": ""}, name="Ateliers du Gier "),
        a_member(record_id="M2", opt_outs=("sms", "email"), exempt=False, brand=""),
    ],
    "billing": [an_invoice(invoice_id="F1", gross=Decimal("120.5"), label=" "), a_payment(payment_id="P1")],
    "events": [an_event(event_id="E1"), a_registration(registration_id="R1", seats=3)],
    "communications": [
        a_consent(consent_id="C1"),
        a_mailing(mailing_id="L1", recipients=("M3", "M1", "M2", "M1")),
    ],
}
MANIFESTS = {fact.service: fact for fact in ALL if issubclass(fact, ManifestRecorded)}


@pytest.fixture(scope="module", params=FACTS)
def database(request: pytest.FixtureRequest, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with a_mirror(nodes, tmp_path_factory.mktemp("exports"), request.param) as mirrored:
        yield mirrored


@pytest.fixture
async def mirrored(database: Mirrored) -> Mirrored:
    await empty(database)
    return database


billing = pytest.mark.parametrize("database", ["billing"], indirect=True)


def listed(fact: Fact, **different: Any) -> dict[str, Any]:
    key = list(type(fact).model_fields)[1]
    kind = fact.key.removesuffix("-recorded")
    return {"kind": kind, "id": getattr(fact, key), "digest": record_digest(fact)} | different


def a_manifest(service: str, *records: dict[str, Any], **fields: Any) -> ManifestRecorded:
    return MANIFESTS[service].model_validate({"version": 17, "records": records} | fields)


async def arrives(mirrored: Mirrored, *parts: ManifestRecorded, cluster: str = "numelink") -> None:
    """In one batch."""
    message = encode(f"/{cluster}/{mirrored.service}", parts)
    events = [
        item for item in read(type(parts[0]), message.body, message.content_type, {}) if isinstance(item, Envelope)
    ]
    assert len(events) == len(parts)
    unit_of_work = definition_of(mirrored.service).unit_of_work
    settings = settings_of(mirrored.service)
    async with mirrored.database.engine() as engine, engine.begin() as connection:
        await keep_manifests(unit_of_work(settings)(connection), events)


async def kept(mirrored: Mirrored) -> list[tuple[Any, ...]]:
    async with mirrored.database.engine() as engine, engine.begin() as connection:
        rows = await connection.exec_driver_sql("select version, part from manifests order by cluster, version, part")
        return [tuple(row) for row in rows]


async def test_what_was_mirrored_has_the_digest_of_what_was_published(mirrored: Mirrored) -> None:
    facts = FACTS[mirrored.service]
    await mirrored.imports(*facts)
    await arrives(mirrored, a_manifest(mirrored.service, *map(listed, facts)))

    proved = (await mirrored.command("parity", "--json")).json

    assert (proved["differences"], proved["manifest"], proved["source"]) == ([], 17, ["manifest 17"])
    assert all(sides["there"] == sides["here"] for sides in proved["counts"].values())
    assert sum(sides["there"] for sides in proved["counts"].values()) == len(facts)


async def test_what_differs_is_found_in_every_service(mirrored: Mirrored) -> None:
    fact, other = FACTS[mirrored.service]
    await mirrored.imports(fact, other)
    published = [listed(fact, digest="0" * 64), listed(other, id="elsewhere")]
    await arrives(mirrored, a_manifest(mirrored.service, *published))

    proved = (await mirrored.command("parity", "--json", ends=1)).json

    result = {(entry["what"], entry["item_id"], tuple(entry["fields"])) for entry in proved["differences"]}
    key, item = list(type(fact).model_fields)[1], list(type(other).model_fields)[1]
    assert result == {
        ("different", getattr(fact, key), ("digest",)),
        ("missing-here", "elsewhere", ()),
        ("missing-there", getattr(other, item), ()),
    }
    shown = (await mirrored.command("parity", ends=1)).out
    assert "000000" in shown
    assert "version" not in shown


@billing
async def test_only_the_newest_complete_manifest_and_what_may_follow_stay(mirrored: Mirrored) -> None:
    item, other = (a_manifest("billing", listed(fact)) for fact in FACTS["billing"])
    half = {"parts": 2, "version": 18}
    await arrives(mirrored, item)
    await arrives(mirrored, item.model_copy(update={"version": 16}))
    assert await kept(mirrored) == [(17, 1)]
    await arrives(mirrored, item.model_copy(update=half))
    assert await kept(mirrored) == [(17, 1), (18, 1)]
    await arrives(mirrored, item.model_copy(update={**half, "version": 19}))
    assert await kept(mirrored) == [(17, 1), (19, 1)]
    await arrives(mirrored, other.model_copy(update={**half, "version": 19, "part": 2}))
    assert await kept(mirrored) == [(19, 1), (19, 2)]
    await arrives(mirrored, item.model_copy(update={"version": 1}), cluster="clustr-numerique")
    assert await kept(mirrored) == [(1, 1), (19, 1), (19, 2)]

    async with mirrored.database.engine() as engine, engine.begin() as connection:
        manifest = await newest_complete(connection, "numelink")
        assert manifest is not None
        assert (manifest.version, manifest.listed) == (19, {"invoice": 1, "payment": 1})
        assert set(await listed_of(connection, "payment", ["F1", "P1"])) == {"P1"}


@billing
async def test_two_writings_of_one_part_end_alike_in_any_order(mirrored: Mirrored) -> None:
    parts = [a_manifest("billing", listed(fact)) for fact in FACTS["billing"]]
    ends: list[Any] = []
    for order in (parts, parts[::-1]):
        for batches in ([order], [[fact] for fact in order]):
            await empty(mirrored)
            for batch in batches:
                await arrives(mirrored, *batch)
            async with mirrored.database.engine() as engine, engine.begin() as connection:
                manifest = await newest_complete(connection, "numelink")
                assert manifest is not None
                rows = await connection.exec_driver_sql("select kind, id, version, digest from listed order by 1, 2")
                ends.append(tuple(map(tuple, rows)))
    assert len(ends) == 4
    assert len(set(ends)) == 1


@billing
async def test_a_record_that_is_listed_twice_counts_once_and_as_it_came_last(mirrored: Mirrored) -> None:
    twice = [{"kind": "invoice", "id": "F1", "version": version} for version in (1, 2)]
    parts = [a_manifest("billing", *twice, parts=2), a_manifest("billing", twice[0], parts=2, part=2)]
    await arrives(mirrored, parts[0].model_copy(update={"parts": 1, "version": 16}))
    async with mirrored.database.engine() as engine, engine.begin() as connection:
        manifest = await newest_complete(connection, "numelink")
        assert manifest is not None
        assert manifest.listed == {"invoice": 1}
        assert (await listed_of(connection, "invoice", ["F1"]))["F1"].version == 2
    await arrives(mirrored, *parts)
    async with mirrored.database.engine() as engine, engine.begin() as connection:
        await newest_complete(connection, "numelink")
        assert (await listed_of(connection, "invoice", ["F1"]))["F1"].version == 1


@billing
async def test_without_a_whole_manifest_the_command_says_what_to_do(mirrored: Mirrored) -> None:
    none = await mirrored.command("parity", ends=2)
    assert "numelink/billing has sent no manifest" in none.err
    assert "traboule parity --as numelink/billing EXPORT-FILE" in none.err
    await arrives(mirrored, a_manifest("billing", parts=3, part=2))
    half = await mirrored.command("parity", ends=2)
    assert "only 1 of 3 parts of numelink/billing's manifest 17 arrived" in half.err
    assert (await mirrored.command("differences", "history", "--json")).json == []


@billing
async def test_what_is_newer_here_is_told_and_is_no_difference(mirrored: Mirrored) -> None:
    invoice, payment = FACTS["billing"]
    await mirrored.imports(invoice, payment)
    for number, version in enumerate((1, 1_700_000_000_000_000), 17):
        records = [listed(invoice, digest="0" * 64, version=version), listed(payment)]
        await arrives(mirrored, a_manifest("billing", *records, version=number, counts={"invoice": 1, "payment": 1}))
        if version == 1:
            # An import counts by the time of its file, which says nothing about what they number from one.
            assert "different" in (await mirrored.command("parity", ends=1)).out
            await mirrored.sql("insert into stages values ('numelink', 'live', 2, now(), 'a test')")
            assert "invoice: 1 newer here" in (await mirrored.command("parity")).out
            await mirrored.sql("update stages set stage = 'mirror'")

    shown = await mirrored.command("parity")

    assert "newer here" in shown.out
    assert "invoice: 1 newer here than the manifest says" in shown.out
    assert (await mirrored.command("parity", "--json")).json["counts"]["invoice"]["newer_here"] == 1


@billing
async def test_values_are_forgotten_and_the_newest_comparison_stays_whole(mirrored: Mirrored) -> None:
    await mirrored.imports(*FACTS["billing"])
    for cluster in ("numelink", "clustr-numerique"):
        await arrives(mirrored, a_manifest("billing", {"kind": "invoice", "id": "F9", "version": 1}), cluster=cluster)
    await mirrored.command("parity", ends=1)
    (item, *_) = (await mirrored.command("differences", "list", "--json")).json["differences"]
    await mirrored.command("differences", "accept", item["id"], "--reason", "known")
    await mirrored.command("parity", ends=1)
    await mirrored.sql("update parity_runs set at = at - interval '91 days'")

    async with mirrored.database.engine() as engine, engine.begin() as connection:
        assert await forget(connection, 92) == 0
        assert await forget(connection, 90) == 3
        assert await forget(connection, 90) == 0
        left = await connection.exec_driver_sql(
            "select run_id, count(*), count(there) + count(here) from parity_differences group by run_id order by 1"
        )
        assert [tuple(row) for row in left] == [(1, 3, 0), (2, 3, 3)]
    newest = (await mirrored.command("differences", "list", "--state", "all", "--json")).json
    assert (newest["open"], newest["accepted"]) == (2, 1)
    assert [(row["open"], row["accepted"]) for row in
            (await mirrored.command("differences", "history", "--json")).json] == [(2, 1), (3, 0)]  # fmt: skip
