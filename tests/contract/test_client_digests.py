"""The digests that we hand to producers are ours, in every language, however a fact is written."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import Fact
from schemas.catalogue import RECORDED
from schemas.digests import normal_form, record_digest
from schemas.envelope import to_json
from schemas.examples import EXAMPLES
from schemas.membership import MemberRecorded
from tests.support.examples import examples

CLIENTS = Path(__file__).parents[2] / "schemas" / "clients"
PROGRAMS = {"python": sys.executable, "node": "node", "php": "php"}
FILES = {"python": "digest.py", "node": "digest.mjs", "php": "digest.php"}
KINDS = {fact: fact.key.removesuffix("-recorded") for fact in RECORDED if fact.key.endswith("-recorded")}
FACTS = {kind: fact for fact, kind in KINDS.items()}

TRICKY: dict[str, list[dict[str, Any]]] = {
    "member": [
        {"record_id": "1", "version": 1, "name": "  Ateliers — « Gier » ", "city": "", "brand": " \t\n",
         "exempt": False, "phone": None, "subscriptions": [], "extra": {}},
        {"record_id": "1", "version": 1, "name": "a/b\\\"\u2028\u2029\u007f\u0001\b\f\n\r\té🐙", "exempt": True,
         "street": "12 rue\n de la République\r\n"},
        {"record_id": "1", "version": 1, "name": "x", "extra": {
            "\U0001f419": "octopus", "\ufb33": "dalet", "10": "a", "9": "b", "é": "c", "e": " ", "": "d",
            "amount": "5", "starts_at": "soon", "kind": "invoice"}},
        {"record_id": "1", "version": 1, "name": "x", "opt_outs": ["sms", "email", "sms", "bulk-email"],
         "subscriptions": [
             {"subscription_id": "2", "starts_on": "2026-01-01", "amount": "12.5", "label": "", "ends_on": None},
             {"subscription_id": "10", "starts_on": "2025-01-01", "amount": 480},
             {"subscription_id": "10", "starts_on": "2025-01-01", "amount": "480.00"}]},
    ],
    "invoice": [
        {"version": 3, "invoice_id": "F1", "record_id": "1", "number": "", "kind": "invoice", "status": "issued",
         "currency": "EUR", "issued_on": "2026-01-05", "net": "400", "vat": "-0.00", "gross": "9999999999.99"},
        {"version": 3, "invoice_id": "F1", "record_id": "1", "number": "N", "kind": "credit-note", "status": "paid",
         "issued_on": "2026-01-05", "net": "-0.1", "vat": 0, "gross": "-12.50", "label": "<b>&amp;</b>"},
        {"version": 3, "invoice_id": "F1", "record_id": "1", "number": "N", "issued_on": "2026-01-05", "net": "0",
         "vat": "0", "gross": "0", "written_off": "7.5", "vat_rates": [{"rate": "5.5", "net": "-0.00", "vat": "0"}],
         "lines": [{"net": "-10", "quantity": "-0.333333", "unit_price": "12345678.123456", "label": " x ",
                    "vat_rate": "20", "starts_on": None}, {"net": "-0.00"}, {"net": "0", "label": ""}]},
    ],
    "payment": [
        {"version": 3, "payment_id": "P", "record_id": "1", "paid_on": "2026-01-05", "amount": "007.5"},
        {"version": 3, "payment_id": "P", "record_id": "1", "paid_on": "2026-01-05", "amount": "7.5", "allocations": [
            {"invoice_id": "F2", "amount": "5"}, {"invoice_id": "F1", "amount": "2.50"}]},
    ],
    "event": [
        {"version": 3, "event_id": "E", "title": " Apéro ", "starts_at": "2026-11-26T18:30:00.987654+01:00",
         "ends_at": "2026-11-27T00:30:00+05:30", "status": "planned", "place": "\u00a0Lyon"},
    ],
    "registration": [
        {"version": 3, "registration_id": "R", "event_id": "E", "record_id": "1", "seats": 1, "status": "registered",
         "registered_at": "2026-03-29T02:00:00Z"},
        {"version": 3, "registration_id": "R", "event_id": "E", "record_id": "1", "seats": 12, "status": "waiting",
         "registered_at": "1969-12-31T23:59:59.999Z"},
    ],
    "mailing": [
        {"version": 3, "mailing_id": "L", "subject": "s", "sent_at": "2026-11-03T09:00:00Z",
         "recipients": ["9", "10", "é", "z", "\U0001f419", "\uffee", "10"]},
    ],
}  # fmt: skip


def answers(language: str, kind: str, *documents: bytes) -> list[str]:
    program = shutil.which(PROGRAMS[language])
    if program is None:
        pytest.skip(f"{language} is not installed")
    command = [program, str(CLIENTS / language / FILES[language]), kind]
    done = subprocess.run(command, input=b"\n".join(documents) + b"\n", capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split()


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize("fact", KINDS, ids=KINDS.values())
def test_an_example_has_our_digest(language: str, fact: type[Fact]) -> None:
    example = EXAMPLES[fact]()
    assert isinstance(example, fact)
    assert answers(language, KINDS[fact], to_json(example)) == [record_digest(example)]


@pytest.mark.parametrize("language", FILES)
@pytest.mark.parametrize("kind", TRICKY)
def test_what_may_be_written_in_many_ways_has_our_digest(language: str, kind: str) -> None:
    wanted = [record_digest(FACTS[kind].model_validate_json(json.dumps(document))) for document in TRICKY[kind]]
    assert answers(language, kind, *(json.dumps(document).encode() for document in TRICKY[kind])) == wanted


letters = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"], include_characters='é🐙\ufb33\u2028"\\/ \n'),
    max_size=6,
)
members = st.builds(
    lambda names, extra, opt_outs: MemberRecorded(
        version=1, record_id="1", name=f"x{names[0]}x", city=names[1], brand=names[2], extra=extra, opt_outs=opt_outs
    ),
    st.tuples(letters, letters, letters),
    st.dictionaries(letters, letters, max_size=4),
    st.lists(st.sampled_from(["email", "phone", "sms"])).map(tuple),
)


@pytest.mark.parametrize("language", FILES)
@settings(max_examples=examples(10), deadline=None)
@given(several=st.lists(members, min_size=40, max_size=40))
def test_any_text_has_our_digest(language: str, several: list[MemberRecorded]) -> None:
    wanted = [record_digest(member) for member in several]
    assert answers(language, "member", *map(to_json, several)) == wanted


def test_the_normal_form_is_what_the_page_shows() -> None:
    page = (CLIENTS.parent / "PRODUCERS.md").read_text()
    payment = next(fact for fact in RECORDED if fact.__name__ == "PaymentRecorded")
    example = EXAMPLES[payment]()
    assert isinstance(example, Fact)
    assert normal_form(example).decode() in page
    assert record_digest(example) in page
