import csv
import hashlib
import json
from datetime import date
from pathlib import Path
from random import Random

import phonenumbers
import pytest
from pydantic import ValidationError
from stdnum.fr import siren, siret, tva

from deploy.demo import companies, exports, words
from deploy.demo.generate import ADHERENTS, DYNAMIC_FIELDS, SUBSCRIPTIONS, THIRD_PARTIES, Generated, generate
from schemas.base import Fact
from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.events import EventRecorded, RegistrationRecorded

FACTS: dict[str, type[Fact]] = {
    "invoices": InvoiceRecorded,
    "payments": PaymentRecorded,
    "events": EventRecorded,
    "registrations": RegistrationRecorded,
    "consents": ConsentRecorded,
    "mailings": MailingRecorded,
}
REASONS = ["name missing", "impossible date", "too few cells", "too many cells", "duplicate id with other content"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    return generate(tmp_path_factory.mktemp("demo"))


def read_dolibarr(path: Path) -> list[list[str]]:
    rows = list(csv.reader(path.read_bytes().decode("cp1252").splitlines()))
    assert all(row[-1] == "" for row in rows), "every line ends in a separator"
    return [row[:-1] for row in rows]


def read_galette(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_bytes().decode("utf-8").split("\r\n")[:-1], delimiter=";"))


def good(made: Generated, name: str) -> list[list[str]]:
    """Rows below the header that are not planted."""
    rows = (read_galette if name == ADHERENTS else read_dolibarr)(made.paths[name])
    bad = {row.line for row in made.bad[name]}
    return [row for line, row in enumerate(rows, 1) if line > 1 and line not in bad]


def digest(made: Generated) -> dict[str, str]:
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in made.paths.items()}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_others(made: Generated, tmp_path: Path) -> None:
    again, other = generate(tmp_path / "again"), generate(tmp_path / "other", seed=7)
    assert digest(again) == digest(made)
    assert (again.pairs, again.bad, again.companies) == (made.pairs, made.bad, made.companies)
    assert not set(digest(other).values()) & set(digest(made).values())


def test_nothing_lies_after_the_anchor(tmp_path: Path) -> None:
    made = generate(tmp_path, anchor=date(2025, 2, 3))
    for name in ("payments", "invoices"):
        for line in made.paths[f"numelink/{name}.jsonl"].read_text("utf-8").splitlines():
            day = json.loads(line).get("paid_on" if name == "payments" else "issued_on")
            assert day <= "2025-02-03" or "-02-31" in day


def test_dolibarr_is_windows_1252_with_a_trailing_separator(made: Generated) -> None:
    for name, header in ((THIRD_PARTIES, exports.THIRD_PARTY_HEADER), (SUBSCRIPTIONS, exports.MEMBER_HEADER)):
        raw = made.paths[name].read_bytes()
        assert tuple(read_dolibarr(made.paths[name])[0]) == header
        assert b"\r" not in raw
        assert b"\x92" in raw, "a typographic apostrophe, which ISO-8859-1 does not have"
        assert rb"\n" in raw, "a line break inside a cell, as two characters"
        with pytest.raises(UnicodeDecodeError):
            raw.decode("utf-8")
        assert {len(row) for row in good(made, name)} == {len(header)}
    assert exports.MEMBER_HEADER.count("Date fin adhésion") == 2
    assert [f"Identifiant professionnel {n}" in exports.THIRD_PARTY_HEADER for n in range(1, 7)] == [True] * 6


def test_galette_is_utf_8_quoted_with_crlf(made: Generated) -> None:
    raw = made.paths[ADHERENTS].read_bytes()
    assert raw.count(b"\r\n") == raw.count(b"\n") == made.rows[ADHERENTS] + 1
    header = read_galette(made.paths[ADHERENTS])[0]
    assert tuple(header) == exports.GALETTE_HEADER
    assert {"Nom ", "Région\u202f", "Date d’échéance "} <= set(header)
    assert not {"SIRET", "N° TVA", "APE", "Site web"} & set(header), "these are in a table of their own"
    for line in raw.decode().split("\r\n")[:-1]:
        assert line.startswith('"')
        assert line.endswith('"')
    assert {len(row) for row in good(made, ADHERENTS)} == {len(header)}


@pytest.mark.parametrize("name", [THIRD_PARTIES, SUBSCRIPTIONS, ADHERENTS])
def test_the_planted_rows_are_where_they_are_said_to_be(made: Generated, name: str) -> None:
    rows = (read_galette if name == ADHERENTS else read_dolibarr)(made.paths[name])
    assert len(rows) == made.rows[name] + 1
    assert len(made.bad[name]) == len(REASONS)
    for bad, reason in zip(made.bad[name], REASONS, strict=True):
        assert bad.reason.startswith(reason)
        row = rows[bad.line - 1]
        assert (len(row) < len(rows[0])) == (reason == "too few cells")
        assert (len(row) > len(rows[0])) == (reason == "too many cells")
        assert ("2023-02-31" in row or "31/02/2023" in row) == (reason == "impossible date")
        known = row[0] in {other[0] for other in rows[1 : bad.line - 1]}
        assert known == reason.startswith("duplicate")


def test_a_member_of_dolibarr_is_not_numbered_as_its_third_party(made: Generated) -> None:
    party = {row[1]: row[0] for row in good(made, THIRD_PARTIES)}
    name_at = exports.MEMBER_HEADER.index("Société")
    member = {row[name_at]: row[0] for row in good(made, SUBSCRIPTIONS) if row[name_at]}
    both = party.keys() & member.keys()
    assert len(both) > 250
    assert sum(party[name] == member[name] for name in both) < 15
    assert set(party.values()) & set(member.values()), "the numbers of the two overlap, and mean other companies"


def test_the_counts_are_true(made: Generated) -> None:
    tiers, members = {row[0] for row in good(made, THIRD_PARTIES)}, {row[0] for row in good(made, SUBSCRIPTIONS)}
    adherents = {row[0] for row in good(made, ADHERENTS)}
    assert len(tiers) == len(members) == len(adherents) == 300
    assert tiers & adherents, "ids of both clusters overlap: they mean nothing alone"
    assert made.overlap == 60
    assert made.companies == 540
    assert {pair.clustr_id for pair in made.pairs} <= tiers
    assert {pair.numelink_id for pair in made.pairs} <= adherents
    assert {(hard.clustr_id, hard.numelink_id) for hard in made.hard_negatives}.isdisjoint(
        (pair.clustr_id, pair.numelink_id) for pair in made.pairs
    )
    assert {hard.kind for hard in made.hard_negatives} == {"near names", "agency domain"}
    assert set(made.paid_twice) < set(made.pairs)


def dynamic(made: Generated) -> dict[str, dict[str, str]]:
    """The fields that the association added, by member and name."""
    names = {str(number): name for name, number in exports.DYNAMIC_FIELDS.items()}
    result: dict[str, dict[str, str]] = {}
    for item, field, form, _, value in read_galette(made.paths[DYNAMIC_FIELDS])[1:]:
        assert form == "adh"
        result.setdefault(item, {})[names[field]] = value
    return result


def sirens(row: list[str], at: tuple[int, ...]) -> set[str]:
    """The valid SIRENs that a row carries in any form."""
    texts: set[str] = set()
    for text in (row[place] for place in at):
        for valid, start in ((siren, 0), (siret, 0), (tva, 2)):
            if valid.is_valid(text):
                number = tva.compact(text) if valid is tva else text.replace(" ", "")
                # python-stdnum's compact form of a VAT number has no country prefix.
                texts.add(number[-9:] if start else number[:9])
    return texts


def test_the_siren_is_on_both_sides_of_two_thirds_of_the_pairs(made: Generated) -> None:
    ours = {row[0]: sirens(row, (19, 20, 25)) for row in good(made, THIRD_PARTIES)}
    added = dynamic(made)
    written = {row[0]: added.get(row[0], {}) for row in good(made, ADHERENTS)}
    theirs = {key: sirens([own.get("SIRET", ""), own.get("N° TVA", "")], (0, 1)) for key, own in written.items()}
    for pair in made.pairs:
        assert (ours[pair.clustr_id] == theirs[pair.numelink_id] != set()) == pair.siren_on_both
    assert sum(pair.siren_on_both for pair in made.pairs) == 39
    shared = {pair.clustr_id: ours[pair.clustr_id] | theirs[pair.numelink_id] for pair in made.pairs}
    everything = [number for numbers in (*ours.values(), *theirs.values()) for number in numbers]
    assert all(number.startswith("16") for number in everything)
    assert all(len(numbers) <= 1 for numbers in shared.values())


def test_pairs_are_spelt_differently(made: Generated) -> None:
    ours = {row[0]: row[1] for row in good(made, THIRD_PARTIES)}
    theirs = {row[0]: row[4] for row in good(made, ADHERENTS)}
    assert all(ours[pair.clustr_id] != theirs[pair.numelink_id] for pair in made.pairs)
    changes = {change for pair in made.pairs for change in pair.changes}
    assert {"legal form", "accents lost", "word order", "acronym", "brand", "case", "typo"} <= changes
    assert {"other phone", "other e-mail", "SIREN missing", "SIREN mistyped"} <= changes


def test_the_dirt_is_there(made: Generated) -> None:
    tiers, adherents = good(made, THIRD_PARTIES), good(made, ADHERENTS)
    members = {row[0]: row for row in good(made, SUBSCRIPTIONS)}.values()
    assert any(" " in row[19].strip() for row in tiers)
    assert any(row[16].startswith("+33 (0)") for row in tiers)
    assert any(len(row[10]) == 4 for row in adherents)
    assert any(row[18] and row[18].count("@") != 1 for row in tiers)
    assert any(row[14] in words.COUNTRIES_THAT_ARE_NOT for row in tiers)
    assert any(len(row[1]) == 300 for row in tiers)
    assert any(row[7] == "phy" for row in members)
    assert {row[21] for row in members} == {"1", "-1", "0"}
    assert any(row[29] == "5" for row in members), "an exempt member"
    assert {row[25] for row in adherents} == {"Oui", "Non"}


def test_nobody_real_can_be_reached(made: Generated) -> None:
    fiction = {"046571", "019900", "026191", "035301", "053649", "063998"}
    columns = {THIRD_PARTIES: (18, (16,), 29), SUBSCRIPTIONS: (19, (16, 18), None), ADHERENTS: (16, (14, 15), None)}
    assert all(".example" in own.get("Site web", ".example") for own in dynamic(made).values())
    for name, (email, phones, site) in columns.items():
        for row in good(made, name):
            assert not row[email] or row[email].lower().endswith(".example")
            assert site is None or not row[site] or ".example" in row[site]
            for number in filter(None, (row[place] for place in phones)):
                digits = "0" + "".join(filter(str.isdigit, number))[-9:]
                assert digits[:6] in fiction
                # The mobile range for fiction is one that libphonenumber does not know as French.
                mobile = digits.startswith("06")
                assert mobile or phonenumbers.is_valid_number(phonenumbers.parse(number, "FR"))


@pytest.mark.parametrize("cluster", companies.CLUSTERS)
@pytest.mark.parametrize("kind", FACTS)
def test_lines_are_valid_but_the_planted_ones(made: Generated, cluster: str, kind: str) -> None:
    name = f"{cluster}/{kind}.jsonl"
    bad = {row.line for row in made.bad[name]}
    assert len(bad) == (4 if kind in ("invoices", "payments") else 2)
    lines = made.paths[name].read_text("utf-8").splitlines()
    assert len(lines) == made.rows[name]
    for number, line in enumerate(lines, 1):
        if number in bad:
            with pytest.raises(ValidationError):
                FACTS[kind].model_validate_json(line)
        else:
            FACTS[kind].model_validate_json(line)


def facts(made: Generated, cluster: str, kind: str) -> list[dict[str, str]]:
    name = f"{cluster}/{kind}.jsonl"
    bad = {row.line for row in made.bad[name]}
    lines = made.paths[name].read_text("utf-8").splitlines()
    return [json.loads(line) for number, line in enumerate(lines, 1) if number not in bad]


@pytest.mark.parametrize("cluster", companies.CLUSTERS)
def test_facts_name_members_and_each_other(made: Generated, cluster: str) -> None:
    name = THIRD_PARTIES if cluster == companies.CLUSTR else ADHERENTS
    members = {row[0] for row in good(made, name)}
    result = {kind: facts(made, cluster, kind) for kind in FACTS}
    for kind in ("invoices", "payments", "registrations", "consents"):
        assert {fact["record_id"] for fact in result[kind]} <= members
    assert {fact["event_id"] for fact in result["registrations"]} <= {fact["event_id"] for fact in result["events"]}
    assert {fact["invoice_id"] for fact in result["payments"]} <= {fact["invoice_id"] for fact in result["invoices"]}
    assert {fact["kind"] for fact in result["invoices"]} == {"invoice", "credit-note"}
    assert {fact["status"] for fact in result["invoices"]} == {"issued", "paid", "cancelled"}
    against = {
        fact["record_id"]
        for fact in result["consents"]
        if fact["channel"] == "bulk-email" and fact["status"] != "granted"
    }
    assert against == made.opted_out[cluster]
    assert all(against.isdisjoint(fact["recipients"]) for fact in result["mailings"])


@pytest.mark.parametrize("cluster", companies.CLUSTERS)
def test_invoice_numbers_follow_dates_without_a_gap(made: Generated, cluster: str) -> None:
    series: dict[str, list[tuple[int, str]]] = {}
    for fact in facts(made, cluster, "invoices"):
        prefix, number = fact["number"].split("-")
        series.setdefault(prefix, []).append((int(number), fact["issued_on"]))
    for numbered in series.values():
        assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
        assert [day for _, day in numbered] == sorted(day for _, day in numbered)


@pytest.mark.parametrize(("members", "overlap"), [(1, 0.0), (1, 1.0), (7, 0.5), (130, 1.0)])
def test_any_size_and_overlap_will_do(tmp_path: Path, members: int, overlap: float) -> None:
    made = generate(tmp_path, members=members, overlap=overlap)
    assert made.companies == 2 * members - made.overlap
    assert made.overlap == round(members * overlap)


def test_every_root_is_spelt_once() -> None:
    count = len(words.HEADS) * len(words.MIDDLES) * len(words.TAILS)
    roots = companies.make_roots(Random(1), count)
    assert len({companies.plain(root).lower() for root in roots}) == count
