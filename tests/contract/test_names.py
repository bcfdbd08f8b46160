"""Names are the field's: no word of the old vocabulary is an identifier (CONTRIBUTING.md, Language)."""

import ast
import builtins
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    source
    for folder in ("services", "shared", "schemas", "deploy", "tests")
    for source in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in source.parts  # an applied migration never changes
]

PARTS = frozenset(
    (
        *("told", "tell", "tells", "said", "say", "says", "held", "here", "there"),
        *("house", "desk", "standing", "beside", "hand", "hands", "door", "doors"),
    )
)
"""No part of an identifier: ``told``, ``_told`` and ``what_was_told`` alike."""
WHOLE = frozenset(("one", "ones", "found"))
"""Not an identifier by themselves; ``one_snapshot`` says something."""

WIRE = frozenset(
    (
        # Members of answers, columns and files: what is on the wire or in a database keeps its name.
        *("found", "found_at", "held", "held_back", "held_twice", "held_up_seconds", "here", "newer_here", "there"),
        *("headcount_said_by", "said", "said_by", "said_on", "told", "written_here"),
    )
)
STANDARD = frozenset(("held_out",))
"""Terms of the field: records are held out of a fit to be judged by it."""
LEFT = {
    "services/membership/legacy": {"_found", "_kept_there", "_made_here", "not_there", "beside", "made_here"},
    "services/membership/matching": {"_found", "_said", "_there", "found", "held", "here", "tells"},
    "services/membership/usecases": {"_changed_here"},
    "schemas": {"heldback"},
    "services/billing": {"_held_for_settled", "one"},
    "services/cli/billing": {"_not_there"},
    "services/cli/importing": {"_say", "beside", "read_beside"},
    "shared/importing": {"_as_told"},
}
"""Still to be renamed, in lower case. Nothing is added here; whoever renames one takes it away."""


_TEXTS = re.compile(r'"""(?:[^\\]|\\.)*?"""|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|#[^\n]*', re.DOTALL)
"""Docstrings, other texts and comments."""


def may_give_a_refused_name(code: str) -> bool:
    """Whether a refused name is anywhere in it but in texts: parsing what has none would take most of the time."""
    return any(is_refused(name) for name in set(re.findall(r"[^\W\d]\w*", _TEXTS.sub(" ", code))))


def identifiers(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a module gives, with its line."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.alias(asname=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name, node.lineno


def words_of(identifier: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)]


@cache
def is_refused(identifier: str) -> bool:
    # The name of a test is a sentence.
    if identifier in WIRE | STANDARD or identifier.startswith("test_"):
        return False
    return identifier.strip("_").lower() in WHOLE or bool(PARTS & set(words_of(identifier)))


@pytest.mark.parametrize(
    ("identifier", "refused"),
    [
        ("_told", True),
        ("MemberNotThereError", True),
        ("running_house", True),
        ("one", True),
        ("Found", True),
        ("one_snapshot", False),
        ("handler", False),
        ("toldo", False),
        ("outstanding", False),
        ("said_by", False),
        ("held_out", False),
    ],
)
def test_what_is_refused(identifier: str, refused: bool) -> None:
    assert is_refused(identifier) is refused


@pytest.mark.parametrize(
    ("code", "parsed"),
    [
        ('"""What is told here."""', False),
        ("'held'  # said", False),
        ("it's = 1  # don't", False),
        ('_told = "what"', True),
        ('"""A \\""" in it."""; house = 1', True),
        ("as_told = f\"{'held'}\"", True),
    ],
)
def test_what_is_parsed(code: str, parsed: bool) -> None:
    assert may_give_a_refused_name(code) is parsed


def test_no_identifier_has_a_word_of_the_old_vocabulary() -> None:
    refused: list[str] = []
    for source in SOURCES:
        path = source.relative_to(ROOT).as_posix()
        left = {name for folder, names in LEFT.items() if path.startswith(f"{folder}/") for name in names}
        code = source.read_text("utf-8")
        named = [(source.stem, 0)]
        if may_give_a_refused_name(code):
            named += identifiers(ast.parse(code))
        refused += [f"{path}:{line}: {name}" for name, line in named if is_refused(name) and name.lower() not in left]

    assert refused == []


# Defined, imported on a line or in a list of names, or an attribute of a module.
_ERROR = re.compile(r"(?:\bclass |\bimport [^\n]*?|^ {4}|\.)(\w+Error)\b", re.MULTILINE)
_RAISES = re.compile(r"\bRaises ([^.]*)")


def test_every_error_that_a_docstring_names_exists() -> None:
    """``Raises X``: whoever renames an error renames it there too."""
    texts = {source.relative_to(ROOT).as_posix(): source.read_text() for source in SOURCES}
    known = {name for text in texts.values() for name in _ERROR.findall(_RAISES.sub("", text))}
    named = {
        name: place
        for place, text in texts.items()
        for sentence in _RAISES.findall(text)
        for name in re.findall(r"\b[A-Z]\w*Error\b", sentence)
    }
    assert len(named) > 50
    assert not {name: where for name, where in named.items() if name not in known and not hasattr(builtins, name)}
