"""``traboule ask``: every query of a service, from the command line."""

from collections.abc import Iterator

import pytest

from deploy.local.nodes import Nodes
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service


@pytest.fixture(scope="module")
def billing(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    """Its database and its queues; no process runs."""
    with own_service(nodes, passwords, "billing") as own, own.environment():
        yield own


async def test_what_a_service_can_be_asked_is_listed_in_both_languages(billing: OwnService) -> None:
    listed = await traboule("ask", "billing")
    assert listed.exit_code == 0
    assert "mirrored-records cluster=…" in listed.out
    assert "How many records of each former system" in listed.out
    assert "Combien de fiches" in listed.out
    assert "note-backup" not in listed.out, "a command is no query"
    (conditions,) = (each for each in (await traboule("ask", "billing", "--json")).json if each["name"] == "conditions")
    assert conditions["arguments"] == ["for=switch"]


async def test_a_query_is_answered_as_json_and_in_words(billing: OwnService) -> None:
    await billing.empty()
    await billing.query(
        "insert into payments (cluster, payment_id, version, digest, record_id, paid_on, amount, currency) "
        "values ('numelink', 'P1', 1, '', 'B-1', '2026-01-01', 10, 'EUR')"
    )
    await billing.query("insert into inbox (message, digest) values ('/numelink/billing 1', '')")
    answer = (await traboule("ask", "billing", "mirrored-records", "--json")).json
    (item,) = answer["items"]
    assert (item["cluster"], item["records"]) == ("numelink", {"payment": 1})
    assert item["newest_received_at"]
    words = await traboule("ask", "billing", "mirrored-records", "cluster=numelink")
    assert (words.exit_code, "payment 1" in words.out) == (0, True)
    assert (await traboule("ask", "billing", "mirrored-records", "cluster=nowhere", "--json")).json["items"] == []
    stage = (await traboule("ask", "numelink/billing", "standing", "--json")).json
    assert (stage["system"], stage["stage"]) == ("numelink/billing", "legacy")
    conditions = (await traboule("ask", "numelink/billing", "conditions", "for=rollback", "--json")).json
    assert conditions["for"] == "rollback"


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (("nothing",), 2, "there is no service 'nothing'; there are membership, billing"),
        (("nowhere/billing", "standing"), 2, "there is no cluster 'nowhere'"),
        (("billing", "weather"), 2, "billing has no query 'weather'; it has standing"),
        (("billing", "standing"), 2, "is about one former system: name it, such as numelink/billing"),
        (("numelink/billing", "move", "move=mirror"), 2, "run traboule cutover mirror|switch"),
        (("billing", "mirrored-records", "colour=red"), 2, "not understood: colour"),
        (("billing", "mirrored-records", "cluster"), 2, "cluster: write each argument once, as NAME=VALUE"),
        (("billing", "mirrored-records", "cluster=a", "cluster=b"), 2, "write each argument once"),
        (("numelink/billing", "quarantine", "limit=many"), 2, "not understood: limit"),
        (("numelink/billing", "parity"), 1, "was never compared"),
        (("numelink/billing", "late-message", "number=7"), 1, "there is no billing:7 in quarantine"),
    ],
)
async def test_what_is_asked_wrongly_is_told_with_what_to_do(
    billing: OwnService, words: tuple[str, ...], exit_code: int, text: str
) -> None:
    answer = await traboule("ask", *words)
    assert text in " ".join(answer.err.split())
    assert (answer.exit_code, answer.out) == (exit_code, "")
