"""Two records field by field: every level has a verdict, and nothing but levels gives one."""

from services.membership.matching.comparison import _VERDICTS, COMPARED, comparison  # pyright: ignore[reportPrivateUsage]
from services.membership.matching.explanations import LEVELS
from services.membership.matching.levels import FIELDS, Levels

NOTHING = Levels(*(None for _ in FIELDS))


def test_every_level_has_a_verdict_and_every_field_is_compared() -> None:
    assert set(COMPARED) == set(FIELDS)
    assert {field: set(verdicts) for field, verdicts in _VERDICTS.items()} == {
        field: set(levels) for field, levels in LEVELS.items()
    }


def test_a_level_decides_and_not_what_is_written() -> None:
    ours, theirs = {"name": "Forges du Gier", "brand": "Gier"}, {"name": "Groupe Forges du Gier"}

    (row,) = comparison(NOTHING._replace(name="extended"), ours, theirs, "fr")

    assert row == {
        "field": "name",
        "verdict": "near",
        "level": "extended",
        "words": "Même nom, l'un ajoute un mot courant (Groupe…)",
        "left": ours,
        "right": theirs,
    }


def test_what_only_one_has_is_said_and_what_none_has_is_left_out() -> None:
    rows = comparison(NOTHING, {"phone": "04 77 00 00 01"}, {"phone": "", "siren": "732829320"}, "en")

    assert [(row["field"], row["verdict"], row["left"], row["right"]) for row in rows] == [
        ("siren", "one", {}, {"siren": "732829320"}),
        ("phone", "one", {"phone": "04 77 00 00 01"}, {}),
    ]


def test_two_values_that_nobody_compared_have_no_verdict() -> None:
    (row,) = comparison(NOTHING, {"siren": "12"}, {"siren": "12"}, "en")

    assert (row["verdict"], row["level"], row["words"]) == (None, None, None)


def test_a_level_that_an_older_program_gave_has_its_name_for_words() -> None:
    (row,) = comparison(NOTHING._replace(street="opposite"), {"street": "1 rue A"}, {"street": "2 rue A"}, "fr")

    assert (row["verdict"], row["words"]) == (None, "opposite")
