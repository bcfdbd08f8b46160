"""Writes what producers read: a JSON Schema for each type, ``asyncapi.json``, and the examples in ``PRODUCERS.md``.

Besides, a JSON Schema for each operation, in ``published/operations/``.

    python -m schemas.generator.publish            write what changed, unless it would refuse what was accepted before
    python -m schemas.generator.publish --check    write nothing; tell what differs, and exit with 1 if something does

The published files are the promise: what they accept stays accepted. To change a type otherwise, raise its
``schema_version``: the new version gets a file of its own, and the old one stays.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.base import Content
from schemas.catalogue import FACTS
from schemas.generator import asyncapi, operations
from schemas.generator.compatibility import incompatible
from schemas.generator.json_schema import event_schema
from schemas.generator.producers import with_facts
from schemas.operations import OPERATIONS

ROOT = Path(__file__).parents[1]
ASYNCAPI = "asyncapi.json"
_REFUSAL = """\
{faults}
These changes would refuse messages that are accepted today. Raise schema_version of the fact, which gives the new
version a file of its own. Where no producer can have sent such a message, delete the published file first.
"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What generating gave, against what is published under ``root``."""

    root: Path
    wanted: dict[Path, str]
    incompatible: list[str]

    @property
    def drifted(self) -> list[Path]:
        """Files that are missing, or hold something else than they would now."""
        return [path for path, content in self.wanted.items() if not path.is_file() or path.read_text() != content]

    def write(self) -> list[Path]:
        """Write what drifted, and return it."""
        drifted = self.drifted
        for path in drifted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.wanted[path])
        return drifted


def compare(root: Path = ROOT, facts: Sequence[type[Content]] = FACTS) -> Comparison:
    """Generate everything, and compare it with what lies under ``root``."""
    folder, page = root / "published", root / "PRODUCERS.md"
    generated = {fact.type_name(): event_schema(fact) for fact in facts}
    published = {path.stem: json.loads(path.read_text()) for path in folder.glob("fr.traboule.*.json")}
    wanted = {folder / f"{name}.json": _text(schema) for name, schema in generated.items()}
    wanted |= {
        folder / operations.FOLDER / f"{operation.name}.json": _text(operations.contract(operation))
        for operation in OPERATIONS
    }
    wanted[folder / ASYNCAPI] = _text(asyncapi.document(facts))
    if page.is_file():
        wanted[page] = with_facts(page.read_text(), facts)
    return Comparison(root, wanted, incompatible(published, generated))


def main(arguments: Sequence[str]) -> int:
    """The command; the exit code is 1 for drift under ``--check``, and for an incompatible change always."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    result = compare()
    if result.incompatible:
        sys.stderr.write(_REFUSAL.format(faults="\n".join(result.incompatible)))
        return 1
    if arguments:
        for path in result.drifted:
            sys.stderr.write(f"{path.relative_to(ROOT.parent)} is not what the code says: run make schemas\n")
        return 1 if result.drifted else 0
    for path in result.write():
        sys.stdout.write(f"{path.relative_to(ROOT.parent)}\n")
    return 0


def _text(tree: dict[str, Any]) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
