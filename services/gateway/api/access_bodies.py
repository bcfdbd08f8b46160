"""Who gets access to what, as the bodies of requests and answers."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.rights import Right
from services.gateway.api.signed import Line
from services.gateway.auth.people import LONGEST_NAME
from services.gateway.auth.rights import Role

_Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), Line]


def _address(text: str) -> str:
    if text.count("@") != 1 or not text.partition("@")[0] or " " in text:
        raise ValueError("must be an e-mail address")
    return text


Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_address)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenRole(_Closed):
    """A role, in one cluster; in all where it is left out."""

    role: Role
    cluster: str | None = None


class NewPerson(_Closed):
    """A person to let in."""

    name: _Name
    email: Address | None = Field(None, description="an identity provider may know them by it")
    locale: Literal["fr", "en"] = "fr"
    grants: Annotated[list[GivenRole], Field(min_length=1, max_length=20)]


class NewKey(_Closed):
    """An API key for a program."""

    name: _Name
    grants: Annotated[list[GivenRole], Field(min_length=1, max_length=20)]
    days: Annotated[int, Field(ge=1, le=3_650)] = 365
    signs_for_others: bool = Field(False, description="may name one of its own users as the author of what it does")


class Nothing(_Closed):
    """No more is needed."""


class GrantShown(BaseModel):
    """One grant; ``id`` ends it."""

    id: int
    role: Role
    cluster: str | None


class PersonShown(BaseModel):
    """Somebody who may come in, or might: what they may do, how they come in, when they were seen last."""

    id: str
    name: str
    email: str | None
    locale: str
    created_at: datetime
    disabled_at: datetime | None
    grants: list[GrantShown]
    seen_at: datetime | None
    sessions: int
    issuers: list[str]


class People(BaseModel):
    """All of them, by name."""

    items: list[PersonShown]


class Invited(BaseModel):
    """A link that signs its person in once. It is shown this once."""

    id: str
    link: str
    expires_at: datetime


class KeyShown(BaseModel):
    """An API key, never its secret. ``roles`` as ``staff@numelink``."""

    id: str
    name: str
    roles: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    signs_for_others: bool
    usable: bool


class Keys(BaseModel):
    """Every key ever made."""

    items: list[KeyShown]


class KeyMade(BaseModel):
    """A new key. It is shown this once."""

    id: str
    key: str


class SessionShown(BaseModel):
    """One's own session."""

    number: int
    how: str
    agent: str
    network: str
    signed_in_at: datetime
    seen_at: datetime
    is_this: bool


class Sessions(BaseModel):
    """Those that live, the last used first."""

    items: list[SessionShown]


class AuditEntry(BaseModel):
    """Who used which right, on what, and what came of it. No values."""

    id: int
    at: datetime
    who: str
    name: str
    session: int | None
    permission: str
    about: str
    cluster: str | None
    outcome: str
    reason: str | None
    times: int


class Audit(BaseModel):
    """The newest first; ``next`` goes into ``before``."""

    items: list[AuditEntry]
    next: int | None


class RoleShown(BaseModel):
    """A role and its rights; ``scoped`` are those that a grant for one cluster gives there alone."""

    role: Role
    label: str
    rights: list[Right]


class RightShown(BaseModel):
    """One right, in words."""

    right: Right
    label: str
    scoped: bool


class Table(BaseModel):
    """The table of rights and roles that is enforced."""

    roles: list[RoleShown]
    rights: list[RightShown]


class Done(BaseModel):
    """It is so now."""

    id: str
    name: str
