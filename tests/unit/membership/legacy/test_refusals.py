"""Each product's columns of what a member refuses: what an empty cell means there, and the same on the way back."""

from pathlib import Path

import pytest

from services.membership.legacy.export import write
from tests.unit.membership.legacy.exports import CIVICRM_CONTACTS, PAHEKO, civicrm, facts, paheko, translate

LETTER = "Inscription à la lettre d'information"
MEMBER = {"Numéro de membre": "5", "Nom & prénom": "Atelier Vélo", "Catégorie": "Membres actifs"}
CONTACT = {"Contact ID": "41", "Contact Type": "Organization", "Organization Name": "ACME"}


def cell(written, header: str) -> str:
    return written.rows[0][written.columns.index(header)]


@pytest.mark.parametrize(("written", "refuses"), [("Oui", ()), ("", ("bulk-email",)), ("Non", ("bulk-email",))])
def test_paheko_s_letter_is_refused_unless_its_box_is_ticked(
    tmp_path: Path, written: str, refuses: tuple[str, ...]
) -> None:
    _, outcomes = translate(tmp_path, paheko(MEMBER | {LETTER: written}))
    [fact] = facts(outcomes)
    assert fact.opt_outs == refuses
    back = write(fact, "paheko")
    assert cell(back, LETTER) == ("Non" if refuses else "Oui")
    assert back.left_out == ()


def test_paheko_without_the_column_says_nothing_and_nothing_is_made_up(tmp_path: Path) -> None:
    headers = [name for name in PAHEKO if name != LETTER]
    rows = [",".join(headers), ",".join(MEMBER.get(name, "") for name in headers)]
    _, outcomes = translate(tmp_path, "\n".join(rows).encode())
    [fact] = facts(outcomes)
    assert fact.opt_outs == ()
    assert cell(write(fact, "paheko"), LETTER) == ""


@pytest.mark.parametrize(
    ("column", "channel"),
    [
        ("Do Not Email", "email"),
        ("No Bulk Emails (User Opt Out)", "bulk-email"),
        ("Do Not Phone", "phone"),
        ("Do Not Mail", "post"),
        ("Do Not Sms", "sms"),
    ],
)
@pytest.mark.parametrize(("written", "is_refused"), [("1", True), ("Yes", True), ("", False), ("0", False)])
def test_civicrm_s_columns_are_refusals_where_they_are_ticked(
    tmp_path: Path, column: str, channel: str, written: str, is_refused: bool
) -> None:
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT | {column: written}))
    [fact] = facts(outcomes)
    assert fact.opt_outs == ((channel,) if is_refused else ())
    back = write(fact, "civicrm")
    assert cell(back, column) == ("1" if is_refused else "")
    assert back.left_out == ()


def test_a_word_that_is_neither_yes_nor_no_is_a_refusal_and_is_told(tmp_path: Path) -> None:
    _, [outcome] = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT | {"Do Not Mail": "sauf urgence"}))
    assert outcome.fact.opt_outs == ("post",)
    assert outcome.fact.extra["Do Not Mail"] == "sauf urgence"
    assert [(notice.field, notice.value) for notice in outcome.notices] == [("Do Not Mail", "sauf urgence")]


@pytest.mark.parametrize(
    ("written", "refuses"), [("On Hold Opt Out", ("bulk-email",)), ("On Hold Bounce", ()), ("No", ()), ("", ())]
)
def test_civicrm_s_hold_is_a_refusal_by_wish_and_none_by_bounce(
    tmp_path: Path, written: str, refuses: tuple[str, ...]
) -> None:
    _, outcomes = translate(tmp_path, civicrm(CIVICRM_CONTACTS, CONTACT | {"On Hold": written}))
    assert facts(outcomes)[0].opt_outs == refuses
