"""``make check`` runs this: no dependency of the image may be under the GPL or the AGPL alone, and NOTICE must be true.

The project is under the EUPL-1.2. An image that held a GPL-only library would have to be given on under the GPL as a
whole (EUPL, article 5). What installed distributions say of themselves is read, in this order: the SPDX expression
(PEP 639), classifiers, the free text. A distribution that says nothing is a fault as well: somebody has to look.
"""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
LOCK = FOLDER / "requirements.lock"
NOTICE = FOLDER.parents[1] / "NOTICE"

LOOKED_UP = {"mrml": ("MIT",), "saxonche": ("MPL-2.0-no-copyleft-exception",)}
"""Those that say nothing of themselves, as their source files do. Look again when a version changes."""

_CLASSIFIER = "License :: OSI Approved :: "
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==\S+(.*)$", re.MULTILINE)
_WORD = re.compile(r"[()]|[^\s()]+")
_LIBRARY = re.compile(r"\bLGPL|\bGNU Lesser|\bMPL\b|\bMozilla Public", re.IGNORECASE)
_STRONG = re.compile(r"\bA?GPL|\bGNU (?:Affero )?General Public", re.IGNORECASE)


class Dependency(NamedTuple):
    """A distribution and what it says of its licence; each of ``ways`` is one that it may be used under."""

    name: str
    ways: tuple[str, ...]

    @property
    def is_strong(self) -> bool:
        """Whether every way would make the whole image theirs."""
        return all(_STRONG.search(way) for way in self.ways)

    @property
    def is_library(self) -> bool:
        """Whether every way asks something of whoever gives it on: LGPL or MPL. NOTICE names these."""
        return all(_LIBRARY.search(way) for way in self.ways)

    @property
    def line(self) -> str:
        """As NOTICE has it."""
        return f"{self.name}: {' or '.join(self.ways)}"


def main() -> int:
    """Print faults; the exit code says whether there are any."""
    faults = [*_faults()]
    for fault in faults:
        sys.stderr.write(f"licences: {fault}\n")
    return 1 if faults else 0


def dependencies() -> list[Dependency]:
    """All that the image installs. Raises LookupError for one that is not installed here."""
    result: list[Dependency] = []
    for name, marker in _PINNED.findall(LOCK.read_text("utf-8")):
        try:
            result.append(Dependency(name, ways(distribution(name).metadata) or LOOKED_UP.get(name, ())))
        except PackageNotFoundError:
            if ";" not in marker:  # else for another system than this one
                raise LookupError(f"{name} is locked and not installed: make .venv/ready") from None
    return result


def ways(metadata: PackageMetadata) -> tuple[str, ...]:
    """The licences that a distribution leaves the choice of; empty if it says nothing."""
    if expressions := metadata.get_all("License-Expression"):
        return tuple(_alternatives(_WORD.findall(expressions[0])))
    classifiers = [item for item in metadata.get_all("Classifier") or () if item.startswith(_CLASSIFIER)]
    if classifiers:
        return tuple(classifier.removeprefix(_CLASSIFIER) for classifier in classifiers)
    text = "\n".join(metadata.get_all("License") or ()).strip()
    return (text.splitlines()[0],) if text else ()


def _alternatives(words: list[str]) -> list[str]:
    """``A AND (B OR C)`` → ``A AND B``, ``A AND C``. Takes the words that it reads."""
    ways: list[str] = []
    together = [""]
    while words and (word := words.pop(0)) != ")":
        if word == "OR":
            ways, together = [*ways, *together], [""]
            continue
        some = _alternatives(words) if word == "(" else [word]
        together = [f"{text} {other}".strip() for text in together for other in some]
    return [*ways, *together]


def _faults() -> Iterator[str]:
    notice = NOTICE.read_text("utf-8").splitlines()
    named = {line.strip() for line in notice if line.startswith("    ")}
    asked = set[str]()
    for dependency in dependencies():
        if not dependency.ways:
            yield f"{dependency.name} does not say what its licence is"
        elif dependency.is_strong:
            ways = " or ".join(dependency.ways)
            yield f"{dependency.name} is under {ways} alone, which the EUPL-1.2 cannot be given on with"
        elif dependency.is_library:
            asked.add(dependency.line)
    yield from (f"NOTICE lacks the line '    {line}'" for line in sorted(asked - named))
    yield from (f"NOTICE has '{line}', which is not so any more" for line in sorted(named - asked))


if __name__ == "__main__":
    sys.exit(main())
