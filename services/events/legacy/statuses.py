"""What a former system's words for the state of a registration mean; a word that nobody knows is asked, never guessed.

Each product's own words stand in its file. A cluster adds its own in the clusters file (``statuses``), and what is
configured there is believed before any default, as membership does with its members' statuses.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from schemas.events import RegistrationStatus
from shared.importing.named_cells import CellError, Cells
from shared.importing.outcomes import NoFact
from shared.runtime.clusters import Cluster, ClustersFileError

Meaning: TypeAlias = Literal["registered", "waiting", "attended", "absent", "cancelled", "none"]
"""``none`` is no registration at all: a test, a cart that nobody paid, a role that takes no seat."""
MEANINGS: Final[tuple[Meaning, ...]] = get_args(Meaning)
UNFINISHED: Final = "nobody finished it: it was neither paid nor confirmed"
NO_SEAT: Final = "the clusters file says that this is no registration"
_APOSTROPHES: Final = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
_MARKS: Final = re.compile(r"[\u0300-\u036f]")


def folded(word: str) -> str:
    """A word as it is compared: without capitals, accents and needless spaces."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", word.translate(_APOSTROPHES)))
    return " ".join(bare.casefold().split())


@dataclass(frozen=True, slots=True)
class Words:
    """The meanings that a cluster gives to its former system's words, by the word as :func:`folded`."""

    cluster: str = ""
    meanings: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])

    def asked(self, word: str, known: Iterable[str], meanings: Iterable[str] = MEANINGS) -> str:
        """Why a row with an unknown word is set aside: which words are known, and where to answer."""
        section = f"[clusters.{self.cluster or 'CLUSTER'}]"
        return (
            f'"{word}" is none of {", ".join(known)}: write under {section} of the clusters file '
            f'statuses = {{ events = {{ "{word}" = "…" }} }}, where … is {", ".join(meanings)}, and import again'
        )


NO_WORDS: Final = Words()


def words_of(cluster: Cluster | None, code: str = "") -> Words:
    """What the clusters file says of a cluster's former events system. Raises ClustersFileError."""
    if cluster is None:
        return Words(code)
    meanings: dict[str, Meaning] = {}
    for word, meaning in cluster.statuses.get("events", {}).items():
        if meaning not in MEANINGS:
            raise ClustersFileError(
                f'clusters.{cluster.code}.statuses.events."{word}": "{meaning}" is no meaning; '
                f"there are {', '.join(MEANINGS)}"
            )
        meanings[folded(word)] = meaning
    return Words(cluster.code, meanings)


class Vocabulary:
    """A product's own words for a status, as it writes them."""

    def __init__(self, meanings: Mapping[str, Meaning]) -> None:
        self.words = tuple(meanings)
        self.meanings: dict[str, Meaning] = {folded(word): meaning for word, meaning in meanings.items()}


def decided(cells: Cells, column: str, written: str, known: Vocabulary, words: Words) -> RegistrationStatus | NoFact:
    """The status that a word means: as configured, else as the product says.

    Raises CellError, which lists the words that are known.
    """
    word = folded(written)
    if not word:
        raise CellError(column, "", "the row has no status: correct it, or export again with this column filled")
    if (configured := words.meanings.get(word)) is not None:
        return status_or_none(cells, configured, NO_SEAT)
    if (meaning := known.meanings.get(word)) is None:
        raise CellError(column, written, words.asked(written, known.words))
    return status_or_none(cells, meaning, UNFINISHED)


def status_or_none(cells: Cells, meaning: Meaning, why: str) -> RegistrationStatus | NoFact:
    """The status of a fact; a row that is no registration makes none."""
    return NoFact(cells.line, why) if meaning == "none" else meaning
