"""Files of former events systems: which product wrote each, and what is known of it besides its cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from services.cli.importing.choice import Choice, FormerSystem
from services.cli.importing.configured import cluster_of
from services.events.legacy import Source, event_of, product_of, states_gatherings, words_of
from shared.importing.languages import in_both
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.table import Table
from shared.runtime.clusters import ClustersFileError


class Participants(NamedTuple):
    """A file that is known: its kind, what comes of its rows, and what it cannot say."""

    name: str
    outcomes: Iterator[Outcome[Any]]
    lacks: str


def participants(
    system: FormerSystem, table: Table, version: int, choice: Choice, tables: Sequence[Table]
) -> Participants | None:
    """What a file of events is, among all files of the command; None for a plain table of gatherings or registrations.

    Raises UnreadableError.
    """
    product = product_of(table, choice.product)
    if product is None:
        return None
    source = _source(system, version, tables)._replace(event_id=event_of(table, product, choice.event))
    return Participants(product.name, product.translate(table, source), product.lacking(source))


def _source(system: FormerSystem, version: int, tables: Sequence[Table]) -> Source:
    """Raises UnreadableError."""
    cluster = cluster_of(system)
    try:
        words = words_of(cluster, system.cluster)
    except ClustersFileError as error:
        raise UnreadableError(str(error)) from None
    gatherings = not any(map(states_gatherings, tables))
    members = cluster.products.get("membership") if cluster else None
    return Source(version, words=words, members=members, gatherings=gatherings)


def unknown(table: Table) -> UnreadableError:
    """What to do with a file of events that no product wrote."""
    shown = ", ".join(table.headers[:6])
    mapping = '--map "N° de billet=registration_id" --map "Nom=last_name" --map "Courriel=email" --event apero-2026'
    return UnreadableError(
        in_both(
            f"{table.path} : aucun export connu n'a ces colonnes ({shown} …). Pour une liste de participants, dites "
            f"quelle colonne est quel champ, par exemple {mapping}",
            f"no known export has these columns ({shown} …). Of a list of participants, say which column is which "
            f"field, such as {mapping}",
        )
    )
