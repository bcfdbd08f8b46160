"""The elements of an array keep their own bytes, and no body makes them slow to find."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.json_array import elements

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values=st.lists(_json, max_size=8), indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_each_element_is_what_a_json_library_reads(values: list[object], indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode()
    assert [json.loads(element) for element in elements(body)] == values


def test_an_element_keeps_its_own_bytes() -> None:
    body = b' [ {"a": 1000000000000000000000000000000, "a":2} ,\t"\\ud800" , 1.50 ]\n'
    assert list(elements(body)) == [b'{"a": 1000000000000000000000000000000, "a":2}', b'"\\ud800"', b"1.50"]


@pytest.mark.parametrize(
    "body", [b"", b"[", b"[1,", b'["a]', b"{}", b"1", b"x[1]", b"[1]x", b"]", b"[1]]", b"\xef\xbb\xbf[1]"]
)
def test_what_is_no_whole_array_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"array|text"):
        list(elements(body))


@pytest.mark.parametrize(
    "body", [b"[" + b'\\"' * 200_000, b'["' + b"\\" * 400_000, b"[" + b'"' * 399_999, b"[" * 400_000]
)
def test_a_body_without_end_takes_time_in_proportion_to_its_length(body: bytes) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=r"array|text"):
        list(elements(body))
    assert time.process_time() - began < 2
