"""Would a message be accepted? The services' own reader and rules, told to whoever wrote the message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from schemas.base import Content
from schemas.catalogue import FACTS, by_type
from schemas.diagnostics import Fault, faults, nearest
from schemas.envelope import BATCH, BATCH_EVENTS, BINARY, STRUCTURED, Envelope, Refused, routing_key
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.membership.normalisation.normalise import understand
from shared.messaging.authenticity import forged_source, forgery
from shared.messaging.consumer import MAX_BODY
from shared.messaging.delivery import Delivery

_BOM = b"\xef\xbb\xbf"
_COMPLETE = {"not-json", "not-utf-8"}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who publishes, and how. ``user`` is the broker user; ``headers`` make the binary mode; ``bare`` is the type of
    facts that stand in the file without an envelope."""

    user: str | None = None
    routing_key: str | None = None
    clusters: tuple[str, ...] = ()
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    bare: type[Content] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """One event. ``line`` is that of a file of JSON lines, ``index`` the place in a batch, both from 1."""

    line: int | None = None
    index: int | None = None
    id: str | None = None
    type: str | None = None
    routing_key: str | None = None
    reason: str | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the services would apply it."""
        return self.reason is None


def check(raw: bytes, sender: Sender) -> list[Verdict]:
    """A verdict on every event of a file: one message in JSON, or one in each line."""
    verdicts: list[Verdict] = []
    seen: dict[tuple[str, str], bytes] = {}
    for line, body in _messages(raw):
        verdicts += _Message(line, body, sender, seen).verdicts()
    return verdicts


def _messages(raw: bytes) -> Iterator[tuple[int | None, bytes]]:
    lines = [(number, line) for number, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
    if len(lines) > 1 and not _parses(raw) and _parses(lines[0][1]):
        yield from lines
    else:
        yield None, raw


def _parses(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


@dataclass(slots=True)
class _Message:
    line: int | None
    body: bytes
    sender: Sender
    seen: dict[tuple[str, str], bytes]

    def verdicts(self) -> list[Verdict]:
        if len(self.body) > MAX_BODY:
            return [
                self._whole("too-large", f"{len(self.body):,} bytes are more than {MAX_BODY:,}", "send smaller batches")
            ]
        tree = orjson.loads(self.body) if _parses(self.body) else None
        if self.sender.bare is not None and tree is not None:
            tree = self._wrapped(self.sender.bare, tree)
            self.body = orjson.dumps(tree)
        events = self._events(tree)
        expected = self._expected(events)
        key = self.sender.routing_key or (self._key(expected, events) if expected else "")
        if expected is None or not _heard(expected, key):
            return [self._whole("unrouted", f"nothing subscribes to {key}", f"did you mean {_resembling(key)}?")]
        if self.sender.user and (fault := forgery(self._delivery(key), expected.publishers(self.sender.clusters))):
            return [self._whole(*fault)]
        binary = bool(self.sender.headers) and self.sender.bare is None
        mode = BATCH if isinstance(tree, list) else BINARY if binary else STRUCTURED
        results = read(expected, self.body, mode, self.sender.headers)
        many = mode == BATCH and len(results) == len(events)
        return [
            self._verdict(expected, key, events[place] if many or events else {}, result, place + 1 if many else None)
            for place, result in enumerate(results)
        ]

    def _wrapped(self, fact: type[Content], tree: object) -> object:
        if isinstance(tree, list):
            return [self._wrapped(fact, item) for item in tree]
        user = self.sender.user or next(iter(fact.publishers(["any"])))
        source = "/" + user.replace(".", "/", 1)
        return {"specversion": "1.0", "id": "-", "source": source, "type": fact.type_name(), "data": tree}

    def _events(self, tree: object) -> Sequence[dict[str, Any]]:
        if self.sender.headers and self.sender.bare is None:
            attributes = {name[3:]: value for name, value in self.sender.headers.items() if name.startswith("ce-")}
            return [{**attributes, "data": tree}]
        return [item if isinstance(item, dict) else {} for item in (tree if isinstance(tree, list) else [tree])]

    def _expected(self, events: Sequence[dict[str, Any]]) -> type[Content] | None:
        """The type that belongs to the routing key; without one, that of the first event, or what it resembles."""
        if self.sender.bare is not None:
            return self.sender.bare
        if self.sender.routing_key is not None:
            return next((fact for fact in FACTS if _heard(fact, self.sender.routing_key)), None)
        named = (by_type(str(event.get("type"))) for event in events)
        first = events[0] if events else {}
        return next((fact for fact in named if fact), None) or nearest(str(first.get("type", "")), first.get("data"))

    def _key(self, fact: type[Content], events: Sequence[dict[str, Any]]) -> str:
        answer: Any = events[0].get("data") if events else None
        to = answer.get(fact.addressed_by) if isinstance(answer, dict) and fact.addressed_by else None
        return routing_key(self._cluster(fact, events), fact, to if isinstance(to, str) and to else _addressee(fact))

    def _cluster(self, fact: type[Content], events: Sequence[dict[str, Any]]) -> str:
        if self.sender.user:
            return self.sender.user.split(".", 1)[0]
        source = str(events[0].get("source", "")) if events and self.sender.bare is None else ""
        return fact.published_as or next(iter(source.split("/")[1:2]), "<cluster>")

    def _delivery(self, key: str) -> Delivery:
        queue = key.partition(".")[2]
        return Delivery(queue, self.body, None, self.sender.headers, None, self.sender.user, key)

    def _whole(self, reason: str, problem: str, hint: str = "") -> Verdict:
        return Verdict(self.line, reason=reason, faults=(Fault("message", problem, hint),))

    def _verdict(
        self,
        expected: type[Content],
        key: str,
        event: dict[str, Any],
        result: Envelope[Any] | Refused,
        index: int | None,
    ) -> Verdict:
        place = (self.line, index, None if self.sender.bare else result.id, result.type, key)
        if isinstance(result, Refused):
            return Verdict(*place, result.reason, tuple(self._faults_of(expected, event, result)))
        if forged := forged_source(result.source, self._user(expected, result)):
            return Verdict(*place, forged[0], (Fault("source", forged[1]),))
        warnings = (*self._repeated(result), *_oversized(index), *self._named(_doubtful(result.data)))
        return Verdict(*place, warnings=warnings)

    def _user(self, expected: type[Content], event: Envelope[Any]) -> str:
        """Who publishes it: as named, else as in the routing key, else the system of its cluster that may say this."""
        if self.sender.routing_key and self.sender.bare is None:
            return self.sender.user or ".".join(self.sender.routing_key.split(".")[:2])
        return self.sender.user or f"{event.cluster}.{expected.service}"

    def _faults_of(self, expected: type[Content], event: dict[str, Any], refused: Refused) -> Iterator[Fault]:
        if refused.reason in _COMPLETE:
            hint = "the file begins with a byte order mark: save it without" if self.body.startswith(_BOM) else ""
            yield Fault("message", refused.detail, hint)
            return
        if refused.reason in ("wrong-type", "newer-version"):
            yield self._type_fault(expected, refused)
            if refused.reason == "newer-version" or by_type(refused.type or ""):
                return
        problems = faults(expected, event) if event else []
        yield from self._named(problems)
        if not problems and refused.reason != "wrong-type":
            yield Fault("event", refused.detail)

    def _named(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Faults by the names in the file, where a bare fact has no envelope around it."""
        for fault in faults:
            name = fault.field.removeprefix("data.") if self.sender.bare else fault.field
            yield Fault(name, fault.problem, fault.hint)

    def _type_fault(self, expected: type[Content], refused: Refused) -> Fault:
        if refused.reason == "newer-version":
            return Fault("type", refused.detail, f"until then, send {expected.type_name()}")
        if other := by_type(refused.type or ""):
            own = routing_key("<cluster>", other, _addressee(other))
            return Fault("type", refused.detail, f"{other.__name__} travels under {own}, and no batch holds two types")
        return Fault("type", "there is no such type", f"did you mean {expected.type_name()}?")

    def _repeated(self, event: Envelope[Any]) -> Iterator[Fault]:
        if self.sender.bare is not None:
            return
        before = self.seen.setdefault((event.source, event.id), event.digest)
        if before != event.digest:
            yield Fault(
                "id", "another event in this file has the same id", "only the one that arrives first is applied"
            )


def _addressee(fact: type[Content]) -> str:
    """What stands for the last word of its routing key, where that is whom each message is for."""
    return f"<{fact.addressed_by}>"


def _heard(fact: type[Content], key: str) -> bool:
    """Whether a message under this routing key reaches the queue of this fact."""
    pattern, words = fact.binding().split("."), key.split(".")
    return len(pattern) == len(words) and all(p in ("*", w) for p, w in zip(pattern, words, strict=True))


def _resembling(key: str) -> str:
    cluster, _, rest = key.partition(".")
    fact = nearest(rest)
    return routing_key(fact.published_as or cluster, fact, _addressee(fact))


def _oversized(index: int | None) -> Iterator[Fault]:
    if index == BATCH_EVENTS + 1:
        yield Fault("message", f"the batch holds more than {BATCH_EVENTS} events", "smaller batches are recommended")


def _doubtful(fact: Content) -> Iterator[Fault]:
    """Values that are kept as written although they could not be understood."""
    if not isinstance(fact, MemberRecorded):
        return
    for problem in understand(fact).problems:
        yield Fault(f"data.{problem.field}", problem.meaning, f"kept as written: {problem.written[:60]}")
