"""What has to be judged again when a key moves into another class."""

import pytest

from services.membership.matching.keys import ACRONYM, BEGINNING, NAME, NEAR, SAME, SIREN, TWIN, WORD
from services.membership.matching.term_frequency import Commonness, only_parts

RARE, COMMON, CROWDED = Commonness


@pytest.mark.parametrize("kind", [NEAR, BEGINNING, SIREN, ACRONYM])
def test_a_crowd_of_a_kind_that_says_nothing_only_parts(kind: str) -> None:
    assert only_parts(f"{kind}:x", RARE, CROWDED)
    assert not only_parts(f"{kind}:x", CROWDED, RARE), "those of a former crowd may meet"


@pytest.mark.parametrize("kind", [NAME, WORD])
def test_a_key_that_was_common_only_parts(kind: str) -> None:
    assert only_parts(f"{kind}:x", COMMON, CROWDED)
    assert not only_parts(f"{kind}:x", RARE, CROWDED), "it tells less than before"
    assert not only_parts(f"{kind}:x", RARE, COMMON)
    assert not only_parts(f"{kind}:x", COMMON, RARE)


@pytest.mark.parametrize("kind", [SAME, TWIN])
def test_a_crowd_with_hubs_brings_others_together(kind: str) -> None:
    assert not only_parts(f"{kind}:x", RARE, CROWDED)
