"""How common a key is among all records, in the few classes that make a difference.

The final groups must depend on the records alone, not on the order in which they came. So what is common is always
what is common *now*: when a record arrives, changes or goes, and a key of it thereby moves into another class, all
pairs that share this key are judged anew (see :mod:`candidates`). Classes, and thresholds that are absolute
numbers, keep that rare and small: a key moves at most a few times in its life, and never among more records than the
largest threshold.
"""

from dataclasses import dataclass
from typing import Final

from services.membership.domain.matching.keys import DOMAIN, EMAIL, ADDRESS, NAME, PHONE, WORD

BLOCK: Final = 30
"""A key that more records share finds nobody: it would cost more than it tells, and the rarer keys are left."""
SHARED_DOMAIN_RECORDS: Final = 5
SHARED_DOMAIN_NAMES: Final = 3
SHARED_PHONE: Final = 3
COMMON_NAME: Final = 3
RARE_WORD: Final = 6


@dataclass(frozen=True, slots=True)
class Frequency:
    """How many records hold a key, and how many names they have; both need to be exact only up to ``BLOCK`` + 1."""

    records: int
    names: int
