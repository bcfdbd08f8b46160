"""Decisions that cannot be taken, and in which words they are refused."""

import logging

import pytest

from tests.integration.gateway.duplicates.decisions import DECISIONS, FIRST, OTHER, decide, post
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id

_LAST = 2**63 - 1  # a bigint's
FINE = {"verdict": "same", "records": [FIRST, OTHER], "reason": "x"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"reason", "verdict", "records"}),
        ([], {"body"}),
        (None, {"body"}),
        ({**FINE, "verdict": "maybe"}, {"verdict"}),
        ({**FINE, "records": [FIRST]}, {"records"}),
        ({**FINE, "records": FIRST}, {"records"}),
        ({**FINE, "records": [FIRST, None]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "/B-1"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink/\x00"]}, {"records.1"}),
        ({**FINE, "records": [FIRST, "numelink/" + "x" * 600]}, {"records.1"}),
        ({**FINE, "records": [f"{NUMELINK}/{number}" for number in range(51)]}, {"records"}),
        ({**FINE, "reason": ""}, {"reason"}),
        ({**FINE, "reason": "x" * 1_001}, {"reason"}),
        ({**FINE, "reason": 7}, {"reason"}),
        ({**FINE, "author": ""}, {"author"}),
        ({**FINE, "author": "x" * 201}, {"author"}),
        ({**FINE, "because": "x"}, {"because"}),
        ({"parts": [[FIRST], []], "reason": "x"}, {"parts.1"}),
        ({"parts": [], "reason": "x"}, {"parts"}),
        ({"parts": [[FIRST], [OTHER]], "verdict": "same", "reason": "x"}, {"verdict"}),
    ],
)
async def test_a_body_that_does_not_fit_is_told_field_by_field(gateway, two, body, fields):
    answer = await post(gateway, DECISIONS, body)

    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:traboule:problem:invalid-parameters"
    assert {item["field"] for item in answer.json()["errors"]} == fields
    assert (await gateway.get(DECISIONS, role="staff")).json()["items"] == []


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"reason": "\\ud800"}', b"[" * 10_000])
async def test_what_is_no_json_is_told(gateway, two, raw):
    answer = await gateway.ask("POST", DECISIONS, role="staff", content=raw)

    assert answer.status_code == 422
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("different", "code", "words"),
    [
        ({"reason": " \n"}, "reason-missing", "Une décision a besoin d'un motif."),
        ({"reason": "a\x00b"}, "reason-unusable", "Le motif est trop long ou n'est pas du texte."),
        ({"author": "\t"}, "author-missing", "Une décision a besoin d'un auteur."),
        ({"records": [FIRST, FIRST]}, "record-twice", "Une décision nomme chaque fiche une seule fois."),
    ],
)
async def test_a_decision_that_cannot_be_taken_says_why(gateway, two, different, code, words):
    answer = await post(gateway, DECISIONS, FINE | different, headers={"accept-language": "fr"})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:traboule:problem:decision-refused"
    assert (answer.json()["code"], answer.json()["detail"]) == (code, words)


async def test_records_and_decisions_that_nobody_knows(gateway, two):
    unknown = await decide(gateway, "same", FIRST, "numelink/nobody")
    assert (unknown.status_code, unknown.json()["records"]) == (422, ["numelink/nobody"])
    assert unknown.json()["type"] == "urn:traboule:problem:record-unknown"

    for number in (1, _LAST):
        for answer in (
            await gateway.get(f"{DECISIONS}/{number}", role="staff"),
            await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "x"}),
        ):
            assert answer.status_code == 404
            assert answer.json()["type"] == "urn:traboule:problem:decision-unknown"
    for number in ("0", "x", str(_LAST + 1)):
        assert (await gateway.get(f"{DECISIONS}/{number}", role="staff")).status_code == 422


async def test_readers_and_strangers_decide_nothing(gateway, two):
    paths = [DECISIONS, f"{DECISIONS}/1/take-back", f"/members/{own_id(CLUSTR, '12')}/separations"]
    for path in paths:
        assert (await post(gateway, path, FINE, role="reader")).status_code == 403
        assert (await gateway.client.post(path, json=FINE)).status_code == 401
    for path in ("/duplicates", "/duplicates/x", f"{DECISIONS}/1"):
        assert (await gateway.get(path, role="reader")).status_code == 403


async def test_logs_say_who_decided_by_number_and_never_what(gateway, two, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    number = (await decide(gateway, "same", reason="Dupont said so")).json()["decision"]
    await post(gateway, f"{DECISIONS}/{number}/take-back", {"reason": "Dupont erred", "author": "Durand"})

    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    answer = ours + "".join(capfd.readouterr())
    assert "duplicates.decided" in answer
    assert "duplicates.taken_back" in answer
    assert f"decision={number}" in answer
    assert all(secret not in answer for secret in ("Dupont", "Durand", "B-1", "Forges"))
