"""Cases for tests of dues: the grid of the merged body, little members full of collisions, and what comes of them."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas.billing_grids import Band, ByHeadcount, Flat, Grid, GridLine
from services.billing.dues.case import Case, Cover, Decision, Key, Record
from services.billing.dues.days import between
from services.billing.fees.headcount import Headcount, headcount_of
from services.billing.fees.pricing import Criteria

A, B = Key("clustr-numerique", "A"), Key("numelink", "B")
YEAR = date(2027, 1, 1)


def amount(text: str) -> Decimal:
    return Decimal(text)


BANDS = ByHeadcount(
    by="headcount",
    bands=tuple(
        Band(up_to=up_to, amount=amount(price))
        for up_to, price in ((9, "320.00"), (25, "600.00"), (50, "900.00"), (None, "1250.00"))
    ),
)
DUES = GridLine(code="dues", label="Cotisation", price=BANDS)
FEE = GridLine(code="joining", label="Droit d'entrée", price=Flat(amount=amount("50.00")), once=True)


def a_grid(**different: Any) -> Grid:
    """The grid of the merged body: months begun count, outside VAT."""
    usual: dict[str, Any] = {"issuer": "merged", "name": "Grille 2027", "valid_from": YEAR, "lines": (DUES,)}
    return Grid(**usual | different)


def a_record(key: Key, heads: str = "12", **different: Any) -> Record:
    criteria = Criteria(headcount_of(heads), different.pop("category", ""))
    usual: dict[str, Any] = {"since": date(2019, 3, 1), "ended": None, "criteria": criteria}
    return Record(key=key, **usual | different)


def a_cover(key: Key, first: date, last: date, source: str = "facture F-1") -> Cover:
    return Cover(key, between(first, last), source)


def a_case(*records: Record, covers: tuple[Cover, ...] = (), decisions: tuple[Decision, ...] = (), **more: Any) -> Case:
    usual: dict[str, Any] = {"grid": a_grid(), "first": YEAR}
    return Case(records=records, covers=covers, decisions=decisions, **usual | more)


# --- strategies -----------------------------------------------------------------------------------------------------

DAYS = st.sampled_from(
    [date(2026, 7, 1), date(2026, 11, 10), date(2026, 12, 31), YEAR, date(2027, 3, 15), date(2027, 5, 31),
     date(2027, 6, 1), date(2027, 6, 30), date(2027, 7, 1), date(2027, 12, 31), date(2028, 6, 30)]
)  # fmt: skip
KEYS = [Key(cluster, name) for cluster in ("clustr-numerique", "numelink") for name in "AB"]
_heads = st.sampled_from([Headcount(n, n) for n in (0, 9, 10, 25, 51)] + [Headcount(), Headcount(10, 20)])
_records = st.builds(
    Record,
    key=st.sampled_from(KEYS),
    since=st.one_of(st.none(), DAYS),
    ended=st.one_of(st.none(), st.none(), DAYS),
    criteria=st.builds(Criteria, headcount=_heads, category=st.sampled_from(["", "École"])),
    exempt=st.sampled_from(["", "", "", "école publique"]),
)
_ranges = st.tuples(DAYS, DAYS).map(lambda two: between(min(two), max(two)))
COVERS = st.lists(st.builds(Cover, key=st.sampled_from(KEYS), days=_ranges, source=st.sampled_from("fg")), max_size=3)
_decisions = st.one_of(
    st.builds(Decision, decision_id=st.uuids().map(str), kind=st.sampled_from(["one-bill", "extension"]),
              key=st.sampled_from(KEYS), reason=st.just("décidé")),
    st.builds(Decision, decision_id=st.uuids().map(str), kind=st.sampled_from(["exempt", "release"]),
              key=st.sampled_from(KEYS), reason=st.just("décidé"), last=DAYS),
    st.builds(Decision, decision_id=st.uuids().map(str), kind=st.sampled_from(["remit", "credit"]),
              key=st.sampled_from(KEYS), reason=st.just("décidé"), first=st.just(YEAR),
              cents=st.sampled_from([1, 5_000, 100_000]), line=st.sampled_from(["", "dues"])),
)  # fmt: skip
DECISIONS = st.lists(_decisions, max_size=3)
_prices = st.sampled_from(
    [BANDS, BANDS.model_copy(update={"unknown": amount("320.00")}), Flat(amount=amount("100.01"))]
)
GRIDS = st.builds(
    a_grid,
    lines=_prices.map(lambda price: (GridLine(code="dues", label="Cotisation", price=price),)),
    prorata=st.sampled_from(["none", "month", "quarter"]),
    begun_counts=st.booleans(),
    ahead_months=st.sampled_from([0, 0, 2]),
    resignation=st.sampled_from(["due", "pro-rata", "quarter"]),
    exempt_categories=st.sampled_from([(), ("École",)]),
)
RECORDS = st.lists(_records, min_size=1, max_size=4, unique_by=lambda record: record.key)
CASES = st.builds(
    Case,
    records=RECORDS.map(tuple),
    covers=COVERS.map(tuple),
    decisions=DECISIONS.map(tuple),
    grid=GRIDS,
    first=st.just(YEAR),
)
