"""`make demo`: what a newcomer runs first must end by itself, well, and say what it found."""

import re
import subprocess
import sys

import pytest


@pytest.mark.timeout(240)
def test_the_demo_ends_well_and_counts_every_row_and_member() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.demo", "--members", "60"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    total = re.search(r"│ all +│ +│ +│ +(\d+) │ +(\d+) │ +(\d+) │", done.stdout)
    assert total, done.stdout
    rows, accepted, set_aside = map(int, total.groups())
    assert rows == accepted + set_aside
    assert set_aside > 10
    assert "In truth there are 108" in done.stdout
    for reason in ("not-json", "missing-user-id", "invalid-field", "newer-version", "not-utf-8", "unrouted"):
        assert reason in done.stdout
    assert "questions wait for staff" in done.stdout
    assert "Taken back, both are what they were, to the last field." in " ".join(done.stdout.split())
    conflicts = re.search(r"(\d+) conflicts that merges brought together", done.stdout)
    in_both = re.search(r"of which (\d+) are in both clusters", done.stdout)
    assert conflicts
    assert in_both
    # Dues are paid twice, if at all, by members of both: a card and its member in one system are none.
    assert 0 < int(conflicts[1]) <= int(in_both[1])
    assert "billing: tresorerie" in done.stdout
    assert "compared with a fresh export: 1 different, 1 missing-here, 1 missing-there" in done.stdout
    assert "a late write waited in quarantine" in done.stdout
    assert "before going back: 2 records were written here" in done.stdout
    assert "rollback: the former system is the authority (overruled: nothing)" in done.stdout
    assert re.search(r"numelink/membership +live +Traboule", done.stdout)
    text = " ".join(done.stdout.split())
    assert re.search(r"gatherings that are open go on here \([1-9]\d*\): [1-9]\d* seats are kept", text)
    assert re.search(r"Léa Martin │ registered │ cancelled │ +│ │ Paul Roux +│ waiting +│ offered", text)
    assert "A grid is tried" in text
    assert "adopted by the treasurer" in text
    assert re.search(r"a run \(appel de cotisations\) issued \d{2} documents", text)
    assert re.search(r"held back: [1-9]\d* records of Numelink", text)
    assert re.search(r"sont un seul membre, qui doit une seule cotisation : [\d,]+ € à créditer", text)
    assert re.search(r"\(fusion de deux fiches\) issued 1 documents, -[\d.]+ €: A-", text)
    assert re.search(r"with its Factur-X inside; payment reference RF\d{2}F\d{10}", text)
    assert re.search(r"the former system read [1-9]\d+ documents from its own queue", text)
    assert text.count("rollback: the former system is the authority (overruled: nothing)") == 2
    assert "a second run would issue 0 documents: nothing is billed twice" in text
    assert re.search(r"a payment of [\d.]+ € pays F-\d{4}-\d{6}; 50\.00 € are free", text)
    books = re.search(r"the books have (\d+) entries: ([\d.]+) € of debits, ([\d.]+) € of credits", text)
    assert books
    assert (int(books[1]) > 10, books[2]) == (True, books[3])
