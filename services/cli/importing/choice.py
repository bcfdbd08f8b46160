"""Whose files are imported, and what a person says of them that they do not say themselves."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.membership import MemberRecorded
from services import SERVICES
from services.membership.legacy.mapping import apply, parse
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Table


@dataclass(frozen=True, slots=True)
class FormerSystem:
    """Who speaks: a cluster and the service that it runs the former system for."""

    cluster: str
    service: str

    @classmethod
    def named(cls, name: str) -> "FormerSystem":
        """From ``cluster/service``. Raises UnreadableError when it is none, or there is no such service."""
        cluster, _, service = name.partition("/")
        if not cluster or service not in SERVICES:
            raise UnreadableError(
                f'"{name}" names no former system: write cluster/service, one of {", ".join(sorted(SERVICES))}'
            )
        return cls(cluster, service)

    @property
    def variable(self) -> str:
        """The environment variable that holds its broker URL, credentials included."""
        return f"TRABOULE_BROKER_URL_{self.cluster}_{self.service}".upper().replace("-", "_")


def fields_of(service: str) -> Sequence[str]:
    """What a column of a service's files may be mapped to."""
    if service != "events":
        return tuple(MemberRecorded.model_fields)
    from services.events.legacy import FIELDS

    return FIELDS


def _is_of_gatherings(table: Table, system: FormerSystem) -> bool:
    """Whether it is a plain table of gatherings, which a mapping or a product beside it is not about."""
    if system.service != "events":
        return False
    from services.events.legacy import is_plain_gatherings

    return is_plain_gatherings(table)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person says of files that are not told by their columns: which product's, or which column is which field.

    ``event`` is the gathering of files that name none.
    A mapping is kept in ``folder`` for the next import of the same system, and taken for files that have its columns.
    """

    product: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path = Path()
    event: str | None = None

    def mapped(self, table: Table, system: FormerSystem) -> Table:
        """The table with field names as headers, where there is a mapping for it."""
        if self.mapping and not _is_of_gatherings(table, system):
            return apply(table, self.mapping)
        kept = self.kept(system)
        return apply(table, kept) if kept and kept.keys() <= set(table.names) else table

    def keep(self, system: FormerSystem) -> Path | None:
        """Keep the mapping; where."""
        if not self.mapping:
            return None
        path = self._path(system)
        path.write_text(json.dumps(dict(self.mapping), ensure_ascii=False, indent=2) + "\n", "utf-8")
        return path

    def kept(self, system: FormerSystem) -> dict[str, str]:
        """The mapping that was kept for this system. Raises UnreadableError."""
        path = self._path(system)
        if not path.exists():
            return {}
        try:
            document = json.loads(path.read_text("utf-8"))
            written = [f"{header}={name}" for header, name in document.items()]
            return parse(written, fields_of(system.service))
        except (OSError, ValueError, AttributeError) as error:
            raise UnreadableError(f"{path} holds no mapping of columns ({type(error).__name__}): delete it") from None

    def _path(self, system: FormerSystem) -> Path:
        return self.folder / f"traboule-columns-{system.cluster}-{system.service}.json"
