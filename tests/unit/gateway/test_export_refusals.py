"""What a spreadsheet says that a member refuses: each channel that is refused, and whether mail reaches it at all."""

import pytest

from services.gateway.api.export_columns import COLUMNS, REFUSALS, line, with_refusals
from services.membership.translations import Language


def a_member(*in_force, suppressed=()):
    """As it is listed: verdicts are (channel, purpose, allowed)."""
    verdicts = [
        {"channel": channel, "purpose": purpose, "allowed": allowed, "because_of": "numelink/B-7"}
        for channel, purpose, allowed in in_force
    ]
    more = {"suppressed": [{"reason": reason} for reason in suppressed]} if suppressed else {}
    return {"document": {"consents": {"in_force": verdicts, "decisions": [], **more}}}


def refuses(member, language: Language = "fr"):
    (cell,) = line([REFUSALS], member, language)
    return cell


def test_what_is_allowed_is_no_refusal_and_all_that_is_refused_is_named():
    member = a_member(("email", "*", True), ("bulk-email", "*", False), ("phone", "fundraising", False))

    assert refuses(member) == "envois en nombre (tout usage), téléphone (fundraising)"
    assert refuses(member, "en") == "bulk e-mail (any purpose), phone (fundraising)"
    assert refuses(a_member(("email", "*", True))) == ""
    assert refuses(a_member()) == ""


@pytest.mark.parametrize("reason", ["hard-bounce", "unknown-address"])
def test_an_address_that_receives_nothing_is_named_beside_what_is_refused(reason):
    refusing = a_member(("email", "*", False), suppressed=[reason])

    assert refuses(refusing) == "courriel (tout usage), adresse qui ne reçoit rien"
    assert refuses(a_member(suppressed=["objection", reason]), "en") == "address that receives nothing"


@pytest.mark.parametrize("reason", ["objection", "complaint"])
def test_an_objection_is_no_dead_address(reason):
    assert refuses(a_member(("email", "*", False), suppressed=[reason])) == "courriel (tout usage)"


@pytest.mark.parametrize("name", ["street", "phone", "email", "mobile"])
def test_no_address_leaves_without_what_is_refused(name):
    assert with_refusals(["name", name]) == ("name", name, REFUSALS)
    assert with_refusals([REFUSALS, name]) == [REFUSALS, name]
    assert {each for each, column in COLUMNS.items() if column.addresses} == {"street", "phone", "email", "mobile"}
    assert with_refusals(["name", "city"]) == ["name", "city"]
