"""A fast reader of messages that may only say yes.

msgspec reads a fact in a fifth of pydantic's time. It is used where it surely gives what pydantic would have given:
the same envelope, and the same document. Whatever it does not accept is read again by pydantic, which is the contract
and says what is wrong. ``tests/unit/schemas/test_fast_reading.py`` holds the two together.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, Generic, Literal, get_type_hints

import msgspec

from schemas.base import Content
from schemas.envelope import Envelope, F, cluster_of, digest_of
from schemas.fast_types import UnsupportedError, converted, default, maker, part_shape, shape, struct_of

_EXTENSIONS: Final = ("origintime", "traceparent", "tracestate")
"""Extension attributes that our own services send. An event that has others is read by pydantic."""
_NUL: Final = b"\\u0000"
_encode = msgspec.json.Encoder().encode


class FastReader(Generic[F]):
    """Envelopes of one type of fact. ``None`` means only: ask pydantic. Raises UnsupportedError when it is made."""

    def __init__(self, fact_type: type[F]) -> None:
        self._envelope = maker(Envelope[fact_type])  # pyright: ignore[reportInvalidTypeForm]
        data = part_shape(fact_type)
        self._canonical = data.canonical
        hints = get_type_hints(Envelope, include_extras=True) | {"type": Literal[fact_type.type_name()]}  # pyright: ignore[reportInvalidTypeForm]
        attributes = {name: shape(hints[name]) for name in Envelope.model_fields if name != "data"}
        shapes = {**attributes, "data": data}
        self._converts = [(name, inner.convert) for name, inner in shapes.items() if inner.convert is not None]
        struct = struct_of(
            "Event",
            [
                *((name, shapes[name].type, *default(field)) for name, field in Envelope.model_fields.items()),
                *((name, str | msgspec.UnsetType, msgspec.UNSET) for name in _EXTENSIONS),
            ],
        )
        self._event: Callable[[bytes], Any] = msgspec.json.Decoder(struct).decode
        self._batch: Callable[[bytes], list[Any]] = msgspec.json.Decoder(list[struct]).decode  # pyright: ignore[reportInvalidTypeForm]

    def event(self, body: bytes) -> Envelope[F] | None:
        """The event of a structured body."""
        return None if _NUL in body else _attempt(lambda: self._made(self._event(body)))

    def batch(self, body: bytes) -> list[Envelope[F]] | None:
        """All events of a batch, in order."""
        return None if _NUL in body else _attempt(lambda: [self._made(read) for read in self._batch(body)])

    def _made(self, read: Any) -> Envelope[F]:
        values = converted(read, self._converts)
        extensions = {name: value for name in _EXTENSIONS if (value := values.pop(name)) is not msgspec.UNSET}
        # Where the envelope's cached properties keep them.
        values["cluster"] = cluster_of(read.source)
        if self._canonical:
            values["document"] = document = _encode(read.data)
            values["digest"] = digest_of(document)
        return self._envelope(values, extensions)


def _attempt(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception:
        # Whatever stands against it, pydantic reads it again and says so.
        return None


def fast_reader(fact_type: type[F]) -> FastReader[F] | None:
    """The reader of a type of fact, or None if something in it has no counterpart in msgspec."""
    return _reader(fact_type)


@lru_cache(maxsize=64)
def _reader(fact_type: type[Content]) -> FastReader[Any] | None:
    try:
        return FastReader(fact_type)
    except UnsupportedError:
        return None
