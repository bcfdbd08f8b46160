"""A comparison as a page, and the kinds that are compared."""

from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from schemas.base import Fact
from schemas.catalogue import RECORDED
from services import SERVICES
from services.cli.importing.export import Export, read_export
from services.cli.importing.reading import FormerSystem, open_files
from services.cli.registry import definition_of
from services.cutover.manifests import Listed, Manifest
from services.cutover.parity.by_manifest import ManifestComparison
from services.cutover.parity.compare import Difference, Sides
from services.cutover.parity.html_report import SHOWN, page
from services.cutover.parity.run import Acceptance, Run, RunDifference
from tests.support.builders import an_invoice

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
EVIL = '"><script>alert(1)</script>'


class Balanced(HTMLParser):
    """Tags that were opened and not closed, and text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def a_run(*result: RunDifference) -> Run:
    sums = {"invoice": {2026: Sides(Decimal("1200.50"), Decimal("-3"))}}
    still = sum(item.accepted is None for item in result)
    accepted = len(result) - still
    return Run(7, "numelink", AT, EVIL, [EVIL], {"invoice": Sides(2, 1)}, sums, still, accepted, result)


def found(number: int = 1, accepted: Acceptance | None = None, owner: str | None = None) -> RunDifference:
    difference = Difference("invoice", f"F{number}{EVIL}", "different", ("label",), {"label": EVIL}, {"label": None})
    return RunDifference(difference, difference.digest, owner, accepted)


def test_nothing_that_anybody_wrote_is_markup() -> None:
    read = Balanced(page(f"numelink/{EVIL}", a_run(found(1, Acceptance(EVIL, EVIL, AT)), found(2, None, EVIL)), [EVIL]))

    assert read.open == []
    assert not read.tags & {"script", "img", "link", "iframe", "a"}
    assert read.text.count(EVIL) >= 8


def test_the_page_tells_both_languages_and_every_sum() -> None:
    text = Balanced(page("numelink/billing", a_run(found()))).text

    for published in (
        "Écarts ouverts : 1",
        "Open: 1",
        "Factures",
        "Invoices",
        "1\u202f200,50",
        "−1\u202f203,50",
        "Diffère",
    ):
        assert published in text, published
    assert "Conforme : aucun écart" in page("numelink/billing", a_run())


def test_a_record_that_one_side_lacks_is_told_whole_in_one_row() -> None:
    missing = Difference("invoice", "F1", "missing-here", (), {"number": "A", "label": EVIL}, None)
    text = page("numelink/billing", a_run(RunDifference(missing, missing.digest, None, None)))

    assert Balanced(text).open == []
    assert f"number A · label {EVIL}" in Balanced(text).text


def test_what_a_manifest_tells_is_shown_beside_what_is_held() -> None:
    fact = an_invoice(invoice_id="F1", label=EVIL, version=7)
    manifest = Manifest(17, AT, {"invoice": 3, "payment": 2}, {"invoice": 4})
    comparison = ManifestComparison(manifest, ["invoice", "payment"], most=1)
    comparison.add_ours("invoice", "F1", fact, Listed(8, "ab" * 32))
    comparison.lacks("invoice", "F2", Listed())
    result = comparison.result()
    counts = {**result.counts, "invoice": Sides(3, 1, newer_here=4)}
    differences = [RunDifference(difference, difference.digest, None, None) for difference in result.differences]
    text = page(
        "numelink/billing", Run(7, "numelink", AT, "us", [], counts, {}, len(differences), 0, differences, manifest=17)
    )

    read = Balanced(text)
    assert read.open == []
    for published in ("Manifeste Manifest : 17", "abababababab…", "contenu content", f"label {EVIL}",
                 "Plus récents chez nous", "se contredit", "it does not list as many",
                 "autres écarts, non énumérés"):  # fmt: skip
        assert published in read.text, published
    assert "ab" * 32 not in text
    assert "Ligne illisible" not in read.text


def test_a_page_does_not_grow_without_end() -> None:
    text = page("numelink/billing", a_run(*(found(number) for number in range(SHOWN + 20))))

    assert text.count("F1&quot;") == 1
    assert "+ 20 (--json)" in text


@pytest.mark.parametrize("service", SERVICES)
def test_every_fact_of_a_former_system_is_compared(service: str) -> None:
    kinds = definition_of(service).mirrored
    known: set[type[Fact]] = {kind.fact for kind in kinds} | {kind.removal for kind in kinds if kind.removal}

    assert known == {fact for fact in RECORDED if fact.service == service}
    assert all(kind.key == list(kind.fact.model_fields)[1] for kind in kinds)


def exported(folder: Path, service: str, **files: str) -> Export:
    paths: list[Path] = []
    for name, content in files.items():
        path = folder / f"{name}.csv"
        path.write_text(content, "utf-8")
        paths.append(path)
    return read_export(definition_of(service).mirrored, open_files(FormerSystem("numelink", service), paths))


def test_of_two_words_on_one_record_the_newer_counts(tmp_path: Path) -> None:
    header = "record_id;name;city;version\n"
    export = exported(tmp_path, "membership", a=f"{header}M1;Forges;Lyon;2\n", b=f"{header}M1;Forges;Roanne;1\n")

    assert export.facts["member", "M1"].model_dump()["city"] == "Lyon"
    assert export.kinds == {"member"}


def test_a_row_with_several_faults_is_one_difference(tmp_path: Path) -> None:
    rows = "payment_id;record_id;paid_on;amount\nP1;M1;yesterday;much\nP2;M1;2026-01-02;1\n;M1;2026-01-02;x\n"
    export = exported(tmp_path, "billing", payments=rows)

    assert [difference.item_id for difference in export.unreadable] == ["P1", "payments.csv: line 4"]
    assert export.unreadable[0].there == {"amount": "much", "paid_on": "yesterday"}
    assert set(export.facts) == {("payment", "P2")}
