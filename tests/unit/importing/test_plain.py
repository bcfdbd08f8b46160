from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.catalogue import RECORDED
from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.events import EventRecorded, RegistrationRecorded
from schemas.membership import MemberRecorded, MemberRemoved
from shared.importing import plain
from shared.importing.outcomes import Accepted, Rejection, Repeated, UnreadableError
from shared.importing.reading import read

PARIS = ZoneInfo("Europe/Paris")


def translate(path: Path, content: str, model) -> list[Any]:
    path.write_text(content, encoding="utf-8")
    return list(plain.translate(read(path), model, 7, PARIS))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("invoice_id,record_id,number,issued_on,net,vat,gross", InvoiceRecorded),
        ("payment_id,record_id,invoice_id,paid_on,amount", PaymentRecorded),
        ("event_id,title,starts_at", EventRecorded),
        ("registration_id,event_id,record_id,registered_at", RegistrationRecorded),
        ("consent_id,record_id,channel,purpose,status,decided_at", ConsentRecorded),
        ("mailing_id,subject,sent_at,recipients", MailingRecorded),
        ("Record ID,NAME,siren", MemberRecorded),
        ("record_id,reason", MemberRemoved),
    ],
)
def test_each_fact_is_recognised_by_its_fields(header, expected):
    kind = plain.recognise(header.split(","), [fact for fact in RECORDED if fact.service == expected.service])
    assert kind is expected


def test_every_recorded_fact_begins_with_its_own_id():
    assert {fact: plain.identity_of(fact) for fact in RECORDED}[InvoiceRecorded] == "invoice_id"
    assert all(plain.identity_of(fact).endswith("_id") for fact in RECORDED)


def test_an_invoice_in_french_writing(tmp_path):
    content = (
        "invoice_id;record_id;number;issued_on;net;vat;gross;version\nF1;A1;2024-01;31/01/2024;1 000,00;200,00;1200;3\n"
    )
    [outcome] = translate(tmp_path / "i.csv", content, InvoiceRecorded)
    assert outcome == Accepted(
        (2,),
        InvoiceRecorded(
            invoice_id="F1",
            record_id="A1",
            number="2024-01",
            issued_on=date(2024, 1, 31),
            net=Decimal(1000),
            vat=Decimal(200),
            gross=Decimal(1200),
            version=3,
        ),
    )


def test_json_lines_with_lists_and_moments(tmp_path):
    content = (
        '{"mailing_id": "M1", "subject": "AG", "sent_at": "2024-01-31T09:00:00+01:00", "recipients": ["A1", "A2"]}\n'
    )
    [outcome] = translate(tmp_path / "m.jsonl", content, MailingRecorded)
    assert outcome.fact.recipients == ("A1", "A2")
    assert outcome.fact.sent_at == datetime(2024, 1, 31, 8, tzinfo=UTC)


def test_a_list_in_a_csv_cell(tmp_path):
    content = "mailing_id,subject,sent_at,recipients\nM1,AG,31/01/2024 09:00,A1|A2\n"
    [outcome] = translate(tmp_path / "m.csv", content, MailingRecorded)
    assert outcome.fact.recipients == ("A1", "A2")


def test_all_faults_of_a_row_are_told_at_once(tmp_path):
    content = "payment_id,record_id,paid_on,amount\nP1,A1,31/02/2024,douze\nP2,,31/01/2024,12\n"
    outcomes = translate(tmp_path / "p.csv", content, PaymentRecorded)
    assert [(o.line, o.record_id, o.field, o.value) for o in outcomes if isinstance(o, Rejection)] == [
        (2, "P1", "paid_on", "31/02/2024"),
        (2, "P1", "amount", "douze"),
        (3, "P2", "record_id", ""),
    ]


def test_an_unknown_choice_is_rejected_with_the_choices(tmp_path):
    content = "registration_id,event_id,record_id,registered_at,status\nR1,E1,A1,2024-01-31 09:00,peut-être\n"
    [outcome] = translate(tmp_path / "r.csv", content, RegistrationRecorded)
    assert (outcome.field, outcome.value) == ("status", "peut-être")
    assert "'registered'" in outcome.reason


def test_the_same_id_twice(tmp_path):
    content = "event_id,title,starts_at\nE1,AG,2024-01-31 09:00\nE1,AG,2024-01-31 09:00\nE1,Autre,2024-01-31 09:00\n"
    outcomes = translate(tmp_path / "e.csv", content, EventRecorded)
    assert [type(o) for o in outcomes] == [Accepted, Repeated, Rejection]
    assert "line 2" in outcomes[2].reason


def test_a_misspelt_column_is_refused_where_it_would_be_lost(tmp_path):
    with pytest.raises(UnreadableError, match='"grosss" is no field of InvoiceRecorded; did you mean "gross"'):
        translate(tmp_path / "i.csv", "invoice_id,grosss\n1,2\n", InvoiceRecorded)


def test_a_column_that_comes_twice_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="comes twice"):
        translate(tmp_path / "m.csv", "record_id,name,name\n1,a,b\n", MemberRecorded)


def test_columns_of_a_member_that_are_no_field_are_kept(tmp_path):
    bought = '[{""subscription_id"":""S1"",""starts_on"":""2024-01-01"",""amount"":""12.00""}]'
    row = f'1,ACME,bleu,"{bought}",email|phone,"{{""a"":""b""}}"'
    content = f"record_id,name,Couleur,subscriptions,opt_outs,extra\n{row}\n"
    [outcome] = translate(tmp_path / "m.csv", content, MemberRecorded)
    assert outcome.fact.extra == {"Couleur": "bleu", "a": "b"}
    assert outcome.fact.subscriptions[0].amount == Decimal(12)
    assert outcome.fact.opt_outs == ("email", "phone")
