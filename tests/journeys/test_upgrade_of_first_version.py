"""A database of the first version, stored beside the tests, is brought to the present and goes on with what comes."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes, local_nodes
from deploy.local.runs import Run
from deploy.provisioning.provision import CLUSTERS, migrations_folder, provision
from services import SERVICES
from shared.messaging.broker_version import PRIVATE_BROKER
from shared.persistence.migrations import head
from tests.support.builders import a_payment
from tests.support.next_version import python
from tests.support.servers import publish_as, query
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

STORED = Path(__file__).parents[1] / "data" / "first-version"
KEY = "trb_t2db8ejaij32_Ea8cUJomN7C6pOsjAciINnSwSHYxQ3mrd647knJAorQ"
GLAZIERS = "5ada81df-6e38-5592-b902-db1287a8385f"
"""Two records that one SIREN merged; an invoice of each cluster, a registration, two consents, an override."""
FORGES = "bce45347-a0d6-5a8d-ac50-2e648a382d1e"
"""Two records that staff merged; an invoice, paid."""


@pytest.fixture(scope="module")
def own_nodes() -> Iterator[Nodes]:
    """Databases have the names that an installation gives them, so these are not those of other tests."""
    with local_nodes() as nodes:
        yield nodes


@pytest.fixture
async def installation(own_nodes: Nodes, tmp_path: Path) -> AsyncIterator[LocalServices]:
    """The first version's databases, and nothing runs."""
    servers = (own_nodes.database.url, own_nodes.broker.url, own_nodes.broker.management_url)
    made = await asyncio.to_thread(lambda: provision(*servers, clusters_file=CLUSTERS))
    with Run() as run:
        services = LocalServices(run, made, tmp_path, SERVICES)
        services.env |= {PRIVATE_BROKER: "yes"}
        for service in SERVICES:
            await _restore(services.env, service)
        yield services
        services.close()


async def test_a_database_of_the_first_version_is_brought_to_the_present_and_goes_on(
    installation: LocalServices,
) -> None:
    env = installation.env
    before = await _views(env)
    assert sorted(view["name"]["value"] for view in before.values()) == [
        "Les Forges", "Soieries Perrache", "VITRAUX DU RHONE",
    ]  # fmt: skip

    code, printed = await asyncio.to_thread(python, env, "-m", "services.cli", "migrate", "--all")
    assert code == 0, printed
    code, printed = await asyncio.to_thread(python, env, "-m", "services.cli", "migrate", "--all", "--post")
    assert code == 0, printed
    for service in SERVICES:
        assert await _revision(env, service) == head(migrations_folder(service))
    for service in SERVICES:
        await asyncio.to_thread(installation.start, service, None, wait=False)
    await asyncio.to_thread(installation.wait_until_ready, SERVICES)

    # Billing, events and communications announce their sections without a command; then all is as it was. The first
    # version did not say whom nobody may write to.
    before[GLAZIERS]["consents"]["suppressed"] = [_objection("clustr-numerique/12"), _objection("numelink/B-1")]

    async def as_before() -> bool:
        assert await _views(env) == before
        return True

    await eventually(as_before, 30)
    [stage] = await query(env, "billing", "select cluster, stage, by from stages")
    assert stage == {"cluster": "numelink", "stage": "mirror", "by": "a.durand"}
    [parked] = await query(env, "billing", "select queue, reason from dead_letters")
    assert parked == {"queue": "billing.invoice-recorded", "reason": "not-json"}

    await publish_as(env, "numelink.billing", a_payment(payment_id="P-2", record_id="B-1", invoice_id="F-1", version=2))

    async def paid() -> bool:
        return (await _read(installation, GLAZIERS))["dues"]["outstanding"] == "120.00"

    await eventually(paid, 30)
    member = await _read(installation, GLAZIERS)
    assert member["phone"]["value"] == "+33472000000", "what staff set stays"
    assert (await _read(installation, FORGES))["clusters"] == ["clustr-numerique", "numelink"], (
        "what staff decided stays"
    )
    assert await query(env, "membership", "select reason, detail from dead_letters") == []


def _objection(record: str) -> dict[str, str]:
    """What Clust'R heard from its record 12 also holds for the same address of Numelink's."""
    return {
        "from": record, "covers": "bulk", "purpose": "newsletter", "reason": "objection", "source": "former-system",
        "known_in": "clustr-numerique", "concerns": "record" if record == "clustr-numerique/12" else "address",
        "since": "2025-05-25T10:00:00Z",
    }  # fmt: skip


async def _restore(env: Mapping[str, str], service: str) -> None:
    """Replace the schema that provisioning made by the stored one; extensions are the administrator's, and stay."""
    connection = await asyncpg.connect(env[f"TRABOULE_{service.upper()}_DATABASE_URL"])
    try:
        await connection.execute("drop owned by current_user cascade")
        await connection.execute((STORED / f"{service}.sql").read_text())
    finally:
        await connection.close()


async def _views(env: Mapping[str, str]) -> dict[str, Any]:
    rows = await query(
        env, "membership", "select member_id::text as id, document from views where document is not null"
    )
    return {row["id"]: orjson.loads(row["document"]) for row in rows}


async def _revision(env: Mapping[str, str], service: str) -> str:
    [row] = await query(env, service, "select version_num from alembic_version")
    return row["version_num"]


async def _read(installation: LocalServices, member_id: str) -> dict[str, Any]:
    async with httpx2.AsyncClient() as client:
        headers = {"authorization": f"Bearer {KEY}"}
        answer = await client.get(f"{installation.url('membership')}/members/{member_id}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()
