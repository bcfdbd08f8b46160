"""The European and French schematrons, in a process of their own."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from services.billing.documents import rules
from services.billing.documents.facturx import xml_of
from services.billing.documents.rules import RulesProcess, RulesUnavailableError, Verdict, verdicts
from tests.support.documents import CREDIT, KINDS, TAXED, a_document, a_line


@pytest.fixture(scope="module")
def process() -> Iterator[RulesProcess]:
    with RulesProcess() as running:
        yield running


@pytest.mark.parametrize("different", KINDS.values(), ids=KINDS)
def test_each_kind_of_document_passes_and_many_rules_looked_at_it(
    process: RulesProcess, different: dict[str, Any]
) -> None:
    [verdict] = process.verdicts([xml_of(a_document(**different))])
    assert verdict.failed == ()
    assert verdict.problem == ""
    assert verdict.fired["EN 16931"] > 80
    assert verdict.fired["BR-FR"] > 60


def test_a_credit_of_a_part_whose_vat_is_a_cent_less_than_its_own_passes(process: RulesProcess) -> None:
    amounts = {"net": Decimal("3.33"), "vat": Decimal("0.66"), "gross": Decimal("3.99")}
    part: dict[str, Any] = {"lines": [a_line("3.33", "taxed", "20")], "left": {Decimal(20): Decimal("6.67")}}
    [verdict] = process.verdicts([xml_of(a_document(**TAXED | CREDIT | amounts | part))])
    assert verdict.problem == ""


def test_a_document_that_breaks_a_rule_is_named_with_it_and_without_the_value(process: RulesProcess) -> None:
    good = xml_of(a_document())
    without_mode = good.replace(b">S1<", b">Secret<")
    outside_with_vat_number = good.replace(b'schemeID="FC"', b'schemeID="VA"')
    ours, theirs, fine = process.verdicts([without_mode, outside_with_vat_number, good])
    assert [rule for rule, _ in ours.failed] == ["BR-FR-08_BT-23"]
    assert "BR-FR-08" in ours.problem
    assert "Secret" not in ours.problem
    assert "BR-O-02" in theirs.problem
    assert fine.problem == ""


def test_a_document_that_no_rule_looks_at_is_no_good_one(process: RulesProcess) -> None:
    [verdict] = process.verdicts([xml_of(a_document()).replace(b"uncefact:data", b"uncefact:other")])
    assert verdict.fired == {"EN 16931": 0, "BR-FR": 0}
    assert verdict.problem == "no rule of EN 16931 or BR-FR looked at it"


def test_nothing_is_started_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_COMMAND", ("/nowhere",))
    assert verdicts([]) == []


def test_a_process_that_ends_or_takes_too_long_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_COMMAND", ("sleep", "0"))
    with pytest.raises(RulesUnavailableError, match="says why"):
        verdicts([b"<x/>"])
    monkeypatch.setattr(rules, "_COMMAND", ("sleep", "60"))
    monkeypatch.setattr(rules, "STARTS_WITHIN", 0.1)
    monkeypatch.setattr(rules, "DOCUMENT_WITHIN", 0.1)
    with pytest.raises(RulesUnavailableError):
        verdicts([b"<x/>"])


def test_warnings_are_no_failures_and_all_failures_are_said() -> None:
    assert Verdict({"x": 1}, (("A", "one"), ("B", "two"))).problem == "A: one; B: two"
