"""Bodies that are no event, or one that nobody expects: each named, each made by a writer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from schemas.envelope import BATCH, BINARY, STRUCTURED
from tests.support.hostile import wire
from tests.support.hostile.message import HostileMessage, Writer, mark_of

Case = Callable[[Writer], list[HostileMessage]]

BIG = b"1" + b"0" * 30
LONG = b"7" * 5_000
INTEGERS: Mapping[str, bytes] = {
    "65-bits": b"18446744073709551616",
    "64-bits": b"18446744073709551615",
    "minus-65-bits": b"-9223372036854775809",
    "10**30": BIG,
    "5000-digits": LONG,
    "1e400": b"1e400",
    "2**63-1": b"9223372036854775807",
}
HOLE = '"@@"'
"""Stands in a tree where raw JSON is to be put."""


def _filled(tree: Any, raw: bytes) -> bytes:
    return orjson.dumps(tree).replace(HOLE.encode(), raw)


def _single(write: Callable[[Writer, str], bytes], **properties: Any) -> Case:
    def case(writer: Writer) -> list[HostileMessage]:
        mark = writer.mark()
        return [writer.message(mark, write(writer, mark), **properties)]

    return case


def _event(raw: bytes = b"", **different: Any) -> Case:
    """An event with other attributes; ``raw`` fills the hole in it."""
    return _single(lambda writer, mark: _filled(writer.event(mark, **different), raw))


def _foreign(raw: bytes) -> Case:
    """An event in another's name: it is sound, and has to be parked."""
    return _single(lambda writer, mark: _filled(writer.event(mark, source=writer.foreign_source, anything="@@"), raw))


def _data(raw: bytes, *fields: str) -> Case:
    """An event whose fact has raw JSON in these fields."""

    def write(writer: Writer, mark: str) -> bytes:
        event = writer.event(mark)
        event["data"] |= dict.fromkeys(fields, "@@")
        return _filled(event, raw)

    return _single(write)


def _numbers(event: dict[str, Any]) -> list[str]:
    return [name for name, value in event["data"].items() if isinstance(value, int) or name in ("net", "amount")]


def _everywhere(raw: bytes) -> Case:
    """The number in the version, in an amount, in a text and in two attributes, alone and together."""

    def case(writer: Writer) -> list[HostileMessage]:
        messages: list[HostileMessage] = []
        for place in ("version", "amount", "unknown", "extension", "correlationid", "all"):
            mark = writer.mark()
            event = writer.event(mark)
            if place in ("version", "amount", "all"):
                for name in _numbers(event):
                    if (name == "version") != (place == "amount"):
                        event["data"][name] = "@@"
            if place in ("unknown", "all"):
                event["data"]["unknown"] = "@@"
            if place in ("extension", "all"):
                event["anything"] = {"deep": ["@@"]}
            if place in ("correlationid", "all"):
                event["correlationid"] = "@@"
            messages.append(writer.message(mark, _filled(event, raw)))
        return messages

    return case


def _with_neighbours(spoil: Callable[[dict[str, Any]], Any], raw: bytes = b"") -> Case:
    """A batch of five of which the third is spoilt."""

    def case(writer: Writer) -> list[HostileMessage]:
        mark = writer.mark()
        events: list[Any] = [writer.event(f"{mark}{at}") for at in range(5)]
        events[2] = spoil(events[2])
        return [writer.message(mark, _filled(events, raw), content_type=BATCH, events=5)]

    return case


def _id_used_again(raw: bytes) -> Case:
    """A sound event, then its id for something else, with raw JSON in an extension."""

    def case(writer: Writer) -> list[HostileMessage]:
        mark = writer.mark()
        first, second = writer.event(mark), writer.event(mark, anything="@@")
        second["data"]["record_id"] = f"{mark} other"
        return [writer.message(mark, orjson.dumps(first)), writer.message(mark, _filled(second, raw), repeats=True)]

    return case


def _twice(writer: Writer) -> list[HostileMessage]:
    sound = writer.sound()
    mark = mark_of(sound.number)
    event = writer.event(mark)
    batch = writer.message(
        mark, orjson.dumps([event, event, event]), content_type=BATCH, events=3, repeats=True
    )  # fmt: skip
    again = writer.message(mark, sound.body, repeats=True)
    return [sound, again, batch]


def rubbish(count: int) -> Case:
    """One batch of so many numbers, none of which is an event."""

    def case(writer: Writer) -> list[HostileMessage]:
        body = b"[" + b",".join(b"%d" % at for at in range(count)) + b"]"
        return [writer.message(writer.mark(), body, content_type=BATCH, events=count)]

    return case


def padded(size: int) -> Case:
    """A sound event in a body of so many bytes."""
    return _single(lambda writer, mark: orjson.dumps(writer.event(mark)).ljust(size))


def _deep(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + b"1" + closing * depth


def _nameless(raw: bytes, content_type: str | None = STRUCTURED) -> Case:
    """A body without room for a mark."""
    return _single(lambda _writer, _mark: raw, content_type=content_type)


def _type(word: str) -> Case:
    return _with_neighbours(lambda event: event | {"type": event["type"].rpartition(".v")[0] + ".v" + word})


_INSTANTS = {
    "year-1": "0001-01-01T00:00:00+23:59",
    "year-9999": "9999-12-31T23:59:59.999999-23:59",
    "year-0": "0000-01-01T00:00:00Z",
    "leap-second": "2016-12-31T23:59:60Z",
    "hour-24": "2026-01-01T24:00:00Z",
    "no-zone": "2026-01-01T00:00:00",
    "far-zone": "2026-01-01T00:00:00+99:99",
    "year-10000": "10000-01-01T00:00:00Z",
}


def _instant(text: str) -> Case:
    def write(writer: Writer, mark: str) -> bytes:
        event = writer.event(mark, time=text, origintime=text)
        for name, value in event["data"].items():
            if name.endswith(("_at", "_on")) and value is not None:
                event["data"][name] = text if name.endswith("_at") else text[:10]
        return orjson.dumps(event)

    return _single(write)


def _time_alone(text: str) -> Case:
    return _event(time=text, origintime=text)


def _texts(value: bytes) -> Case:
    """Raw JSON in texts of every kind: keys, labels, attributes. ``%m`` stands for the mark."""

    def case(writer: Writer) -> list[HostileMessage]:
        messages: list[HostileMessage] = []
        for place in ("id", "subject", "correlationid", "type", "extension", "field", "field-name"):
            mark = writer.mark()
            event = writer.event(mark)
            if place in ("field", "field-name"):
                event["data"]["record_id" if place == "field" else "@@"] = "@@"
            else:
                event[place] = "@@"
            messages.append(writer.message(mark, _filled(event, value.replace(b"%m", mark.encode()))))
        return messages

    return case


def _encoded(codec: str) -> Case:
    return _single(lambda writer, mark: orjson.dumps(writer.event(mark)).decode().encode(codec))


BODIES: dict[str, Case] = {
    # --- numbers -----------------------------------------------------------------------------------------------------
    **{f"integer {name} everywhere": _everywhere(raw) for name, raw in INTEGERS.items()},
    **{f"integer {name} in an extension of a foreign source": _foreign(raw) for name, raw in INTEGERS.items()},
    **{f"integer {name} in an extension, id used again": _id_used_again(raw) for name, raw in INTEGERS.items()},
    **{
        f"integer {name} in a batch": _with_neighbours(lambda event: event | {"anything": "@@"}, raw)
        for name, raw in INTEGERS.items()
    },
    "NaN": _data(b"NaN", "version", "record_id"),
    "Infinity in an extension": _event(b"-Infinity", anything="@@"),
    "version true": _data(b"true", "version"),
    "version 1.0": _data(b"1.0", "version"),
    "version negative": _data(b"-1", "version"),
    "version of the end of 63 bits": _data(b"9223372036854775807", "version"),
    # --- types and ids -----------------------------------------------------------------------------------------------
    "type in superscript": _type("²"),
    "type in other digits": _type("٣"),
    "type of 5000 digits": _type("9" * 5_000),
    "type of another fact": _with_neighbours(lambda event: event | {"type": "fr.traboule.billing.nothing.v1"}),
    "type is a number": _with_neighbours(lambda event: event | {"type": 7}),
    "source of another cluster": _with_neighbours(lambda event: event | {"source": "/clustr-numerique/x"}),
    "source is our own": _event(source="/traboule/billing"),
    "id used again": _id_used_again(b"1"),
    "twice the same": _twice,
    "id that lost its mark": _single(
        lambda writer, mark: orjson.dumps(writer.event(mark, id=mark.replace("~", "-"))), damaged=True
    ),
    "no data": _with_neighbours(lambda event: {k: v for k, v in event.items() if k != "data"}),
    "data is null": _event(b"null", data="@@"),
    "data is an array": _event(b"[]", data="@@"),
    "attributes under names of methods": _event(
        encode=1, document=[], digest="x", extension={}, cluster=None, model_config="x", __class__="x"
    ),
    "specversion of the future": _event(specversion="2.0"),
    # --- instants ----------------------------------------------------------------------------------------------------
    **{f"instants {name}": _instant(text) for name, text in _INSTANTS.items()},
    **{f"time {name}": _time_alone(text) for name, text in _INSTANTS.items()},
    "origintime of 500 kB": _event(origintime="9" * 500_000),
    "extension of 3 MB": _event(anything="x" * 3_000_000),
    "correlationid of 100 kB": _event(correlationid="x" * 100_000),
    "20,000 extensions": _event(b"", **{f"x{at}": at for at in range(20_000)}),
    # --- texts -------------------------------------------------------------------------------------------------------
    "NUL": _texts(b'"%m\\u0000"'),
    "lone surrogate": _texts(b'"%m\\ud800"'),
    "bidirectional and C1 controls": _texts('"%m\u202e\u009b\ufeff"'.encode()),
    "1 MB of text": _texts(b'"%m' + b"x" * 1_000_000 + b'"'),
    # --- JSON --------------------------------------------------------------------------------------------------------
    "arrays in arrays 100,000 deep": _event(_deep(b"[", b"]", 100_000), anything="@@"),
    "objects in objects 100,000 deep": _event(_deep(b'{"a":', b"}", 100_000), anything="@@"),
    **{
        f"objects {depth} deep in an extension": _event(_deep(b'{"a":', b"}", depth), anything="@@")
        for depth in (100, 126, 127, 128, 200, 252, 253, 254, 255, 256, 300, 900, 1_100)
    },
    "objects 300 deep, foreign source": _foreign(_deep(b'{"a":', b"}", 300)),
    "duplicate keys": _single(
        lambda w, m: orjson.dumps(w.event(m))[:-1] + b',"id":"' + m.encode() + b'2","data":{},"data":null}'
    ),
    "cut in the middle": _single(lambda w, m: orjson.dumps(w.event(m))[:-20]),
    "something after it": _single(lambda w, m: orjson.dumps(w.event(m)) + b" ]"),
    "byte order mark": _single(lambda w, m: b"\xef\xbb\xbf" + orjson.dumps(w.event(m))),
    "UTF-16": _encoded("utf-16"),
    "UTF-32": _encoded("utf-32-be"),
    "Latin-1": _single(lambda w, m: orjson.dumps(w.event(m, subject="Société " + m)).decode().encode("latin-1")),
    **{
        f"nothing but {raw!r}": _nameless(raw)
        for raw in (b"", b" ", b"null", b"[]", b"{}", b'""', b"0", b"\0", b"\xff" * 9, b"[", b"not json")
    },
    **{f"a batch of nothing but {raw!r}": _nameless(raw, BATCH) for raw in (b"", b"[]", b"{}", b"[[]]", b"[null]")},
    # --- batches -----------------------------------------------------------------------------------------------------
    "batch of 2,000 numbers": rubbish(2_000),
    "batch of texts": _single(
        lambda w, m: orjson.dumps([f"{m}{at}" for at in range(30)]), content_type=BATCH, events=30
    ),
    "batch in a batch": _with_neighbours(lambda event: [event]),
    "batch as one event": _single(lambda w, m: orjson.dumps([w.event(m)])),
    "one event as a batch": _single(lambda w, m: orjson.dumps(w.event(m)), content_type=BATCH),
    # --- sizes -------------------------------------------------------------------------------------------------------
    "4 MiB": padded(4 * 1024 * 1024),
    "4 MiB and a byte": padded(4 * 1024 * 1024 + 1),
    "16 MiB": padded(16 * 1024 * 1024),
    "17 MiB": padded(17 * 1024 * 1024),
}


def _binary(
    headers: Callable[[Writer, str], list[tuple[str | bytes, bytes]]], content_type: str | None = BINARY
) -> Case:
    """A fact alone, and its event's attributes as headers."""

    def case(writer: Writer) -> list[HostileMessage]:
        mark = writer.mark()
        event = writer.event(mark)
        usual = {f"ce-{name}": wire.text(event[name]) for name in ("id", "source", "specversion", "type", "subject")}
        table = list((usual | dict(headers(writer, mark))).items())
        return [writer.message(mark, orjson.dumps(event["data"]), headers=table, content_type=content_type)]  # type: ignore[arg-type]

    return case


_OF_EVERY_TYPE: Mapping[str, bytes] = {
    "text": wire.text("1"),
    "bytes": wire.raw_bytes(b"\xff\0"),
    "integer": wire.number(-(2**63)),
    "small": wire.small(-1),
    "truth": wire.truth(7),
    "void": wire.VOID,
    "NaN": wire.real(float("nan")),
    "infinity": wire.real(float("inf")),
    "decimal": wire.decimal(255, 2**31 - 1),
    "instant": wire.instant(0),
    "far instant": wire.instant(2**62),
    "table": wire.nested([("a", wire.VOID)]),
    "array": wire.array([wire.VOID, wire.number(1)]),
    "not UTF-8": wire.text(b"\xff\xfe"),
    "NUL": wire.text("a\0b"),
    "long": wire.text("x" * 60_000),
    "deep table": wire.deep_table(200),
    "unknown type": b"\x07garbage",
}
BINARIES: dict[str, Case] = {
    **{
        f"binary, ce-{name} {kind}": _binary(lambda _w, _m, name=name, value=value: [(f"ce-{name}", value)])
        for name in ("subject", "type", "specversion", "other", "data")
        for kind, value in _OF_EVERY_TYPE.items()
    },
    "binary, attributes in two spellings": _binary(lambda _w, m: [("CE-ID", wire.text(m)), ("Ce-Id", wire.text(m))]),
    "binary without its content type": _binary(lambda _w, _m: [], None),
    "binary, structured content type": _binary(lambda _w, _m: [], STRUCTURED),
    "binary, batch content type": _binary(lambda _w, _m: [], BATCH),
    "binary without attributes": lambda w: [w.sound(content_type=BINARY)],
    "binary, attribute names not UTF-8": _binary(lambda _w, _m: [(b"ce-\xff", wire.text("x"))]),
}
