"""What people write is taken as they write it, unless it is an order to a terminal or half a character."""

import pytest
import typer

from services.membership.identity.decisions import DecisionError, Signature
from shared.cli.author import required_text
from shared.runtime.text import is_text, printable, tidied

FRENCH = [
    "le prix\u00a0: 12\u202f€",
    "Société Générale",
    "trans\u00admission",
    "a\tb",
    "c'est «\u2009vu\u2009»",
    "œuvre 🏭",
]
NO_TEXT = ["a\x00", "\x07", "\x1b[2J", "\x85", "\udcff", "\u202eabc", "zero\u200bwidth", "a\rb", "a\u2028b"]


@pytest.mark.parametrize("text", FRENCH)
def test_ordinary_french_is_text(text: str) -> None:
    assert is_text(text)
    assert printable(text) == text
    assert required_text("--reason", text) == text
    assert Signature(text, text) == Signature(author=text, reason=text)


@pytest.mark.parametrize("text", NO_TEXT)
def test_orders_to_a_terminal_halves_and_unseen_marks_are_none(text: str) -> None:
    for lines in (True, False):
        assert not is_text(text, lines=lines)
        assert "\ufffd" in printable(text, lines=lines)
    with pytest.raises(typer.Exit):
        required_text("--reason", text)
    for author, reason in ((text, "why"), ("who", text)):
        with pytest.raises(DecisionError):
            Signature(author, reason)


def test_a_reason_has_as_many_lines_as_it_needs_and_an_author_has_one() -> None:
    assert Signature("m.durand", "first\r\nsecond").reason == "first\nsecond"
    assert Signature("m.durand", "\r\n" * 999 + "x").reason == "\n" * 999 + "x"
    with pytest.raises(DecisionError) as refused:
        Signature("m.\ndurand", "why")
    assert refused.value.kind == "author-unusable"


def test_one_line_is_one_line() -> None:
    assert required_text("--reason", " so it is \r\n") == "so it is"
    for text in ("a\nb", "a\r\nb"):
        assert not is_text(tidied(text))
        with pytest.raises(typer.Exit):
            required_text("--reason", text)
