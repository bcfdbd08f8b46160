"""What the answers look like: for OpenAPI. They are written as they are stored or read, not through these."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Listed(BaseModel):
    """One member in a list."""

    id: str
    name: str | None
    brand: str | None
    siren: str | None
    city: str | None
    departement: str | None
    clusters: list[str]
    lineages: list[str]
    paid_until: date | None
    paid_up: bool
    active: bool


class Page(BaseModel):
    """Members by name; ``next`` goes into ``after`` to read on, and is null on the last page."""

    items: list[Listed]
    next: str | None
    total: int | None = None


class Member(BaseModel):
    """A consolidated view. A field that anybody filled is ``{value, said_by, others?}``; others are missing."""

    model_config = ConfigDict(extra="allow")

    id: str
    former_ids: list[str]
    clusters: list[str]
    lineages: list[str]
    paid_until: date | None
    memberships: list[dict[str, Any]]
    dues: dict[str, Any]
    registrations: list[dict[str, Any]]
    consents: dict[str, Any]
    mailings: list[dict[str, Any]]
    sources: list[dict[str, Any]]


class Happening(BaseModel):
    """One entry of a timeline: ``on`` a day or ``at`` an instant; ``from`` names the source record."""

    model_config = ConfigDict(extra="allow")

    kind: str
    what: str
    on: date | None = None
    at: datetime | None = None


class Timeline(BaseModel):
    """Newest first; ``next`` goes into ``after``."""

    items: list[Happening]
    next: str | None


class Doubt(BaseModel):
    """What is doubtful about a value, and the value as written."""

    field: str
    code: str
    meaning: str
    written: str | None


class Source(BaseModel):
    """A former system's record: as written there, as understood here."""

    cluster: str
    record_id: str
    member_id: str
    version: int
    written: dict[str, Any]
    understood: dict[str, Any]
    problems: list[Doubt]


class Sources(BaseModel):
    """All records that are one member."""

    id: str
    items: list[Source]


class Count(BaseModel):
    """Members, each counted once here; ``code`` is null where it is unknown."""

    members: int
    active: int
    paid_up: int


class CountFor(Count):
    """The members of one cluster, lineage or département."""

    code: str | None
    name: str | None


class Statistics(BaseModel):
    """A member of two clusters counts in both, and once in the total."""

    on: date
    total: Count
    in_several_clusters: Count
    clusters: list[CountFor]
    lineages: list[CountFor]
    departements: list[CountFor]
