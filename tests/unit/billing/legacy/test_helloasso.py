"""HelloAsso's exports: who paid, for which order, and what is no dues."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from schemas.billing import InvoiceRecorded, PaymentRecorded
from shared.importing.outcomes import Accepted, NoFact, Rejection, UnreadableError
from tests.unit.billing.legacy.exports import facts, outcomes

HELLOASSO = (
    "Référence commande;Référence paiement;Montant total;Date du paiement;Statut du paiement;Versé;Date du versement;"
    "Nom payeur;Prénom payeur;Email payeur;Campagne;Type de campagne;Montant du tarif;Montant des options;"
    "Don supplémentaire;Montant du code promo;Moyen de paiement"
)
FORM = (
    "Référence commande;Date de la commande;Statut de la commande;Nom adhérent;Prénom adhérent;Carte d'adhérent;"
    "Nom payeur;Prénom payeur;Email payeur;Raison sociale;Moyen de paiement;Tarif;Montant tarif;Code Promo;"
    "Montant code promo;Adresse;Telephone;Numéro SIRET de la structure "
)
LIST = [
    "record_id;name;contact_last_name;contact_first_name;email;siret",
    "1042;Ateliers du Gier;Roux;Michel;compta@ateliers.example;732 829 320 00074",
    "1043;Forges;Roux;Zoé;zoe@forges.example;",
    "1044;Verrerie;Roux;Zoé;;",
]


def a_payment(reference: str, amount: str, status: str = "Payé", gift: str = "", kind: str = "Adhésion") -> str:
    payer = "Roux;Michel;Compta@Ateliers.example;Adhésion 2026"
    return (
        f"900;{reference};{amount};03/04/2026 18:23:13;{status};Oui;10/04/2026;{payer};{kind};;;{gift};;Carte bancaire"
    )


def test_helloasso_each_instalment_of_an_order_is_a_payment_and_a_gift_is_no_dues(tmp_path: Path) -> None:
    rows = [HELLOASSO, a_payment("71", "1 600,00", gift="100,00"), a_payment("72", "40,00", "Hors Ligne")]
    payments = facts(tmp_path, paiements=rows, membres=LIST)
    made = [(p.payment_id, p.invoice_id, p.record_id, p.amount) for p in payments if isinstance(p, PaymentRecorded)]
    assert made == [("71", "900", "1042", Decimal(1500)), ("72", "900", "1042", Decimal(40))]
    assert getattr(payments[0], "paid_on", None) == date(2026, 4, 3)


def test_helloasso_what_was_paid_back_is_nought_and_what_is_no_dues_makes_nothing(tmp_path: Path) -> None:
    rows = [
        HELLOASSO, a_payment("71", "120,00", "Remboursé"), a_payment("72", "120,00", "Refusé"),
        a_payment("73", "15,00", kind="Billetterie"), a_payment("74", "120,00", "Étrange"),
    ]  # fmt: skip
    back, *nothing, strange = outcomes(tmp_path, paiements=rows, membres=LIST)
    assert isinstance(back, Accepted)
    assert isinstance(back.fact, PaymentRecorded)
    assert back.fact.amount == 0
    assert [type(outcome) for outcome in nothing] == [NoFact, NoFact]
    assert isinstance(strange, Rejection)
    assert (strange.field, strange.value) == ("Statut du paiement", "Étrange")


def an_order(reference: str, company: str = "", siret: str = "", price: str = "320,00", status: str = "Validé") -> str:
    payer = "Inconnu;Léa;lea@chez-elle.example"
    paid = f"Carte bancaire;Cotisation 2026;{price};PROMO;20,00"
    return f"{reference};03/04/2026 18:20;{status};Inconnu;Léa;;{payer};{company};{paid};1 rue;0600000000;{siret}"


def test_helloasso_an_order_is_owed_by_the_company_that_its_answers_name(tmp_path: Path) -> None:
    rows = [
        FORM, an_order("900", siret="73282932000074"), an_order("900", siret="732 829 320 00074", price="100,00"),
        an_order("901", company="FORGES", status="Annulé"),
    ]  # fmt: skip
    order, cancelled = facts(tmp_path, adhesions=rows, membres=LIST)
    assert isinstance(order, InvoiceRecorded)
    assert isinstance(cancelled, InvoiceRecorded)
    assert (order.record_id, order.invoice_id, order.gross, order.status) == ("1042", "900", Decimal(380), "issued")
    assert [line.net for line in order.lines] == [300, 80]
    assert (cancelled.record_id, cancelled.status, cancelled.issued_on) == ("1043", "cancelled", date(2026, 4, 3))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([an_order("900")], "no member of the list"),
        ([an_order("900", company="Forges"), an_order("900", company="Verrerie")], "pays for several members"),
        ([an_order("900", company="Forges", status="Peut-être")], "is none of"),
    ],
)
def test_helloasso_an_order_of_nobody_or_of_several_is_set_aside(tmp_path: Path, rows: list[str], reason: str) -> None:
    every = outcomes(tmp_path, adhesions=[FORM, *rows], membres=LIST)
    assert len(every) == len(rows)
    assert all(isinstance(outcome, Rejection) and reason in outcome.reason for outcome in every)


def test_helloasso_two_members_whose_contact_has_the_name_of_the_payer_are_a_question(tmp_path: Path) -> None:
    row = a_payment("71", "120,00").replace("Roux;Michel;Compta@Ateliers.example", "Roux;Zoé;zoe@ailleurs.example")
    [outcome] = outcomes(tmp_path, paiements=[HELLOASSO, row], membres=LIST)
    assert isinstance(outcome, Rejection)
    assert "2 members answer to it" in outcome.reason


def test_helloasso_payments_without_their_campaign_or_without_members_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="cochez « Type de campagne »"):
        outcomes(tmp_path, paiements=[HELLOASSO.replace("Type de campagne;", "")], membres=LIST)
    with pytest.raises(UnreadableError, match="la liste des membres, dans la même commande"):
        outcomes(tmp_path, adhesions=[FORM])
