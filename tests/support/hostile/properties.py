"""Properties and headers that nobody expects, around events that are sound: each named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.envelope import STRUCTURED
from tests.support.hostile import wire
from tests.support.hostile.message import HostileMessage, Writer

Case = Callable[[Writer], list[HostileMessage]]


def _around(properties: Mapping[str, Any]) -> Case:
    """A sound event under these properties, and something that has to be parked under them."""

    def case(writer: Writer) -> list[HostileMessage]:
        bad = writer.mark()
        return [writer.sound(**properties), writer.message(bad, f"not json {bad}".encode(), **properties)]

    return case


def _headers(*fields: tuple[str | bytes, bytes]) -> Mapping[str, Any]:
    return {"headers": list(fields)}


_EXPIRATIONS = ("0", "1", "", "abc", "-1", "1.5", "1e3", "10" * 15, "٣", " 1", "60000", "\0", "x" * 255)
_MOMENTS = (0, 1, 253_402_300_799, 253_402_300_800, 1_800_000_000_000_000, 2**63 - 1, 2**63, 2**64 - 1)
_TEXTS: Mapping[str, bytes] = {
    "empty": b"",
    "Latin-1": b"Soci\xe9t\xe9",
    "not UTF-8": b"\xff\xfe\0",
    "NUL": b"a\0b",
    "surrogate": b"\xed\xa0\x80",
    "255 bytes": b"x" * 255,
    "line breaks": b"a\r\nb\x1b[2J",
}
_SHORTS = (
    "content_encoding",
    "correlation_id",
    "reply_to",
    "message_id",
    "type",
    "app_id",
    "cluster_id",
)
_DEPTHS = (50, 127, 200, 252, 253, 254, 255, 300, 330, 400, 480, 490, 500, 600, 900, 1_000, 5_000)
_OTHER = wire.text("numelink.billing.payment-recorded")
_X_DEATHS: Mapping[str, bytes] = {
    "[1]": wire.array([wire.number(1)]),
    "text": wire.text("x"),
    "number": wire.number(1),
    "void": wire.VOID,
    "table": wire.nested([]),
    "empty": wire.array([]),
    "[{}]": wire.array([wire.nested([])]),
    "of wrong types": wire.array([wire.nested([("queue", wire.number(1)), ("routing-keys", wire.text("x"))])]),
    "keys of wrong types": wire.array(
        [wire.nested([("routing-keys", wire.array([wire.VOID])), ("reason", wire.VOID)])]
    ),
    "counted": wire.array([wire.nested([("count", wire.number(2**63 - 1)), ("queue", wire.text("billing.dead"))])]),
    "nested": wire.array([wire.array([wire.array([wire.VOID])])]),
    "deep": wire.array([wire.deep_table(300)]),
}
_OURS: Mapping[str, tuple[bytes, ...]] = {
    "traboule-attempt": (wire.text("x"), wire.number(10**18), wire.number(-1), wire.VOID),
    "traboule-dead-letter": (wire.text("1"), wire.number(1), wire.text("²")),
    "traboule-origin-key": (wire.text("clustr-numerique.billing.invoice-recorded"), wire.VOID, wire.deep_table(300)),
    "traboule-origin-user": (wire.text("clustr-numerique.billing"), wire.number(1)),
    "traboule-unreadable-properties": (wire.text("x"), wire.VOID, wire.raw_bytes(b"\xff")),
    "x-delivery-count": (wire.number(10**6), wire.text("x"), wire.VOID),
    "x-acquired-count": (wire.number(10**6), wire.text("x")),
    "x-opt-enqueue-time": (wire.number(-1),),
    "timestamp_in_ms": (
        wire.number(2**63 - 1),
        wire.number(-1),
        wire.real(float("nan")),
        wire.text("x"),
        wire.truth(1),
        wire.VOID,
    ),
    "traceparent": (wire.text("00-" + "f" * 32 + "-" + "f" * 16 + "-01"), wire.text("x"), wire.number(1), wire.VOID),
    "tracestate": (wire.text("x" * 10_000), wire.number(1)),
    "content_type": (wire.text("x"),),
    "x-message-ttl": (wire.number(0),),
    "x-first-death-queue": (wire.number(0), wire.text("x")),
    "x-cc": (wire.array([_OTHER]),),
    "x-routing-key": (wire.number(1),),
    "x-exchange": (wire.text("traboule.dead"),),
}
_ODD_VALUES: Mapping[str, bytes] = {
    "NaN": wire.real(float("nan")),
    "infinity": wire.real(float("-inf")),
    "decimal": wire.decimal(255, -(2**31)),
    "instant": wire.instant(2**62),
    "instant of year 10000": wire.instant(253_402_300_800),
    "truth 255": wire.truth(255),
    "bytes": wire.raw_bytes(b"\0\xff"),
    "not UTF-8": wire.text(b"\xff"),
    "NUL": wire.text("\0"),
    "void": wire.VOID,
    "unknown type": b"\x07",
    "surrogate": wire.text(b"\xed\xa0\x80"),
    "short integer": b"s\xff\xff",
    "unsigned byte": b"B\xff",
    "unsigned": b"i\xff\xff\xff\xff",
    "unsigned short": b"u\xff\xff",
    "float": b"f\x7f\xc0\0\0",
    "long integer": b"L\x7f\xff\xff\xff\xff\xff\xff\xff",
    "100 kB": wire.text("x" * 100_000),
    "arrays 300 deep": wire.deep_array(300),
    "arrays 490 deep": wire.deep_array(490),
}

VARIANTS: dict[str, Mapping[str, Any]] = {
    **{f"delivery mode {mode}": {"delivery_mode": wire.octet(mode)} for mode in (0, 1, 2, 3, 4, 9, 127, 128, 254, 255)},
    "no delivery mode": {"delivery_mode": None},
    **{f"expiration {text[:20]!r}": {"expiration": wire.short(text)} for text in _EXPIRATIONS},
    **{f"timestamp {seconds}": {"timestamp": wire.moment(seconds)} for seconds in _MOMENTS},
    **{f"priority {number}": {"priority": wire.octet(number)} for number in (0, 9, 255)},
    **{f"{name} {kind}": {name: wire.short(raw)} for name in _SHORTS for kind, raw in _TEXTS.items()},
    **{f"content_type {kind}": {"content_type": raw} for kind, raw in _TEXTS.items()},
    "no properties at all": {
        "content_type": None,
        "headers": b"\0\0\0\0",
        "delivery_mode": None,
        "message_id": None,
        "user_id": None,
    },
    "no user_id": {"user_id": None},
    "user_id of another": {"user_id": wire.short("clustr-numerique.billing")},
    "user_id of ours": {"user_id": wire.short("traboule.billing")},
    "flags that go on": {"more_flags": wire.MORE_FLAGS},
    "content type of a batch": {"content_type": "application/cloudevents-batch+json"},
    "content type in capitals": {"content_type": STRUCTURED.upper() + "; charset=latin-1"},
    "content type text/plain": {"content_type": "text/plain"},
    "no content type": {"content_type": None},
    # --- headers -----------------------------------------------------------------------------------------------------
    **{f"headers {depth} deep": _headers(("deep", wire.deep_table(depth))) for depth in _DEPTHS},
    **{f"ce- header {depth} deep": _headers(("ce-deep", wire.deep_table(depth))) for depth in (100, 253, 300, 480)},
    **{f"header {kind}": _headers(("odd", value)) for kind, value in _ODD_VALUES.items()},
    **{f"ce- header {kind}": _headers(("ce-odd", value)) for kind, value in _ODD_VALUES.items()},
    **{f"x-death {kind}": _headers(("x-death", value)) for kind, value in _X_DEATHS.items()},
    **{
        f"forged {name} {at}": _headers((name, value))
        for name, values in _OURS.items()
        for at, value in enumerate(values)
    },
    "all of our own headers": _headers(*((name, values[0]) for name, values in _OURS.items())),
    "header name Latin-1": _headers((b"Soci\xe9t\xe9", wire.text("x"))),
    "header name empty": _headers((b"", wire.text("x"))),
    "header name NUL": _headers((b"\0", wire.text("x"))),
    "header name of 255 bytes": _headers((b"x" * 255, wire.text("x"))),
    "a header twice": _headers(("a", wire.text("1")), ("a", wire.number(2))),
    "1,000 headers": _headers(*((f"h{at}", wire.number(at)) for at in range(1_000))),
    "headers longer than they say": {"headers": b"\0\0\0\x02" + b"\x01aS\0\0\0\x05hello"},
    "headers shorter than they say": {"headers": b"\0\0\xff\xff" + b"\x01a"},
    # --- routing -----------------------------------------------------------------------------------------------------
    "CC to itself": _headers(("CC", wire.array([wire.text("numelink.billing.nothing")]))),
    "CC of no texts": _headers(("CC", wire.array([wire.number(1), wire.VOID]))),
    "CC is a text": _headers(("CC", wire.text("x"))),
    "BCC of nothing": _headers(("BCC", wire.array([]))),
    "BCC is a table": _headers(("BCC", wire.nested([]))),
    "key that nobody hears": {"key": "{user}.nothing-of-the-kind"},
    "key of 255 bytes": {"key": "{user}." + "x" * 230},
    "key with a line break": {"key": "{user}.nothing\n"},
    "key of another": {"key": "clustr-numerique.billing.invoice-recorded"},
}
"""What :meth:`Writer.message` is to be given."""
PROPERTIES: dict[str, Case] = {name: _around(properties) for name, properties in VARIANTS.items()}
