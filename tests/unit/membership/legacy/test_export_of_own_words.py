"""What a product said itself can be said to it again."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.membership.legacy import recognise
from services.membership.legacy.export import write
from shared.importing.outcomes import Accepted
from shared.importing.table import Row, Table
from tests.support.examples import examples
from tests.unit.membership.legacy import exports
from tests.unit.membership.legacy.written import SOFTWARE, VERSION

cells = st.sampled_from(("", "Zoé", "Müller", "ACME", "04 72 00 00 00", "a, b; c", "12 rue\\nBât. B", "x@y.example"))
SPECIAL: dict[str, st.SearchStrategy[str]] = {
    "date": st.sampled_from(("", "31/12/2024", "2019-01-01")),
    "Oui": st.sampled_from(("Oui", "Non")),
    "0/1": st.sampled_from(("", "1")),
    "amount": st.sampled_from(("", "1200,00", "480")),
}


def kind_of(header: str) -> str | None:
    name = header.casefold()
    if "date de naissance" in name:
        return None
    if name.startswith("date") or "date" in name.split() or name == "member since":
        return "date"
    if name in ("compte", "exempt de cotisation", "inscription à la lettre d'information"):
        return "Oui"
    if name.startswith(("do not", "no bulk")):
        return "0/1"
    return "amount" if name in ("montant", "total amount") else None


@st.composite
def rows(draw: st.DrawFn, headers: Sequence[str], fixed: dict[str, tuple[str, ...]]) -> list[str]:
    line: list[str] = []
    for header in headers:
        kind = kind_of(header)
        strategy = st.sampled_from(fixed[header]) if header in fixed else SPECIAL[kind] if kind else cells
        line.append(draw(strategy))
    return line


NEVER = ("",)
CIVI = {"Contact ID": ("12",), "Contact Type": ("Individual", "Organization", "Household"),
        "Contact is in Trash": NEVER, "Test": NEVER, "On Hold": NEVER, "Display Name": ("Le Club",),
        "First Name": ("Zoé",), "Last Name": ("Müller",),
        "Organization Name": ("",), "Legal Name": ("", "ACME"), "Contact Subtype": ("", "Sponsor"),
        "Legal Identifier": ("", "123456782", "12345678200010", "W691234567"),
        "Membership Status": ("New", "Current", "Pending", "Expired"), "Membership ID": ("", "M1")}  # fmt: skip
IDS_OF_TERMS = ("Id adhésion", "Membership ID")
OF_A_TERM = ("Date adhésion", "Montant", "Note (publique)", "Membership Type",
             "Membership Start Date", "Total Amount", "Membership Status", "Payment Method")  # fmt: skip
WRITTEN = [
    ("galette", exports.GALETTE, {"ID de l'adhérent": ("12",), "Personne morale": ("", "ACME"), "Nom ": ("Roux",)}),
    ("galette", exports.GALETTE_RAW, {"id_adh": ("12",), "nom_adh": ("Roux",), "mdp_adh": NEVER}),
    ("paheko", exports.PAHEKO, {"Numéro de membre": ("12",), "Nom & prénom": ("Zoé Roux",)}),
    ("dolibarr", exports.DOLIBARR_THIRD_PARTIES, {"Id": ("12",), "Nom": ("ACME",)}),
    ("dolibarr", exports.DOLIBARR_MEMBERS, {"ID adhérent": ("12",), "Société": ("ACME",), "Nom": ("Roux",),
        "Nature de l'adhérent": ("phy", "mor"), "État": ("0", "1", "-1")}),
    ("civicrm", exports.CIVICRM_CONTACTS, CIVI),
    ("civicrm", exports.CIVICRM_MEMBERSHIPS, CIVI),
]  # fmt: skip


@pytest.mark.parametrize(
    ("software", "headers", "fixed"), WRITTEN, ids=lambda value: value if value in SOFTWARE else ""
)
@given(data=st.data())
@settings(max_examples=examples(300), deadline=None)
def test_what_a_product_said_can_be_said_to_it_again(
    software: str, headers: Sequence[str], fixed: dict[str, tuple[str, ...]], data: st.DataObject
) -> None:
    first, second = data.draw(rows(headers, fixed)), data.draw(rows(headers, fixed))
    # Rows of one member that disagree about the member itself are read by the first: only terms differ here.
    second = [
        "A2" if name in IDS_OF_TERMS else new if name in OF_A_TERM else old
        for name, old, new in zip(headers, first, second, strict=True)
    ]
    lines = [first, second]
    table = Table(
        Path("x"), tuple(headers), (Row(n, tuple(line)) for n, line in enumerate(lines, 2)), "csv", len(lines)
    )
    for outcome in recognise(table).translate(table, VERSION):
        if isinstance(outcome, Accepted):
            assert write(outcome.fact, software).left_out == (), outcome.fact
