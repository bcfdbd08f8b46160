"""Billing exports in the shapes of their products: what is read, what is set aside, and what must be ticked."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.cli.importing.file_report import FileReport
from services.cli.importing.reading import open_files
from shared.importing.outcomes import Accepted, NoFact, Rejection, UnreadableError
from tests.unit.billing.legacy.exports import SYSTEM, facts, outcomes

LINES = (
    "Identifiant société,Raison sociale,Id facture,Réf. facture,Identifiant de la facture source,Type,Date facturation,"
    "Date échéance,Total HT,Total TTC,Total TVA,Statut facture,Raison de la clôture anticipée,Identifiant de ligne,"
    "Description de ligne,Montant TTC de la ligne,Date début,Date fin,"
)
INVOICE = "1,SAS Gier,7,FA2601-0007,,0,2026-01-15,2026-02-14,500.00000000,600.00000000,100.00000000,2,"
PAYMENTS = (
    "Identifiant société,Id facture,Réf. facture,Type,Date facturation,Total TTC,Statut facture,Id paiement,"
    "Montant paiement,Montant paiement affecté à la facture,Date paiement,Mode de règlement (code),"
)
GALETTE = (
    '"Contribution id";"Contributeur ";"Type de contribution ";"Montant ";"Type de paiement ";"Commentaires ";"Date";'
    '"Date de début d’adhésion  / Date contribution ";"Date de fin d’adhésion\u202f";"ID Transaction"'
)
MEMBERS = '"ID de l\'adhérent ";"Nom ";"Prénom ";"Personne morale "'
CIVICRM = (
    '"Contact ID","Contribution ID","Contribution Source","Contribution Date","Total Amount","Payment Methods",'
    '"Invoice Number","Currency","Test","Contribution Status"'
)


def test_dolibarr_an_invoice_is_made_of_its_lines_with_their_days(tmp_path: Path) -> None:
    lines = [
        LINES,
        f"{INVOICE},21,Cotisation 2026,300.00000000,2026-01-01,2026-06-30,",
        f"{INVOICE},22,Seconde moitié,300.00000000,2026-07-01,2026-12-31,",
    ]
    [invoice] = facts(tmp_path, factures=lines)
    assert isinstance(invoice, InvoiceRecorded)
    assert (invoice.invoice_id, invoice.record_id, invoice.number, invoice.status) == ("7", "1", "FA2601-0007", "paid")
    assert (invoice.period_starts_on, invoice.period_ends_on) == (date(2026, 1, 1), date(2026, 12, 31))
    assert (invoice.net, invoice.vat, invoice.gross) == (Decimal(500), Decimal(100), Decimal(600))
    assert (invoice.label, invoice.due_on) == ("Cotisation 2026", date(2026, 2, 14))


def test_dolibarr_a_credit_note_names_what_it_corrects_and_is_negative(tmp_path: Path) -> None:
    credit = "1,SAS Gier,9,AV2601-0001,7,2,2026-03-01,,-200.00000000,-240.00000000,-40.00000000,1,,31,Avoir,-240.00,,,"
    [fact] = facts(tmp_path, factures=[LINES, credit])
    assert isinstance(fact, InvoiceRecorded)
    assert (fact.kind, fact.corrects, fact.gross, fact.period_starts_on) == ("credit-note", "7", Decimal(-240), None)


WIDE = LINES.replace("Description de ligne,", "Créance,Description de ligne,Prix unitaire de la ligne,").replace(
    "Montant TTC de la ligne,",
    "Quantité pour la ligne,Taux de TVA de la ligne,Montant HT de la ligne,Montant TVA de la ligne,"
    "Montant TTC de la ligne,",
)


def test_dolibarr_lines_are_kept_with_their_amounts_and_vat_of_each_rate(tmp_path: Path) -> None:
    lines = [
        WIDE,
        f"{INVOICE},21,0.00000000,Cotisation,200.00000000,2,20.0000,400.00000000,80.00000000,480.00000000,,,",
        f"{INVOICE},22,0.00000000,Repas,33.33333333,3,20.0000,100.00000000,20.00000000,120.00000000,,,",
    ]
    [invoice] = facts(tmp_path, factures=lines)
    assert isinstance(invoice, InvoiceRecorded)
    assert [(line.label, line.quantity, line.unit_price, line.net, line.vat_rate) for line in invoice.lines] == [
        ("Cotisation", 2, 200, 400, 20),
        ("Repas", 3, Decimal("33.333333"), 100, 20),
    ]
    assert [(rate.rate, rate.net, rate.vat) for rate in invoice.vat_rates] == [(20, 500, 100)]
    assert invoice.written_off is None


def test_dolibarr_rates_that_do_not_add_up_are_left_out_and_a_person_is_told(tmp_path: Path) -> None:
    line = f"{INVOICE},21,0.00,Cotisation,500.00,1,20.0000,499.99,100.00,600.00,,,"
    [outcome] = outcomes(tmp_path, factures=[WIDE, line])
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.fact, InvoiceRecorded)
    assert (outcome.fact.vat_rates, outcome.fact.lines[0].net) == ((), Decimal("499.99"))
    assert "without its amounts by rate" in outcome.notices[0].reason


def test_dolibarr_what_was_given_up_is_known_where_the_export_says_what_was_left(tmp_path: Path) -> None:
    line = f"{INVOICE}badcustomer,21,150.00,Cotisation,500.00,1,20.0000,500.00,100.00,600.00,,,"
    [outcome] = outcomes(tmp_path, factures=[WIDE, line])
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.fact, InvoiceRecorded)
    assert (outcome.fact.status, outcome.fact.written_off, outcome.notices) == ("issued", Decimal(150), ())


@pytest.mark.parametrize(("code", "status"), [("0", "draft"), ("1", "issued"), ("2", "paid"), ("3", "cancelled")])
def test_dolibarr_each_status_has_its_meaning(tmp_path: Path, code: str, status: str) -> None:
    row = f"1,SAS Gier,7,FA-7,,0,2026-01-15,,500.00,600.00,100.00,{code},,21,Cotisation,600.00,,,"
    [fact] = facts(tmp_path, factures=[LINES, row])
    assert isinstance(fact, InvoiceRecorded)
    assert fact.status == status


def test_dolibarr_what_a_bad_customer_owes_is_not_paid_and_a_person_is_told(tmp_path: Path) -> None:
    [outcome] = outcomes(tmp_path, factures=[LINES, f"{INVOICE}badcustomer,21,Cotisation,600.00,,,"])
    assert isinstance(outcome, Accepted)
    assert isinstance(outcome.fact, InvoiceRecorded)
    assert (outcome.fact.status, outcome.notices[0].value) == ("issued", "badcustomer")


def test_dolibarr_a_pro_forma_is_set_aside(tmp_path: Path) -> None:
    row = "1,SAS Gier,7,PF-7,,4,2026-01-15,,500.00,600.00,100.00,1,,21,Cotisation,600.00,,,"
    [outcome] = outcomes(tmp_path, factures=[LINES, row])
    assert isinstance(outcome, Rejection)
    assert (outcome.field, "a pro forma" in outcome.reason) == ("Type", True)


def test_dolibarr_lines_without_their_ids_are_taken_only_where_they_add_up(tmp_path: Path) -> None:
    header = LINES.replace("Identifiant de ligne,", "")
    half = f"{INVOICE},Cotisation,300.00,,,"
    [refused] = outcomes(tmp_path, factures=[header, half])
    assert isinstance(refused, Rejection)
    assert "tick « Identifiant de ligne »" in refused.reason
    [whole] = outcomes(tmp_path, factures=[header, f"{INVOICE},Cotisation,600.00,,,"])
    assert isinstance(whole, Accepted)


def test_dolibarr_a_payment_of_two_invoices_is_a_part_on_each(tmp_path: Path) -> None:
    rows = [
        PAYMENTS,
        "1,7,FA-7,0,2026-01-15,600.00,2,5,920.00,600.00,2026-02-01 12:00:00,VIR,",
        "1,8,FA-8,0,2026-01-15,320.00,2,5,920.00,320.00,2026-02-01 12:00:00,VIR,",
        "2,9,FA-9,0,2026-01-15,320.00,1,,,,,,",
    ]
    payments = facts(tmp_path, paiements=rows)
    assert [(p.payment_id, p.invoice_id, p.amount, p.method) for p in payments if isinstance(p, PaymentRecorded)] == [
        ("5/7", "7", Decimal(600), "VIR"), ("5/8", "8", Decimal(320), "VIR"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        ([PAYMENTS.replace("Id paiement,", "")], "Id paiement"),
        ([PAYMENTS.replace("Id facture,", "")], "Id facture"),
        ([LINES.replace("Identifiant société,", "")], "Identifiant société"),
        ([CIVICRM.replace('"Contribution ID",', "")], "Contribution ID"),
    ],
)
def test_an_export_whose_rows_cannot_be_told_apart_is_named_with_what_to_tick(
    tmp_path: Path, lines: list[str], column: str
) -> None:
    with pytest.raises(UnreadableError, match=f"cochez « {column} »"):
        outcomes(tmp_path, export=lines)


def test_galette_a_contribution_is_due_and_payment_of_the_member_whose_name_it_bears(tmp_path: Path) -> None:
    contributions = [
        GALETTE,
        '"58";"ROUX Michel";"cotisation annuelle";"1200.00";"Virement";"";"2026-01-22";"01/01/2026";"31/12/2026";""',
        '"59";"Forges du Gier";"Donation pécuniaire";"50.00";"Chèque";"";"2026-02-01";"01/02/2026";"";""',
    ]
    members = [MEMBERS, '"1042";"Roux";"Michel";"Ateliers"', '"1043";"";"";"Forges du Gier"']
    due, paid, gift, given = facts(tmp_path, contributions=contributions, membres=members)
    assert isinstance(due, InvoiceRecorded)
    assert isinstance(gift, InvoiceRecorded)
    assert (due.record_id, due.status, due.period_ends_on) == ("1042", "paid", date(2026, 12, 31))
    assert isinstance(paid, PaymentRecorded)
    assert (paid.invoice_id, paid.amount, paid.paid_on) == ("58", Decimal(1200), date(2026, 1, 22))
    assert (gift.record_id, gift.period_starts_on, given.record_id) == ("1043", None, "1043")


def test_galette_a_payer_whom_nobody_or_several_answer_to_is_set_aside(tmp_path: Path) -> None:
    row = '"{}";"{}";"cotisation";"10.00";"Virement";"";"2026-01-22";"01/01/2026";"31/12/2026";""'
    members = [MEMBERS, '"1";"Roux";"Michel";""', '"2";"ROUX";"michel";""']
    contributions = [GALETTE, row.format(1, "ROUX Michel"), row.format(2, "INCONNU Zoé")]
    first, second = outcomes(tmp_path, contributions=contributions, membres=members)
    assert isinstance(first, Rejection)
    assert isinstance(second, Rejection)
    assert (first.reason[:9], second.reason[:9]) == ("2 members", "no member")


def test_galette_contributions_without_the_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="la liste des membres, dans la même commande"):
        outcomes(tmp_path, contributions=[GALETTE])


ENTRIES = (
    '"Numéro d\'écriture","Type","Statut","Libellé","Date","Remarques","Numéro pièce comptable","Référence paiement",'
    '"Compte de débit","Compte de crédit","Montant","Membres associés"'
)


def test_paheko_entries_on_the_account_of_dues_are_invoices_and_a_claim_is_open(tmp_path: Path) -> None:
    entries = [
        ENTRIES,
        '"1","Recette","","Cotisation 2026","2026-01-01","","P100","CHQ 1","530","756","1200,00","Vauban Automobile"',
        '"2","Créance","En attente de règlement","Cotisation","02/01/2026","","","","411","7561","320,00","Forges"',
        '"3","Dépense","","Loyer","2026-01-03","","","","613","512","800,00",""',
    ]
    members = ['"Numéro de membre","Nom & prénom"', '"100","Vauban Automobile"', '"101","FORGES"']
    due, paid, claim, *nothing = outcomes(tmp_path, compta=entries, membres=members)
    assert isinstance(due, Accepted)
    assert isinstance(paid, Accepted)
    assert isinstance(claim, Accepted)
    assert isinstance(due.fact, InvoiceRecorded)
    assert isinstance(paid.fact, PaymentRecorded)
    assert isinstance(claim.fact, InvoiceRecorded)
    assert (due.fact.record_id, due.fact.number, due.fact.gross) == ("100", "P100", Decimal(1200))
    assert (paid.fact.amount, paid.fact.method) == (Decimal(1200), "CHQ 1")
    assert (claim.fact.record_id, claim.fact.status, claim.fact.issued_on) == ("101", "issued", date(2026, 1, 2))
    assert [type(outcome) for outcome in nothing] == [NoFact]


@pytest.mark.parametrize(
    ("status", "expected"),
    [("Completed", ["paid", None]), ("Pending", ["issued"]), ("Refunded", ["cancelled"])],
)
def test_civicrm_each_status_has_its_meaning(tmp_path: Path, status: str, expected: list[str | None]) -> None:
    row = f'"3","88","Cotisation 2026","2026-01-15 10:00:00","150.50","Check","","EUR","","{status}"'
    made = facts(tmp_path, contributions=[CIVICRM, row])
    assert [getattr(fact, "status", None) for fact in made] == expected
    assert {fact.record_id for fact in made} == {"3"}


@pytest.mark.parametrize(
    ("test", "status", "field"), [("1", "Completed", "Test"), ("", "Étrange", "Contribution Status")]
)
def test_civicrm_what_is_no_contribution_or_not_known_is_set_aside(
    tmp_path: Path, test: str, status: str, field: str
) -> None:
    row = f'"3","88","Cotisation","2026-01-15 10:00:00","150.50","Check","","EUR","{test}","{status}"'
    [outcome] = outcomes(tmp_path, contributions=[CIVICRM, row])
    assert isinstance(outcome, Rejection)
    assert outcome.field == field


def test_an_unknown_currency_is_refused_by_its_name(tmp_path: Path) -> None:
    row = '"3","88","Cotisation","2026-01-15","150.50","Check","","USD","","Completed"'
    [outcome] = outcomes(tmp_path, contributions=[CIVICRM, row])
    assert isinstance(outcome, Rejection)
    assert (outcome.field, outcome.value) == ("currency", "USD")


def test_sums_are_told_for_each_kind_and_a_credit_note_counts_below_zero(tmp_path: Path) -> None:
    from services.cli.importing.reading import messages

    path = tmp_path / "factures.csv"
    credit = "1,SAS Gier,9,AV-1,7,2,2026-03-01,,-200.00,-240.00,-40.00,1,,31,Avoir,-240.00,,,"
    path.write_text("\n".join([LINES, f"{INVOICE},21,Cotisation,600.00,,,", credit]), "utf-8")
    files = open_files(SYSTEM, [path])
    assert list(messages(SYSTEM, files))
    report: FileReport = files[0].report
    assert (report.sums, report.rows, report.accepted) == ({"InvoiceRecorded": Decimal(360)}, 2, 2)
