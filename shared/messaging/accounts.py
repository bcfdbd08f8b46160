"""Broker users of former systems and staff tools: made, given a new password, taken away, and looked at.

At the broker's management API. What each of them may do is told in :mod:`shared.messaging.topology` alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from shared.messaging import broker_version
from shared.messaging.management import VARIABLE, Management, ManagementError, path
from shared.messaging.topology import EXCHANGE, OWN_PUBLISHER, definitions
from shared.runtime.tls import address

MANAGEMENT = VARIABLE
NOTHING = "^$"


class RightsError(Exception):
    """The broker did not do it; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Regular expressions of exchanges and queues, of routing keys (``topic_…``; None: any), and numbers at most."""

    configure: str = NOTHING
    write: str = NOTHING
    read: str = NOTHING
    topic_write: str | None = NOTHING
    topic_read: str | None = NOTHING
    limits: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def none(self) -> bool:
        """Whether they allow nothing at all."""
        return (self.configure, self.write, self.read) == (NOTHING, NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class Account:
    """A broker user as it is: its rights in our virtual host and its open connections there.

    ``in_vhost`` is whether it was ever given rights there, were it none at all.
    """

    name: str
    in_vhost: bool
    rights: Rights
    tags: tuple[str, ...]
    connections: int


def management() -> Management:
    """The management API of this process's environment. Raises RightsError, TlsError, SecretFileError."""
    url = address(MANAGEMENT)
    if url is None:
        raise RightsError(f"{MANAGEMENT} is not set: it holds the address of the broker's management API")
    return Management(url)


def vhost_of(broker_url: str) -> str:
    """The virtual host that an AMQP address names."""
    return unquote(urlsplit(broker_url).path[1:]) or "/"


# --- looking -------------------------------------------------------------------------------------------------------


def intended(user: str) -> Rights:
    """What a former system, a staff tool or one of our services (``traboule.billing``) may do."""
    services, _, service = user.partition(".")
    whole = definitions([], {service: ""}, {}) if services == OWN_PUBLISHER else definitions([], {}, {user: ""})
    (permission,), (topic,), (account,) = whole["permissions"], whole["topic_permissions"], whole["users"]
    return Rights(
        permission["configure"],
        permission["write"],
        permission["read"],
        topic["write"],
        topic["read"],
        account["limits"],
    )


def read_accounts(broker: Management, vhost: str) -> dict[str, Account]:
    """Every user who is known to the broker, by name; connections are those of some seconds ago. Raises RightsError."""
    try:
        users = broker.call("GET", "/api/users")
        permissions = {item["user"]: item for item in broker.call("GET", path("vhosts", vhost, "permissions"))}
        topics = {
            item["user"]: item
            for item in broker.call("GET", path("vhosts", vhost, "topic-permissions"))
            if item["exchange"] == EXCHANGE
        }
        limits = {item["user"]: item["value"] for item in broker.call("GET", "/api/user-limits")}
        open_now = Counter(
            item["user"]
            for item in broker.call("GET", "/api/connections?columns=user,vhost")
            if item.get("vhost") == vhost
        )
    except ManagementError as error:
        raise RightsError(str(error)) from None
    return {
        user["name"]: Account(
            user["name"],
            user["name"] in permissions,
            _rights(permissions.get(user["name"]), topics.get(user["name"]), limits.get(user["name"], {})),
            tuple(_tags(user["tags"])),
            open_now[user["name"]],
        )
        for user in users
    }


def _rights(permission: Mapping[str, str] | None, topic: Mapping[str, str] | None, limits: Mapping[str, int]) -> Rights:
    given = {name: permission[name] or NOTHING for name in ("configure", "write", "read")} if permission else {}
    # Who has no rights on topics of an exchange may use any: the broker takes their absence for "all".
    written, heard = (topic["write"], topic["read"]) if topic else (None, None)
    return Rights(**given, topic_write=written, topic_read=heard, limits=dict(limits))


def _tags(written: Any) -> Iterable[str]:
    # A list since RabbitMQ 3.9, before that words with commas between.
    return written if isinstance(written, list) else [text for text in str(written).split(",") if text]


def differences(account: Account, should: Rights) -> list[str]:
    """What a user may do otherwise than it should, in words; nothing if it may do nothing at all."""
    if account.rights.none:
        return [] if not account.tags else [f"has the tags {', '.join(account.tags)}, should have none"]
    document, theirs = asdict(account.rights), asdict(should)
    unlike = [
        f"{name} is {_shown(document[name])}, should be {_shown(theirs[name])}"
        for name in theirs
        if document[name] != theirs[name]
    ]
    return [*unlike, *([f"has the tags {', '.join(account.tags)}, should have none"] if account.tags else [])]


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in sorted(value.items())) or "unlimited"
    return "anything" if value is None else "nothing" if value == NOTHING else str(value)


# --- changing ------------------------------------------------------------------------------------------------------


def grant(broker: Management, vhost: str, user: str, password: str | None) -> None:
    """Let a former system do what it should: its rights, its limits, the queues and bindings that it needs.

    ``password`` is for one that is new, or that gets another; None leaves it as it is. Raises RightsError, also where
    the broker is too old for any of them.
    """
    whole = definitions([], {}, {user: password or ""}, vhost=vhost)
    own = f"{user}."
    wanted = {
        "queues": [item for item in whole["queues"] if item["name"].startswith(own)],
        "bindings": [
            item
            for item in whole["bindings"]
            if item["routing_key"].startswith(own) or item["destination"].startswith(own)
        ],
        "permissions": whole["permissions"],
        "topic_permissions": whole["topic_permissions"],
    }
    try:
        broker_version.require(broker)
        if broker.find(path("exchanges", vhost, EXCHANGE)) is None:
            raise RightsError(f"the broker has no exchange {EXCHANGE} in {vhost}: install Traboule there first")
        if password is not None:
            wanted["users"] = whole["users"]
        else:
            for name, most in whole["users"][0]["limits"].items():
                broker.call("PUT", path("user-limits", user, name), {"value": most})
        broker.call("POST", "/api/definitions", wanted)
    except (ManagementError, broker_version.OldBrokerError) as error:
        raise RightsError(str(error)) from None


def set_password(broker: Management, account: Account, password: str) -> None:
    """From now on this user logs in with this password; its open connections stay. Raises RightsError."""
    try:
        broker.call("PUT", path("users", account.name), {"password": password, "tags": ",".join(account.tags)})
    except ManagementError as error:
        raise RightsError(str(error)) from None


def disconnect(broker: Management, user: str) -> int:
    """Close a user's connections; how many there were. Raises RightsError."""
    theirs = path("connections", "username", user)
    try:
        number = len(broker.call("GET", theirs))
        broker.call("DELETE", theirs)
    except ManagementError as error:
        raise RightsError(str(error)) from None
    return number


def may_write(users: Iterable[str], broker_url: str) -> dict[str, bool]:
    """Which of these broker users have a right in the virtual host of ``broker_url``. Raises RightsError."""
    try:
        theirs = management().call("GET", path("vhosts", vhost_of(broker_url), "permissions"))
    except ManagementError as error:
        raise RightsError(str(error)) from None
    known = {permission["user"]: _rights(permission, None, {}) for permission in theirs}
    return {user: user in known and not known[user].none for user in users}


def revoke(user: str, broker_url: str) -> None:
    """Let a broker user neither write nor read any more, on the virtual host of ``broker_url``. Raises RightsError."""
    vhost = vhost_of(broker_url)
    remedy = (
        f"where it answers, run  traboule former-systems revoke {user.replace('.', '/', 1)}; "
        f"or run  rabbitmqctl set_permissions -p {vhost} {user} '^$' '^$' '^$'"
    )
    url = address(MANAGEMENT)
    if url is None:
        raise RightsError(f"{MANAGEMENT} is not set, so its broker user still may write: {remedy}")
    broker = Management(url)
    try:
        if broker.find(path("users", user)) is None:
            return
        nothing = {"configure": NOTHING, "write": NOTHING, "read": NOTHING}
        broker.call("PUT", path("permissions", vhost, user), nothing)
        broker.call("PUT", path("topic-permissions", vhost, user), {"exchange": EXCHANGE, **nothing})
    except ManagementError as error:
        raise RightsError(f"{error}: {remedy}") from None
    # A channel remembers for up to a minute what it was allowed to do.
    disconnect(broker, user)
