"""Names of refusals that changed: each still says what it was called in the release before."""

from dataclasses import replace
from typing import Any, cast

import pytest

from services.cli.registry import definition_of
from services.cutover.operations import CutoverError, written_back
from services.gateway.api.cutover_answers import PROBLEM_OF
from services.gateway.problems import ProblemError, as_json
from services.gateway.translations import FORMER_PROBLEMS, PROBLEMS


@pytest.mark.parametrize("kind", sorted(PROBLEMS))
def test_a_problem_says_what_it_was_called_if_that_changed(kind: str) -> None:
    former = FORMER_PROBLEMS.get(kind)
    expected = None if former is None else f"urn:traboule:problem:{former}"
    assert as_json(ProblemError(kind), "en").get("former_type") == expected


def test_no_former_name_is_in_use_and_each_present_name_exists() -> None:
    assert FORMER_PROBLEMS.keys() <= PROBLEMS.keys()
    assert not set(FORMER_PROBLEMS.values()) & PROBLEMS.keys()


async def test_a_service_that_takes_no_commands_has_nothing_to_write_back() -> None:
    nothing_is_read = cast("Any", None)
    definition = replace(definition_of("events"), write_back=None)
    with pytest.raises(CutoverError) as refused:
        await written_back(nothing_is_read, definition, "numelink", after="", limit=1)
    assert PROBLEM_OF[refused.value.kind] == "no-write-back"
