"""What a process of membership remembers does not grow with the members: every cache has a small bound."""

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

from services import membership
from services.membership.matching.keys import keys
from tests.unit.membership.matching.builders import a_company

MOST = 8_192
"""Entries of one cache: what a few batches of an import need."""


def _caches() -> Iterator[tuple[str, Callable[..., Any]]]:
    for module in pkgutil.walk_packages(membership.__path__, f"{membership.__name__}."):
        if ".migrations" not in module.name:
            for name, value in vars(import_module(module.name)).items():
                if hasattr(value, "cache_info") and value.__module__ == module.name:
                    yield f"{module.name}.{name}", value


CACHES = dict(_caches())


def test_caches_are_seen() -> None:
    assert "services.membership.matching.trigrams.trigrams" in CACHES
    assert "services.membership.records.record._own_id" in CACHES


@pytest.mark.parametrize("name", CACHES)
def test_a_cache_is_bounded(name: str) -> None:
    most = CACHES[name].cache_parameters()["maxsize"]  # pyright: ignore[reportFunctionMemberAccess]
    if most is None:
        # Of something that is read once.
        assert len(inspect.signature(CACHES[name]).parameters) <= 1
    else:
        assert 0 < most <= MOST


def test_a_full_cache_still_answers() -> None:
    first = a_company("0", name="Lumerinance")
    before = keys(first)
    for number in range(keys.cache_parameters()["maxsize"] + 1):
        keys(a_company(f"{number + 1}", name=f"Lumerinance {number}"))
    assert keys(first) == before
