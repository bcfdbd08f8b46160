"""How alike two records are, field by field. A field that one of them lacks says nothing (None)."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from rapidfuzz import fuzz

from services.membership.domain.matching import frequencies, keys
from services.membership.domain.matching.features import Features
from services.membership.domain.matching.names import compare_names
from services.membership.domain.matching.words import GENERIC


class Levels(NamedTuple):
    siren: str | None
    domain: str | None
    email: str | None
    phone: str | None
    name: str | None
    street: str | None
    place: str | None
    naf: str | None
    contact: str | None
    form: str | None
