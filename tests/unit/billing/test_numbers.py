"""Numbers and the references of transfers, without a database."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iso11649

from services.billing.documents.numbering import Numbers, reference_of
from tests.support.examples import examples


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(["", "A", "TRB2", "Z9"]), st.sampled_from(["invoice", "credit-note"]), st.integers(1, 10**7))
def test_a_reference_is_one_that_banks_accept(prefix: str, kind: str, place: int) -> None:
    numbers = Numbers(prefix=prefix, kind=kind, issued_on=date(2027, 1, 4), first=place, issued_at=0)
    reference = reference_of(numbers.number(0))
    assert iso11649.is_valid(reference)
    assert reference.endswith(numbers.number(0).replace("-", ""))
