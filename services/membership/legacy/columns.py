"""A product's columns, each named once for the reader and the writer: so neither knows one that the other does not."""

from typing import NamedTuple

from shared.importing.table import normal


class Column(NamedTuple):
    """``header`` as the product writes it; ``names``, as they are compared, are all under which it may come."""

    header: str
    names: tuple[str, ...]


def column(header: str, *others: str) -> Column:
    """A column by the header that its product writes today, and those under which it is read as well."""
    return Column(header, tuple(normal(name) for name in (header, *others)))
