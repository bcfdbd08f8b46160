"""How many examples a property is tried with: all of them in `make faults`, a tenth in `make unit` and `make test`."""

from hypothesis import settings

QUICK = "quick"
"""The profile of `make unit` and `make test`: `pytest --hypothesis-profile=quick`."""
LEAST = 20


def examples(many: int) -> int:
    """For ``@settings(max_examples=examples(300))``. Tests are imported after the profile was chosen."""
    return min(many, max(LEAST, many // 10)) if settings.get_current_profile_name() == QUICK else many
