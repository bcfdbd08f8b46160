"""Every service: what we would have done beside what the former system did, and nothing that leaves."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from deploy.local.nodes import Nodes
from schemas.base import Fact, RecordRef
from schemas.billing import InvoiceChanged, PaymentChanged
from schemas.membership import Subscription
from services import SERVICES
from services.billing.mirror.rehearsals import REHEARSALS
from services.cli.registry import definition_of
from services.cutover.rehearsal.running import NotMirroredError, last_rehearsal, rehearsed
from shared.messaging.outbox import Outbox, Outgoing
from tests.support.builders import a_consent, a_mailing, a_member, a_payment, a_registration, an_event, an_invoice
from tests.support.merging import merged
from tests.support.parity import Mirrored, a_mirror, empty
from tests.support.rehearsal import differing, hears, in_stage, rehearse

CLUSTR, NUMELINK = "clustr-numerique", "numelink"
TWINS = (RecordRef(cluster=CLUSTR, record_id="12"), RecordRef(cluster=NUMELINK, record_id="B-7"))
YEAR = {"period_starts_on": date(2026, 1, 1), "period_ends_on": date(2026, 12, 31)}
LONG_AGO = date(2025, 1, 1)


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 9, day, hour, tzinfo=UTC)


@pytest.fixture(scope="module", params=SERVICES)
def database(request: pytest.FixtureRequest, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("pages")
    with a_mirror(nodes, folder, request.param) as mirrored:
        yield mirrored


@pytest.fixture
async def mirrored(database: Mirrored) -> Mirrored:
    await empty(database)
    await in_stage(database, "mirror")
    return database


def only(service: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("database", [service], indirect=True)


def counted(published: Any) -> dict[str, tuple[int, int]]:
    """There and here, by kind."""
    return {kind: (sides["there"], sides["here"]) for kind, sides in published["counts"].items()}


# --- what each service would have done ------------------------------------------------------------------------------


@only("communications")
async def test_a_member_is_not_written_to_whichever_of_its_records_objected(mirrored: Mirrored) -> None:
    refusal = a_consent(consent_id="C-7", record_id="12", status="refused", decided_at=at(1))
    await hears(mirrored, refusal, cluster=CLUSTR)
    later = a_consent(consent_id="C-9", record_id="B-8", status="withdrawn", decided_at=at(20))
    mailing = {"subject": "La lettre", "purpose": "newsletter", "recipients": ("B-7", "B-8", "B-9")}
    await hears(
        mirrored,
        later,
        a_mailing(mailing_id="L1", sent_at=at(10), **mailing),
        a_mailing(mailing_id="L2", sent_at=at(21), **mailing | {"purpose": "événements"}),
        a_mailing(mailing_id="old", sent_at=datetime(2024, 5, 1, tzinfo=UTC), **mailing),
    )
    assert await differing(mirrored) == {}, "until the two are one member, nobody here objected to this"

    await hears(mirrored, merged(1, "X", *TWINS))

    detail = "refused on 2026-09-01 by clustr-numerique/12 (C-7): bulk-email for newsletter"
    assert await differing(mirrored) == {
        ("audience", "L1/B-7"): ({"written_to": True, "because": None}, {"written_to": False, "because": detail})
    }
    assert counted((await rehearse(mirrored, "--json", ends=1)).json) == {"audience": (6, 6)}


@only("events")
async def test_a_gathering_gives_one_place_a_member_and_in_order(mirrored: Mirrored) -> None:
    gathering = {"event_id": "E1"}
    await hears(
        mirrored,
        an_event(event_id="E1", starts_at=at(30)),
        an_event(event_id="off", starts_at=at(30), status="cancelled"),
        a_registration(registration_id="R1", record_id="B-7", registered_at=at(1), **gathering),
        a_registration(registration_id="R2", record_id="B-8", registered_at=at(2), **gathering),
        a_registration(registration_id="R3", record_id="B-77", registered_at=at(3), **gathering),
        a_registration(registration_id="R4", record_id="B-9", registered_at=at(4), status="waiting", **gathering),
        a_registration(registration_id="R5", record_id="B-8", registered_at=at(5), status="cancelled", **gathering),
        a_registration(registration_id="R6", event_id="off", record_id="B-9", status="waiting"),
        a_registration(registration_id="R7", event_id="off", record_id="B-8"),
    )
    assert await differing(mirrored) == {}

    await hears(mirrored, merged(1, "X", *TWINS, RecordRef(cluster=NUMELINK, record_id="B-77")))

    result = await differing(mirrored)
    assert {item: (theirs["place"], document["place"]) for (_, item), (theirs, document) in result.items()} == {
        "R3": ("given", "none"),
        "R4": ("waiting", "given"),
    }
    assert result["place", "R3"][1]["because"] == "B-7 is the same member, and came first (R1)"


@only("billing")
async def test_a_period_is_billed_once_and_an_invoice_owed_until_it_is_covered(mirrored: Mirrored) -> None:
    await hears(
        mirrored,
        an_invoice(invoice_id="A-1", record_id="12", issued_on=date(2026, 1, 2), **YEAR),
        an_invoice(invoice_id="A-2", record_id="13", issued_on=date(2026, 1, 2), **YEAR),
        an_invoice(invoice_id="AV", kind="credit-note", corrects="A-2", record_id="13", gross=Decimal("-120")),
        cluster=CLUSTR,
    )
    await hears(
        mirrored,
        an_invoice(invoice_id="F1", record_id="B-7", issued_on=date(2026, 2, 1), **YEAR),
        an_invoice(invoice_id="F2", record_id="B-8", status="paid"),
        a_payment(payment_id="P1", invoice_id="F2", amount=Decimal("60")),
        an_invoice(invoice_id="F3", record_id="B-8"),
        an_invoice(invoice_id="AV3", kind="credit-note", corrects="F3", record_id="B-8", gross=Decimal("-120")),
        an_invoice(invoice_id="F4", record_id="B-13", issued_on=date(2026, 2, 1), status="cancelled", **YEAR),
        an_invoice(invoice_id="F5", record_id="B-13", issued_on=date(2026, 2, 1), **YEAR),
        merged(1, "X", *TWINS),
        merged(2, "Y", RecordRef(cluster=CLUSTR, record_id="13"), RecordRef(cluster=NUMELINK, record_id="B-13")),
    )

    assert await differing(mirrored) == {
        ("dues", "F1"): (
            {"because": None, "billed": True},
            {"because": f"{CLUSTR}/A-1 covers 2026-01-01 to 2026-12-31", "billed": False},
        ),
        ("settlement", "F2"): (
            {"because": None, "owed": False},
            {"because": "60.00 paid and 0.00 credited of 120.00", "owed": True},
        ),
        ("settlement", "F3"): (
            {"because": None, "owed": True},
            {"because": "0.00 paid and 120.00 credited of 120.00", "owed": False},
        ),
    }
    published = (await rehearse(mirrored, "--json", ends=1)).json
    assert counted(published) == {"dues": (2, 2), "settlement": (5, 5)}
    assert published["sums"]["dues"] == {"2026": {"there": "240.00", "here": "120.00"}}


@only("membership")
async def test_a_membership_stands_where_terms_and_payments_say(mirrored: Mirrored) -> None:
    today = datetime.now(UTC).date()
    past, ahead = today - timedelta(days=30), today + timedelta(days=200)
    running = Subscription(subscription_id="1", starts_on=today - timedelta(days=100), ends_on=ahead)
    over = running.model_copy(update={"ends_on": past})
    await hears(
        mirrored,
        a_member(record_id="as-told", status="active", paid_until=ahead, subscriptions=(running,)),
        a_member(record_id="too-late", status="active", paid_until=ahead, subscriptions=(over,)),
        a_member(record_id="invoiced", status="active", paid_until=past, subscriptions=(over,)),
        a_member(record_id="left", status="active", ended_on=past, paid_until=ahead, subscriptions=(running,)),
        a_member(record_id="asked", status="pending", paid_until=ahead, subscriptions=(running,)),
        a_member(record_id="exempt", status="active", paid_until=ahead, exempt=True, subscriptions=(over,)),
        a_member(record_id="third-party"),
        *(_announced(record_id=name, period_ends_on=ahead) for name in ("invoiced", "third-party")),
        PaymentChanged(**a_payment(invoice_id="F-invoiced").model_dump(), cluster=NUMELINK),
    )

    assert await differing(mirrored) == {
        ("standing", "too-late"): (
            {"because": None, "paid_until": str(ahead)},
            {"because": f"no term or paid invoice goes beyond {past}", "paid_until": str(past)},
        ),
        ("standing", "invoiced"): (
            {"because": None, "paid_until": str(past)},
            {"because": f"an invoice until {ahead} is paid", "paid_until": str(ahead)},
        ),
        ("standing", "left"): (
            {"because": None, "status": "active"},
            {"because": f"its last day was {past}", "status": "ended"},
        ),
        ("standing", "asked"): (
            {"because": None, "status": "pending"},
            {"because": "a term runs that is paid", "status": "active"},
        ),
    }


def _announced(**different: Any) -> InvoiceChanged:
    invoice = an_invoice(invoice_id=f"F-{different['record_id']}", **different)
    return InvoiceChanged(**invoice.model_dump(), cluster=NUMELINK)


# --- in every service -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def reading(mirrored: Mirrored) -> AsyncIterator[Any]:
    async with mirrored.database.engine() as engine:
        yield engine


@pytest.mark.parametrize("stage", ["legacy", "live", "retired"])
async def test_only_what_is_mirrored_is_rehearsed(mirrored: Mirrored, stage: str) -> None:
    await in_stage(mirrored, stage)

    answer = await rehearse(mirrored, ends=2)

    assert f"{mirrored.system} is in stage {stage}" in answer.err
    mends = {"legacy": "traboule cutover mirror", "live": "traboule cutover rollback", "retired": "nothing any more"}
    assert mends[stage] in " ".join(answer.err.split())


async def test_another_cluster_is_not_rehearsed_along(mirrored: Mirrored) -> None:
    async with reading(mirrored) as engine:
        rehearsals = definition_of(mirrored.service).rehearsals
        assert (await rehearsed(engine, mirrored.service, NUMELINK, rehearsals, LONG_AGO)).differences == []
        with pytest.raises(NotMirroredError, match=r"clustr-numerique/.* is in stage legacy"):
            await rehearsed(engine, mirrored.service, CLUSTR, rehearsals, LONG_AGO)


async def test_the_gate_is_told_of_the_newest_rehearsal(mirrored: Mirrored) -> None:
    async def told() -> Any:
        async with reading(mirrored) as engine, engine.begin() as connection:
            return await last_rehearsal(connection, definition_of(mirrored.service), NUMELINK)

    assert await told() is None
    await rehearse(mirrored)
    result = await told()
    assert (result.open_differences, result.since, result.comparable) == (0, LONG_AGO, 0)
    assert result.compared == {rehearsal.name: 0 for rehearsal in definition_of(mirrored.service).rehearsals}
    await hears(mirrored, a_record(mirrored.service))
    assert (await told()).comparable == 1, "of the other cluster's none"


def a_record(service: str) -> Fact:
    made = {"membership": a_member, "billing": an_invoice, "events": an_event, "communications": a_consent}
    return made[service]()


WRITES: Sequence[str] = (
    "with sent as (insert into outbox (exchange, routing_key, message_id, headers, body) "
    "values ('traboule', 'numelink.x.y', 'M', '{}', 'x') returning id) select id from sent",
    "with lost as (delete from inbox returning 1) select * from lost",
    "select nextval('parity_runs_id_seq')",
    "select set_config('transaction_read_only', 'off', true)",
)


@only("billing")
@pytest.mark.parametrize("sql", WRITES)
async def test_a_rehearsal_that_would_write_fails(mirrored: Mirrored, sql: str) -> None:
    settlement = REHEARSALS[1]
    harmful = type(settlement)("harmful", "?", sql, settlement.row, settlement.did, settlement.would)

    async with reading(mirrored) as engine:
        with pytest.raises((DBAPIError, asyncpg.PostgresError), match=r"read-only|read-write mode"):
            await rehearsed(engine, "billing", NUMELINK, [harmful], LONG_AGO)

        async with engine.begin() as connection:
            rows = await connection.exec_driver_sql("select (select count(*) from outbox), count(*) from parity_runs")
            assert rows.one() == (0, 0)


@only("billing")
async def test_nothing_leaves_by_an_outbox_either(mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = Outbox()
    outbox.add(Outgoing("traboule", "traboule.billing.invoice-changed", "M", None, b"{}"))

    async def flushing(connection: Any) -> dict[str, Any]:
        await outbox.flush(connection)
        return {}

    monkeypatch.setattr("services.cutover.rehearsal.running.read_stages", flushing)
    async with reading(mirrored) as engine:
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await rehearsed(engine, "billing", NUMELINK, REHEARSALS, LONG_AGO)
