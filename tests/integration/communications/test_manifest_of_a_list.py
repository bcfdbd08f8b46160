"""A former list and our mirror are compared by a manifest that names no address: who objected there, and here."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.communications import CommunicationsManifestRecorded, ConsentRecorded
from schemas.digests import record_digest
from schemas.envelope import Envelope, encode, to_json
from schemas.reading import read
from services.communications.legacy.consents import address_id
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover.manifests import keep_manifests
from tests.support.parity import Mirrored, a_mirror, empty

FORM = "brevo-blocklist"


@pytest.fixture(scope="module")
def database(nodes: Nodes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirrored]:
    with a_mirror(nodes, tmp_path_factory.mktemp("exports"), "communications") as mirrored:
        yield mirrored


@pytest.fixture
async def mirrored(database: Mirrored) -> Mirrored:
    await empty(database)
    return database


def an_objection(address: str, **different: Any) -> ConsentRecorded:
    """As an import reads it from a blocklist: no record is known."""
    usual: dict[str, Any] = {
        "version": 1, "consent_id": address_id(FORM, address), "address": address, "channel": "bulk-email",
        "purpose": "*", "status": "withdrawn", "decided_at": datetime(2026, 1, 5, tzinfo=UTC),
        "source": f"import: {FORM}",
    }  # fmt: skip
    return ConsentRecorded.model_validate(usual | different)


async def arrives(mirrored: Mirrored, *facts: ConsentRecorded) -> bytes:
    """The list's manifest of these; its bytes."""
    records = [{"kind": "consent", "id": fact.consent_id, "digest": record_digest(fact)} for fact in facts]
    manifest = CommunicationsManifestRecorded.model_validate({"version": 17, "records": records})
    message = encode("/numelink/communications", [manifest])
    envelopes = read(CommunicationsManifestRecorded, message.body, message.content_type, {})
    async with mirrored.database.engine() as engine, engine.begin() as connection:
        kept = [item for item in envelopes if isinstance(item, Envelope)]
        await keep_manifests(CommunicationsUnitOfWork(connection), kept)
    return to_json(manifest)


async def test_a_list_that_says_the_same_has_no_differences_and_names_no_address(mirrored: Mirrored) -> None:
    facts = [an_objection(f"p{n}@exemple.fr") for n in range(5)]
    await mirrored.imports(*facts)
    manifest = await arrives(mirrored, *facts)
    assert b"@" not in manifest
    proved = (await mirrored.command("parity", "--json")).json
    assert (proved["differences"], proved["counts"]["consent"]["there"]) == ([], 5)


async def test_who_objected_on_one_side_alone_or_says_otherwise_is_found(mirrored: Mirrored) -> None:
    same, ours, other = (an_objection(f"{name}@exemple.fr") for name in ("same", "ours", "other"))
    await mirrored.imports(same, ours, other)
    theirs = an_objection("theirs@exemple.fr")
    changed = an_objection("other@exemple.fr", status="granted")
    assert address_id(FORM, "OTHER@Exemple.fr ") == other.consent_id, "whatever its writing"
    await arrives(mirrored, same, theirs, changed)
    proved = (await mirrored.command("parity", "--json", ends=1)).json
    assert {(item["what"], item["item_id"]) for item in proved["differences"]} == {
        ("different", other.consent_id), ("missing-here", theirs.consent_id), ("missing-there", ours.consent_id)
    }  # fmt: skip
