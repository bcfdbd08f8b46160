"""The few kinds of value that facts are made of.

Text is bounded and free of NUL, because PostgreSQL cannot store U+0000 and because a silent truncation loses data:
a value that is too long is refused with its field's name instead.
"""

import time
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

NO_NUL = r"^[^\x00]*$"

Key = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
"""A former system's own id of a record, invoice, event, consent…: 1 to 200 characters, no control character."""

Label = Annotated[str, StringConstraints(max_length=1_000, pattern=NO_NUL)]
"""A line of text as it was written: at most 1,000 characters."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000, pattern=NO_NUL)]
"""A name that must be there: 1 to 1,000 characters once the spaces around it are gone."""

Note = Annotated[str, StringConstraints(max_length=20_000, pattern=NO_NUL)]
"""Free text: at most 20,000 characters."""

_YEAR_IN_MICROSECONDS = 366 * 24 * 3600 * 1_000_000


def whole_number(value: object) -> object:
    """Refuse True, which would count as 1, and 1.0, which has been through a binary float. Text is a number still."""
    if isinstance(value, bool | float):
        raise ValueError("write the version as a whole number")
    return value


def _not_ahead(version: int) -> int:
    # A version that no clock reaches could never be followed by a newer one: the record would be frozen.
    if version > time.time_ns() // 1000 + _YEAR_IN_MICROSECONDS:
        raise ValueError("the version lies more than a year ahead, in µs since 1970: nothing newer could follow it")
    return version


Version = Annotated[int, Field(ge=0, lt=2**63), BeforeValidator(whole_number), AfterValidator(_not_ahead)]
"""The publisher's own sequence number of this record, or the time of its change, in µs since 1970; larger is newer."""


def written_as_text(value: object) -> object:
    """Refuse a JSON number: in most languages it has been through a binary float, and 0.1 + 0.2 is not 0.3 cents."""
    if isinstance(value, float):
        raise ValueError('write amounts as text, such as "1200.00"')
    return value


D = TypeVar("D", bound=date)
_UNREADABLE_DAY = date(1970, 1, 1)
_CENT = Decimal("0.01")


def _within_reach(day: D) -> D:
    if not 1850 <= day.year <= 2200:
        raise ValueError("the year must lie between 1850 and 2200")
    return day


@lru_cache(maxsize=4096)
def _plausible(day: date) -> date:
    # 1970-01-01 is what many systems store for a date that they could not read.
    if day == _UNREADABLE_DAY:
        raise ValueError("1970-01-01 is how many systems write an unreadable date: leave the field out")
    return _within_reach(day)


def _in_utc(moment: datetime) -> datetime:
    # In UTC the first and the last year of the calendar reach beyond it, which no database could store.
    return _within_reach(moment).astimezone(UTC)


def to_the_cent(amount: Decimal) -> Decimal:
    """With two decimals: 1200, 1200.0 and 1200.00 must be told again, years later, under the same id."""
    return amount.quantize(_CENT) + 0


Amount = Annotated[
    Decimal,
    # Not strict, also in a strict body: after a function of Python it would have to be a Decimal already, never text.
    Field(max_digits=12, decimal_places=2, strict=False),
    BeforeValidator(written_as_text),
    AfterValidator(to_the_cent),
]
"""Euros and cents, written as text ("1200.00"); at most 12 digits, 2 of them after the point."""

Total = Annotated[
    Decimal,
    Field(max_digits=24, decimal_places=2),
    BeforeValidator(written_as_text),
    AfterValidator(to_the_cent),
]
"""A sum of amounts, written alike: as many digits as any number of them needs."""

Day = Annotated[date, AfterValidator(_plausible)]
"""A calendar day, ISO 8601 (2026-11-23)."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An instant with its offset from UTC, RFC 3339 (2026-11-23T09:30:00+01:00); kept in UTC."""


class Part(BaseModel):
    """A piece of a fact: frozen, and closed, so that a misspelt field is told and not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Content(Part):
    """What one event carries: a fact, or a command.

    ``type_name`` is the CloudEvents type without its version; ``key`` is the last word of the routing key.
    ``published_as`` is the routing key's first word; None where that is the publishing cluster. ``addressed_by`` is the
    field whose value is one more word at its end, where each message is for one reader alone.
    """

    service: ClassVar[str]
    key: ClassVar[str]
    schema_version: ClassVar[int] = 1
    published_as: ClassVar[str | None] = None
    addressed_by: ClassVar[str | None] = None

    @classmethod
    @cache
    def type_name(cls) -> str:
        """The CloudEvents ``type``: ``fr.traboule.<service>.<key>.v<N>``."""
        return f"fr.traboule.{cls.service}.{cls.key}.v{cls.schema_version}"

    @classmethod
    def binding(cls, to: str | None = None) -> str:
        """The topic pattern of its routing keys: from every cluster's former system, or from the one publisher.

        ``to`` is the one reader whose messages are wanted, where each is addressed; None wants those of all.
        """
        pattern = f"{cls.published_as or '*'}.{cls.service}.{cls.key}"
        return pattern if cls.addressed_by is None else f"{pattern}.{to or '*'}"

    @classmethod
    def publishers(cls, clusters: Collection[str]) -> frozenset[str]:
        """The broker users that may publish it: each cluster's former system for this service, or the one publisher."""
        names = clusters if cls.published_as is None else [cls.published_as]
        return frozenset(f"{name}.{cls.service}" for name in names)


class Fact(Content):
    """Something that happened, published by the system that owns it.

    ``stored_as_json`` names the fields that are objects or lists of them, where a mirror stores it.
    """

    stored_as_json: ClassVar[tuple[str, ...]] = ()

    version: Version


class Announced(Fact):
    """A fact that one of our own services publishes."""

    published_as: ClassVar[str | None] = "traboule"


class Command(Content):
    """A request of staff tools that may be refused: it is applied, or becomes a dead letter that says why not."""

    published_as: ClassVar[str | None] = "staff"


class AnnouncedRecord(Announced):
    """What one of our own services holds now of a former system's record."""

    cluster: Key


class MirroredRecord(AnnouncedRecord):
    """What a service that mirrors former systems holds now of one record, under its former system's own version.

    Of two about one record the one with the larger ``applied_late`` is newer; if these are equal, the larger version.
    """

    applied_late: Version = Field(
        default=0,
        description="How many late messages about it staff applied: each made way with whatever was held before it",
    )


class ForFormerSystem(AnnouncedRecord):
    """What one of our own services tells the former system of one cluster alone: its routing key ends in the cluster.

    No service of ours hears it. Its subscriber is the former system, which has a queue of its own.
    """

    addressed_by: ClassVar[str | None] = "cluster"


class RecordRef(Part):
    """Which source record: the cluster, and the record's id in that cluster's former membership system."""

    cluster: Key
    record_id: Key
