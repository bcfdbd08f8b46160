"""Files of participants with their products' real headers, and what an import makes of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.events import EventRecorded, RegistrationRecorded
from services.cli.importing.file_report import FileReport
from services.cli.importing.reading import Choice, FormerSystem, messages, open_files
from services.events.legacy import FIELDS
from services.membership.legacy.mapping import parse

SYSTEM = FormerSystem("numelink", "events")
OTHER = FormerSystem("clustr-numerique", "events")
HELLOASSO = (
    "Référence commande;Date de la commande;Statut de la commande;Nom participant;Prénom participant;Nom payeur;"
    "Prénom payeur;Email payeur;Raison sociale;Moyen de paiement;Billet;Numéro de billet;Tarif;Montant tarif;"
    "Code Promo;Montant code promo;Déjeuner;Montant Déjeuner;Mail du participant;J'accepte les mails"
)
HELLOASSO_NAME = "export-apero-de-rentree-numelink-01_09_2026-30_11_2026.csv"
CIVICRM = (
    "Contact ID,Display Name,First Name,Last Name,Email,Event ID,Event Title,Event Start Date,Event End Date,"
    "Event Type,Participant ID,Participant Status (label),Status ID,Participant Role (label),Participant Role ID (ID),"
    "Participant Note,Register date,Participant Source,Fee level,Test,Is Pay Later,Fee Amount,Discount Name,"
    "Fee Currency,Registered By Participant ID,Transferred to Contact ID,Campaign ID"
)
ATTENDEES = (
    "ID technique,Réf.,E-mail du participant,Prénom,Nom,E-mail de l'entreprise,Date d'inscription,Montant payé,"
    "Note (publique),Note (privée),Date création,Date modification,Créé par,Mise à jour par,Id import,Adresse IP,État,"
    "Id facture,Id projet,Ref projet,Identifiant tiers"
)
AGENDA = (
    "ID évènement,Réf. externe,Réf.,Date création,Date début événément,Date de fin,Lieu,Titre,Note,Pourcentage,Durée,"
    "Type événement,Code,Identifiant société,Raison sociale,Ref projet"
)
BOOKINGS = (
    "EVENEMENT;NOM;PRENOM;ADRESSE;CODE POSTAL;VILLE;TELEPHONE;GSM;COURRIEL ;GROUPE;NOMBRE DE PERSONNES;Déjeuner;"
    "MONTANT;TYPE DE PAIEMENT;NOM DE LA BANQUE;NUMERO DE CHEQUE"
)
ODOO = "External ID,Attendee Name,Email,Phone,Company Name,Event,Event Ticket,Booked by,Status,Attended Date,Barcode"
EVENTBRITE = (
    "Order #,Order Date,First Name,Last Name,Email,Quantity,Price Tier,Ticket Type,Attendee #,Group,Order Type,"
    "Currency,Total Paid,Fees Paid,Eventbrite Fees,Eventbrite Payment Processing,Attendee Status,Home Address 1"
)
WEEZEVENT = "Numéro de commande;Date commande;Tarif;Prénom participant;Nom participant;Montant TTC;Canal de vente;Email"


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # type: ignore[misc]


def row(header: str, cells: Mapping[str, str], separator: str = ";") -> str:
    """A line of a file with this header; each cell quoted."""
    names = [name.strip() for name in header.split(separator)]
    assert set(cells) <= set(names)
    return separator.join(f'"{cells.get(name, "")}"' for name in names)


class Read:
    """What comes of a file: its facts, and the report of its import."""

    def __init__(self, facts: Sequence[Any], report: FileReport) -> None:
        self.events = [fact for fact in facts if isinstance(fact, EventRecorded)]
        self.registrations = [fact for fact in facts if isinstance(fact, RegistrationRecorded)]
        self.report = report

    @property
    def statuses(self) -> dict[str, str]:
        return {fact.registration_id: fact.status for fact in self.registrations}

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return [(fault.line, fault.field, fault.reason) for fault in self.report.rejections]


def read(
    folder: Path,
    name: str,
    *lines: str,
    system: FormerSystem = SYSTEM,
    columns: Sequence[str] = (),
    event: str | None = None,
    product: str | None = None,
    others: Mapping[str, str] | None = None,
) -> Read:
    """Import one file, among others of the same command."""
    paths = [folder / name]
    paths[0].write_text("\n".join(lines) + "\n", "utf-8")
    for other, text in (others or {}).items():
        paths.append(folder / other)
        paths[-1].write_text(text, "utf-8")
    choice = Choice(product, parse(columns, FIELDS), folder, event)
    opened = open_files(system, paths, choice=choice)
    facts = [outcome.fact for outcome in opened[0].outcomes if hasattr(outcome, "fact")]
    opened = open_files(system, paths, choice=choice)
    list(messages(system, opened))
    report = opened[0].report
    assert report.rows == report.accepted + report.rejected
    return Read(facts, report)
