"""Translators turned round: what is written in a product's columns is read again as it was, or named as left out."""

import csv
import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.membership import MemberRecorded, Subscription
from services.membership.legacy import Product, kind_for, recognise
from services.membership.legacy.export import Written, file_of, read_back, write
from shared.importing.outcomes import Accepted
from shared.importing.reading import read
from shared.importing.table import Table
from tests.support.examples import examples
from tests.unit.membership.legacy.written import SOFTWARE, VERSION, headers

KEPT_BY_THEM = ("version", "created_on", "modified_on")
IDS = ("12", "adherent:12", "membership:12", "contact:12", "019ab08c-1f00-7c3a-8e52-3f5d2c7b9a10")
ADDED = ("SIRET", "N° SIREN", "Site web", "Couleur")
any_text = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=12)
words = st.sampled_from(
    (
        "",
        " x",
        "Zoé",
        "Müller",
        "Zoé Müller",
        "a\nb",
        "a\n\nb",
        "\r",
        "a\rb",
        "a\r\nb",
        "1\\n2",
        "oui",
        "Organization",
        '"',
        ";",
    )
)
text = st.none() | words | any_text
days = st.none() | st.dates(date(1971, 1, 1), date(2199, 12, 31))
terms = st.builds(
    Subscription,
    subscription_id=st.sampled_from(("A1", "A2", "2026-1")),
    starts_on=st.dates(date(2019, 1, 1), date(2026, 12, 31)),
    ends_on=days,
    amount=st.none() | st.decimals(-100, 9_999, places=2),
    label=st.none() | st.just("Cotisation"),
)


@st.composite
def members(draw: st.DrawFn) -> MemberRecorded:
    published: dict[str, Any] = {}
    for name in MemberRecorded.model_fields:
        match name:
            case "version":
                published[name] = VERSION
            case "record_id":
                published[name] = draw(st.sampled_from(IDS))
            case "name":
                published[name] = draw(st.sampled_from(("ACME SAS", "Zoé Müller", "Zoé")) | any_text.filter(_is_name))
            case "status":
                published[name] = draw(st.sampled_from((None, "active", "pending", "ended")))
            case "naf_nomenclature":
                published[name] = draw(st.sampled_from((None, "rev2", "2025")))
            case "exempt" | "is_member":
                published[name] = draw(st.sampled_from((None, True, False)))
            case "subscriptions":
                published[name] = tuple(draw(st.lists(terms, max_size=3)))
            case "opt_outs":
                published[name] = tuple(draw(st.lists(st.sampled_from(("email", "bulk-email", "sms")), max_size=2)))
            case "extra":
                published[name] = draw(st.dictionaries(headers, words | any_text, max_size=3))
            case "same_as" | "works_for":
                published[name] = draw(st.sampled_from((None, "12", "13")))
            case _ if name.endswith(("_on", "_since", "_until")):
                published[name] = draw(days)
            case _:
                published[name] = draw(text)
    return MemberRecorded(**published)


def _is_name(written: str) -> bool:
    try:
        MemberRecorded.model_validate({"record_id": "1", "version": 1, "name": written})
    except ValueError:
        return False
    return True


def as_compared(fact: MemberRecorded, field: str) -> Any:
    """An empty text says as much as none, and lists have neither order nor doublets."""
    value = getattr(fact, field)
    return frozenset(value) if isinstance(value, tuple) else value or None if isinstance(value, str) else value


@pytest.mark.parametrize("software", SOFTWARE)
@given(fact=members(), added=st.sampled_from(((), ADDED)))
@settings(max_examples=examples(300), deadline=None)
def test_reading_what_was_written_gives_the_record_except_what_was_named(
    software: str, fact: MemberRecorded, added: Sequence[str]
) -> None:
    written = write(fact, software, added)
    kind = kind_for(software, fact.record_id)
    again = read_back(kind, written.columns, written.rows, VERSION)
    assert written.file == kind.name
    if again is None:
        assert "name" in written.left_out
        return
    counted = [name for name in MemberRecorded.model_fields if name not in KEPT_BY_THEM]
    other = {name for name in counted if as_compared(again, name) != as_compared(fact, name)}
    assert set(written.left_out) == other
    assert again.version == VERSION
    assert "password" not in written.columns


@pytest.mark.parametrize("software", SOFTWARE)
@given(facts=st.lists(members(), min_size=1, max_size=3, unique_by=lambda member: member.record_id))
@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_is_recognised_and_says_what_its_rows_say(
    software: str, facts: list[MemberRecorded], tmp_path: Path
) -> None:
    chosen = [fact for fact in facts if kind_for(software, fact.record_id) is kind_for(software, facts[0].record_id)]
    kind, written = kind_for(software, facts[0].record_id), [write(item, software, ADDED) for item in chosen]
    path = tmp_path / "back.csv"
    path.write_bytes(file_of(kind, written))
    table = read(path)
    assert recognise(table) is kind
    by_row = [read_back(kind, item.columns, item.rows, VERSION) for item in written]
    # Dolibarr's own sign for a line break inside a cell reads as one, whoever wrote it.
    assert [item for item in by_file(kind, table) if _no_sign(item)] == [
        item for item in by_row if item and _no_sign(item)
    ]


def by_file(kind: Product, table: Table) -> list[MemberRecorded]:
    return [item.fact for item in kind.translate(table, VERSION) if isinstance(item, Accepted)]


def _no_sign(fact: MemberRecorded) -> bool:
    return "\\" not in fact.model_dump_json()


def ended(**different: Any) -> MemberRecorded:
    published: dict[str, Any] = {"record_id": "12", "version": VERSION, "name": "ACME", "status": "ended"} | different
    return MemberRecorded(**published, ended_on=date(2026, 11, 2))


def cell(written: Written, header: str, row: int = 0) -> str:
    return written.rows[row][written.columns.index(header)]


def test_galette_has_no_column_for_the_last_day_of_a_membership() -> None:
    written = write(ended(siret="73282932000074", siren="732829320", extra={"Langue": "fr_FR"}), "galette", ["SIRET"])
    assert written.left_out == ("siren", "ended_on")
    assert (cell(written, "Compte"), cell(written, "SIRET"), cell(written, "Langue")) == (
        "Non",
        "73282932000074",
        "fr_FR",
    )
    assert cell(written, "Courriel") == "", "what is empty here is to be emptied there"


def test_each_subscription_of_a_dolibarr_member_has_its_row_and_what_it_kept_of_other_columns() -> None:
    bought = [
        Subscription(subscription_id=f"A{year}", starts_on=date(year, 1, 1), amount=Decimal("480"))
        for year in (2025, 2026)
    ]
    extra = {"Moyen": "chèque", "Moyen (A2025)": "virement"}
    fact = ended(record_id="adherent:12", subscriptions=tuple(bought), extra=extra)
    written = write(fact, "dolibarr")
    assert (written.file, written.left_out) == ("Dolibarr members", ("ended_on",))
    assert [(cell(written, "Id adhésion", n), cell(written, "Moyen", n)) for n in (0, 1)] == [
        ("A2026", "chèque"),
        ("A2025", "virement"),
    ]
    assert (cell(written, "ID adhérent"), cell(written, "Montant"), cell(written, "État")) == ("12", "480,00", "0")
    assert written.columns.count("Date fin adhésion") == 2


def test_an_ended_term_stays_so_when_a_newer_one_runs() -> None:
    bought = [Subscription(subscription_id=f"M{year}", starts_on=date(year, 1, 1)) for year in (2025, 2026)]
    fact = ended(record_id="membership:12", same_as="12", status="active", subscriptions=tuple(bought))
    written = write(fact, "civicrm")
    assert [cell(written, "Membership Status", n) for n in (0, 1)] == ["Expired", "Current"]


def test_nobody_is_subscribed_to_a_letter_who_never_was_asked() -> None:
    new = ended(record_id=IDS[4])
    letter = "Inscription à la lettre d'information"
    assert cell(write(new, "paheko"), letter) == ""
    assert cell(write(ended(), "paheko"), letter) == "", "who never said yes there is not made to"
    assert cell(write(ended(extra={letter: "Oui"}), "paheko"), letter) == "Oui"
    refuses = ended(record_id=IDS[4], opt_outs=("bulk-email",))
    assert cell(write(refuses, "paheko"), "Inscription à la lettre d'information") == "Non"


def test_files_are_written_as_each_product_writes_them() -> None:
    fact = ended(street="1 rue de l’Arbre\nBât. B")
    galette = file_of(kind_for("galette", "12"), [write(fact, "galette")])
    assert galette.startswith('"ID de l\'adhérent";"Nom"'.encode())
    dolibarr = file_of(kind_for("dolibarr", "12"), [write(fact, "dolibarr")])
    assert "1 rue de l’Arbre\\nBât. B".encode("cp1252") in dolibarr
    assert all(line.endswith(b",") for line in dolibarr.splitlines())
    beyond = file_of(kind_for("dolibarr", "12"), [write(ended(city="Łódź"), "dolibarr")])
    assert beyond.startswith(b"\xef\xbb\xbf")


def test_records_of_one_file_share_its_columns() -> None:
    item, other = ended(extra={"Langue": "fr_FR"}), ended(record_id="13", extra={"Couleur": "bleu"})
    content = file_of(kind_for("galette", "12"), [write(item, "galette"), write(other, "galette")])
    header, first, second = csv.reader(io.StringIO(content.decode()), delimiter=";")
    assert header[-2:] == ["Langue", "Couleur"]
    assert (first[-2:], second[-2:]) == (["fr_FR", ""], ["", "bleu"])
