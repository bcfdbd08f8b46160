"""What a test knows to be there."""

import re
from typing import TypeVar

T = TypeVar("T")


def present(value: T | None) -> T:
    """The value. Raises AssertionError where there is none."""
    assert value is not None
    return value


def group_in(pattern: str, text: str) -> str:
    """The first group of the first match. Raises AssertionError where nothing matches."""
    return present(re.search(pattern, text))[1]
