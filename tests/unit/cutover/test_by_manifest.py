"""What a manifest lists against what we hold: pure."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Fact
from schemas.catalogue import FACTS
from schemas.cutover import ManifestRecorded
from schemas.digests import record_digest
from services.cli.registry import definition_of
from services.cutover.manifests import Listed, Manifest
from services.cutover.parity.by_manifest import MORE, MOST_KEPT, ManifestComparison
from services.cutover.parity.compare import Difference, Result, compare, context_fields
from tests.support.builders import a_payment, an_invoice

KINDS = ("invoice", "payment")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
Stored = dict[tuple[str, str], Fact]

amounts = st.sampled_from(["0", "120", "120.00", "-0.00", "120.5"])
invoices = st.builds(
    lambda net, label, version: an_invoice(invoice_id="?", net=Decimal(net), label=label, version=version),
    amounts, st.sampled_from([None, "", "dues"]), st.integers(0, 3),
)  # fmt: skip
sides = st.dictionaries(st.tuples(st.just("invoice"), st.sampled_from("ABCDE")), invoices, max_size=5)


@dataclass(frozen=True)
class Stated:
    """A manifest, and the records that it lists."""

    manifest: Manifest
    records: dict[tuple[str, str], Listed]


def stated(
    counts: dict[str, int], records: dict[tuple[str, str], Listed], contradicted: tuple[str, ...] = ()
) -> Stated:
    numbers = Counter(kind for kind, _ in records)
    return Stated(Manifest(17, NOW, counts, numbers, frozenset(contradicted)), records)


def a_manifest(counts: dict[str, int] | None = None, contradicted: tuple[str, ...] = (), **listed: Listed) -> Stated:
    return stated(counts or {}, {("invoice", item_id): item for item_id, item in listed.items()}, contradicted)


def compared(theirs: Stated, our: Stored, *, ours: bool = False, most: int = MOST_KEPT) -> Result:
    comparison = ManifestComparison(theirs.manifest, KINDS, ours, most)
    for (kind, item_id), fact in our.items():
        comparison.add_ours(kind, item_id, fact, theirs.records.get((kind, item_id)))
    for kind, item_id in sorted(theirs.records.keys() - our.keys())[:most]:
        comparison.lacks(kind, item_id, theirs.records[kind, item_id])
    return comparison.result()


def only(result: Result) -> Difference:
    (difference,) = result.differences
    return difference


def facing(listed: Listed, fact: Fact, *, ours: bool = False) -> Result:
    return compared(a_manifest(A=listed), {("invoice", "A"): fact}, ours=ours)


@given(sides, sides)
def test_digests_find_what_a_whole_comparison_finds(theirs: Stored, ours: Stored) -> None:
    listed = {key: Listed(None, record_digest(fact)) for key, fact in theirs.items()}

    by_digest = compared(stated({}, listed), ours)

    assert [(difference.what, difference.item_id) for difference in by_digest.differences] == [
        (difference.what, difference.item_id) for difference in compare(theirs, ours).differences
    ]
    assert (by_digest.counts["invoice"].there, by_digest.counts["invoice"].here) == (len(theirs), len(ours))


def test_with_neither_version_nor_digest_only_presence_counts() -> None:
    assert facing(Listed(), an_invoice(version=9)).differences == []
    assert only(compared(a_manifest(A=Listed()), {})).what == "missing-here"
    lacking = only(compared(a_manifest(), {("invoice", "A"): an_invoice(label="dues")}))
    assert (lacking.what, lacking.there, (lacking.here or {})["label"]) == ("missing-there", None, "dues")


def test_a_smaller_version_there_was_changed_since() -> None:
    for listed in (Listed(6), Listed(6, "0" * 64)):
        result = facing(listed, an_invoice(version=7))
        assert result.differences == []
        assert result.counts["invoice"].newer_here == 1


IMPORTED = 1_795_426_200_000_000
"""A time in microseconds, as an import gives its records."""


def test_a_number_there_tells_nothing_of_a_time_here_until_we_are_the_authority() -> None:
    for listed in (Listed(3), Listed(3, "0" * 64)):
        item = facing(listed, an_invoice(version=IMPORTED))
        assert only(item).what == "different"
        assert item.counts["invoice"].newer_here == 0
        assert only(facing(Listed(IMPORTED, "0" * 64), an_invoice(version=3), ours=True)).what == "different"
        written = facing(listed, an_invoice(version=IMPORTED), ours=True)
        assert (written.differences, written.counts["invoice"].newer_here) == ([], 1)
    earlier = facing(Listed(IMPORTED - 1, "0" * 64), an_invoice(version=IMPORTED))
    assert (earlier.differences, earlier.counts["invoice"].newer_here) == ([], 1)


def test_a_larger_version_there_has_not_arrived() -> None:
    difference = only(facing(Listed(8), an_invoice(version=7, label="dues")))
    assert (difference.fields, difference.there) == (("version",), {"version": 8})
    assert context_fields(difference)["label"] == "dues"
    assert (difference.here or {})["version"] == 7

    both = only(facing(Listed(8, "0" * 64), an_invoice(version=7)))
    assert both.fields == ("version", "digest")


def test_the_same_version_with_another_content_is_different() -> None:
    fact = an_invoice(version=7)
    difference = only(facing(Listed(7, "0" * 64), fact))
    assert (difference.fields, difference.there) == (("digest",), {"digest": "0" * 64})
    assert (difference.here or {})["digest"] == record_digest(fact)


def test_the_same_content_is_the_same_whatever_its_versions() -> None:
    fact = an_invoice(version=7)
    for version in (6, 7, 8, None):
        result = facing(Listed(version, record_digest(fact)), fact)
        assert (result.differences, result.counts["invoice"].newer_here) == ([], 0)


@pytest.mark.parametrize(("number", "results"), [(2, []), (3, [("different", {"count": 3}, {"count": 2})])])
def test_a_kind_that_is_only_counted_is_compared_by_its_count(number: int, results: list[Any]) -> None:
    ours: Stored = {("invoice", "A"): an_invoice(), ("invoice", "B"): an_invoice()}
    result = compared(a_manifest({"invoice": number}), ours)
    assert [(difference.what, difference.there, difference.here) for difference in result.differences] == results
    assert (result.counts["invoice"].there, result.counts["invoice"].here) == (number, 2)


def test_what_is_not_spoken_of_is_not_held_there() -> None:
    ours: Stored = {("payment", "P"): a_payment()}
    assert only(compared(a_manifest(), ours)).what == "missing-there"
    assert only(compared(a_manifest({"payment": 0}), ours)).what == "missing-there"


def test_a_manifest_that_contradicts_itself_is_told() -> None:
    ours: Stored = {("invoice", "A"): an_invoice()}
    difference = only(compared(a_manifest({"invoice": 2}, A=Listed()), ours))
    assert (difference.kind, difference.item_id, difference.what) == ("manifest", "invoice", "unreadable")
    assert difference.there == {"count": 2, "listed": 1}
    assert set(difference.why or {}) == set(difference.fields)
    other = only(compared(a_manifest({"invoice": 1}, ("invoice",), A=Listed()), ours))
    assert "different numbers" in (other.why or {})["count"]


def test_an_accepted_difference_is_the_same_while_both_sides_stay() -> None:
    fact = an_invoice(version=7, label="dues")
    difference = only(facing(Listed(7, "0" * 64), fact))
    again = only(facing(Listed(7, "0" * 64), fact.model_copy(update={"version": 7})))
    assert difference.digest == again.digest
    assert difference.digest != only(facing(Listed(7, "1" * 64), fact)).digest
    assert difference.digest != only(facing(Listed(7, "0" * 64), fact.model_copy(update={"label": "dues 2026"}))).digest


@pytest.mark.parametrize("lacking", [0, 2, 5])
@pytest.mark.parametrize("surplus", [0, 2, 5])
def test_of_too_many_differences_the_number_is_a_difference_itself(lacking: int, surplus: int) -> None:
    ours: Stored = {("invoice", f"H{number}"): an_invoice() for number in range(surplus)}
    result = compared(a_manifest(None, (), **{f"T{number}": Listed() for number in range(lacking)}), ours, most=3)
    listed = [difference for difference in result.differences if difference.fields != (MORE,)]
    more = [difference for difference in result.differences if difference.fields == (MORE,)]
    assert len(listed) == min(3, lacking + surplus)
    assert [difference.there for difference in more] == (
        [{MORE: lacking + surplus - 3}] if lacking + surplus > 3 else []
    )


def test_a_manifest_lists_no_more_records_than_a_service_can_compare() -> None:
    fact = next(kind for kind in MANIFESTS if kind.service == "billing")
    fits, over = ([{"kind": "invoice", "id": str(number)} for number in range(count)] for count in (2_000, 2_001))
    assert fact.model_validate({"version": 1, "parts": 1_000, "records": fits}).parts == 1_000
    with pytest.raises(ValueError, match="at most 2,000,000 records: of 1000 parts each has at most 2,000"):
        fact.model_validate({"version": 1, "parts": 1_000, "records": over})


MANIFESTS = [fact for fact in FACTS if issubclass(fact, ManifestRecorded)]


@pytest.mark.parametrize("fact", MANIFESTS, ids=[fact.__name__ for fact in MANIFESTS])
def test_manifests_may_name_just_the_kinds_that_are_mirrored(fact: type[ManifestRecorded]) -> None:
    kinds = {kind.name for kind in definition_of(fact.service).mirrored}
    (record,) = [item for item in get_args(fact.model_fields["records"].annotation) if item is not ...]
    assert set(get_args(record.model_fields["kind"].annotation)) == kinds
    assert set(get_args(get_args(fact.model_fields["counts"].annotation)[0])) == kinds
