"""A field is named by the header of the product's own file."""

import pytest

from services.membership.legacy.headers import header_of


@pytest.mark.parametrize(
    ("product", "field", "header"),
    [
        ("Dolibarr members", "paid_until", "Date fin adhésion"),
        ("Dolibarr members", "subscriptions", "Id adhésion"),
        ("Dolibarr members", "status", "État"),
        ("Dolibarr third parties", "headcount", "Effectifs"),
        ("Dolibarr contacts", "works_for", "Identifiant société"),
        ("Galette members", "paid_until", "Date d’échéance"),
        ("Galette members", "exempt", "Exempt de cotisation"),
        ("Paheko members", "opt_outs", "Inscription à la lettre d'information"),
        ("CiviCRM contacts", "opt_outs", "No Bulk Emails (User Opt Out)"),
        ("CiviCRM memberships", "member_since", "Member Since"),
        ("plain table", "phone", "phone"),
        ("Galette members", "siret", None),
        ("Galette members", "extra:Langue", None),
        ("plain table of InvoiceRecorded", "net", None),
    ],
)
def test_the_column_of_a_field(product: str, field: str, header: str | None) -> None:
    assert header_of(product, field) == header
