"""HelloAsso's participants: a row a person, the payer is somebody else, and the gathering stands in the file's name."""

from pathlib import Path

import pytest

from schemas.events import Registrant
from shared.importing.correcting import MARK
from shared.importing.outcomes import UnreadableError
from tests.unit.events.legacy.exports import HELLOASSO, HELLOASSO_NAME, Read, at, read, row


def a_row(number: str, **cells: str) -> str:
    usual = {
        "Référence commande": "900000001",
        "Date de la commande": "05/09/2026 18:23",
        "Statut de la commande": "Validé",
        "Nom participant": "Müller",
        "Prénom participant": "Zoé",
        "Nom payeur": "Comptabilité",
        "Email payeur": "compta@gier.example",
        "Numéro de billet": number,
        "J'accepte les mails": "Oui",
    }
    return row(HELLOASSO, usual | cells)


def imported(folder: Path, *rows: str, name: str = HELLOASSO_NAME, event: str | None = None) -> Read:
    return read(folder, name, "\ufeff" + HELLOASSO, *rows, event=event)


def test_each_ticket_is_a_person_who_need_not_be_the_payer(tmp_path: Path) -> None:
    second = {"Nom participant": "Roux", "Mail du participant": "michel@roux.example"}
    result = imported(tmp_path, a_row("501"), a_row("502", **second))
    first, other = result.registrations
    assert (first.registration_id, first.event_id, first.seats) == ("501", "apero-de-rentree-numelink", 1)
    assert first.registered_at == at(2026, 9, 5, 16, 23)
    assert first.registrant == Registrant(kind="guest", name="Zoé Müller"), "the payer's address is the accounts'"
    assert other.registrant == Registrant(kind="guest", name="Zoé Roux", email="michel@roux.example")
    assert (result.report.product, result.report.seats) == ("HelloAsso participants", {"registered": 2})


def test_the_payer_s_address_is_that_of_who_comes_where_both_are_one(tmp_path: Path) -> None:
    payer = {"Nom payeur": "MULLER", "Prénom payeur": "Zoe", "Email payeur": "zoe@gier.example"}
    (fact,) = imported(tmp_path, a_row("501", **payer)).registrations
    assert fact.registrant == Registrant(kind="guest", name="Zoé Müller", email="zoe@gier.example")


def test_a_gift_on_the_form_is_no_registration(tmp_path: Path) -> None:
    gift = {"Nom participant": "", "Prénom participant": "", "Tarif": "Don"}
    result = imported(tmp_path, a_row("501"), a_row("", **gift))
    assert list(result.statuses) == ["501"]
    assert (result.report.accepted, result.report.without_fact) == (2, 1)


def test_what_was_cancelled_or_paid_back_takes_no_seat_and_an_unknown_word_is_asked(tmp_path: Path) -> None:
    words = ("Validé", "Annulé", "remboursé", "Refusé", "En réflexion", "")
    rows = [a_row(str(number), **{"Statut de la commande": word}) for number, word in enumerate(words)]
    result = imported(tmp_path, *rows)
    assert result.statuses == {"0": "registered", "1": "cancelled", "2": "cancelled", "3": "cancelled"}
    [(line, field, reason), (_, _, empty)] = result.reasons
    assert (line, field) == (6, "Statut de la commande")
    assert "is none of Validé, Annulé, Remboursé, Refusé" in reason
    assert '[clusters.numelink] of the clusters file statuses = { events = { "En réflexion" = "…" } }' in reason
    assert "the row has no status" in empty


def test_tickets_without_a_number_get_an_id_of_their_order_and_a_notice(tmp_path: Path) -> None:
    rows = (a_row(""), a_row("501"), a_row("", **{"Nom participant": "Roux"}), a_row("", **{"Référence commande": "7"}))
    result = imported(tmp_path, *rows)
    assert list(result.statuses) == ["900000001/1", "501", "900000001/2", "7/1"]
    assert [notice.line for notice in result.report.notices] == [2, 4, 5]
    assert list(imported(tmp_path, *rows).statuses) == list(result.statuses), "the next export has the same ids"


def test_rows_that_were_set_aside_are_corrected_where_their_place_is_not_their_id(tmp_path: Path) -> None:
    name = f"traboule-rejects-numelink-events-rows-of-{HELLOASSO_NAME}"
    rows = [f"reason;{a_row('501')}", f"reason;{a_row('')}"]
    result = read(tmp_path, name, f"{MARK};{HELLOASSO}", *rows)
    assert [(fact.registration_id, fact.event_id) for fact in result.registrations] == [
        ("501", "apero-de-rentree-numelink")
    ]
    assert "its id is its place in the whole export" in result.reasons[0][2]


def test_a_name_with_a_newline_is_written_on_one_line(tmp_path: Path) -> None:
    (fact,) = imported(tmp_path, a_row("501", **{"Prénom participant": "Zoé\nBcc: a@b.example\r\n"})).registrations
    assert fact.registrant is not None
    assert fact.registrant.name == "Zoé Bcc: a@b.example Müller"


def test_a_ticket_twice_is_the_same_or_set_aside(tmp_path: Path) -> None:
    result = imported(tmp_path, a_row("501"), a_row("501"), a_row("501", **{"Nom participant": "Roux"}))
    assert (len(result.registrations), result.report.repeated) == (1, 1)
    assert result.reasons == [(4, "registration_id", "line 2 has this registration_id, and says otherwise")]


def test_the_gathering_is_given_or_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="say --event with its id"):
        imported(tmp_path, a_row("501"), name="export.csv")
    (fact,) = imported(tmp_path, a_row("501"), name="export.csv", event="apero-2026").registrations
    assert fact.event_id == "apero-2026"
    named = imported(tmp_path, a_row("501"))
    assert "event_id: apero-de-rentree-numelink" in named.report.lacks, "for the table of gatherings"
    (fact,) = imported(tmp_path, a_row("501"), event="apero-2026").registrations
    assert fact.event_id == "apero-2026", "what somebody says counts for more than the name"


def test_a_clock_that_stood_twice_is_read_as_its_first(tmp_path: Path) -> None:
    (fact,) = imported(tmp_path, a_row("501", **{"Date de la commande": "25/10/2026 02:30"})).registrations
    assert fact.registered_at == at(2026, 10, 25, 0, 30)


def test_a_missing_column_is_named_and_other_exports_of_helloasso_are_no_participants(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match='without the column "Numéro de billet": tick it'):
        read(tmp_path, "x.csv", HELLOASSO.replace("Numéro de billet;", ""), event="E")
    with pytest.raises(UnreadableError, match="HelloAsso's export of a membership form"):
        read(tmp_path, "x.csv", "Référence commande;Statut de la commande;Nom adhérent;Montant tarif", "1;Validé;R;1")
    with pytest.raises(UnreadableError, match="HelloAsso's export of payments"):
        read(tmp_path, "x.csv", "Référence commande;Référence du paiement;Montant total;Statut du paiement", "1;2;3;x")
