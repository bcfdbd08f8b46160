"""The elements of a JSON array as they were written: each keeps its own bytes, and costs nothing before it is read.

A JSON library gives values: numbers above 64 bits change on the way, and two million elements are there at once.
"""

import re
from collections.abc import Iterator

# A text, whole or without its end, or what opens, closes and separates. The quantifiers give nothing back (``*+``), so
# that no body makes the search slower than its own length.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+("|\Z)|[\[\]{},]', re.DOTALL)
_SPACE = b" \t\r\n"


def elements(body: bytes) -> Iterator[bytes]:
    """Every element of the array, one after another, unchecked. Raises ValueError where there is no whole array."""
    depth, start, any_comma = 0, 0, False
    for token in _TOKEN.finditer(body):
        mark = body[token.start() : token.start() + 1]
        if mark == b'"':
            if not token[1]:
                raise ValueError("a text has no end")
        elif mark in b"[{":
            depth += 1
            if depth == 1:
                if mark == b"{" or body[: token.start()].strip(_SPACE):
                    raise ValueError("it is no array")
                start = token.end()
        elif depth == 0:
            raise ValueError("it is no array")
        elif mark == b",":
            if depth == 1:
                yield body[start : token.start()].strip(_SPACE)
                start, any_comma = token.end(), True
        else:
            depth -= 1
            if depth == 0:
                last = body[start : token.start()].strip(_SPACE)
                if body[token.end() :].strip(_SPACE):
                    raise ValueError("something follows the array")
                if last or any_comma:
                    yield last
                return
    raise ValueError("the array has no end")
