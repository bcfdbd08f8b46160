"""How many examples a property is tried with: all of them in `make faults`, a tenth in `make unit` and `make test`."""

from hypothesis import settings

QUICK = "quick"
"""The profile of `make unit` and `make test`: `pytest --hypothesis-profile=quick`."""
LEAST = 10


def examples(many: int, least: int = LEAST) -> int:
    """For ``@settings(max_examples=examples(300))``. Tests are imported after the profile was chosen."""
    return min(many, max(least, many // 10)) if settings.get_current_profile_name() == QUICK else many
