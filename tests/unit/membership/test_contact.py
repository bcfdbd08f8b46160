"""Who is written to for a source record: as it is written, as it is understood, and as its member is shown."""

from typing import Any

import pytest

from schemas.membership_contacts import ContactDescribed
from services.membership.descriptions.contact import contact_of
from services.membership.records.record import RecordKey, SourceRecord


def described(written: dict[str, Any], view: dict[str, Any] | None = None, **understood: Any) -> ContactDescribed:
    key = RecordKey("numelink", "1042")
    record = SourceRecord(key, {"name": "Ateliers"} | written, understood, None, None, "ateliers", key.own_id)
    return contact_of(record, view)


def test_an_address_is_said_as_written_and_as_understood() -> None:
    contact = described({"email": "Zoe@Gier.example; x"}, email="zoe@gier.example")
    assert (contact.email_written, contact.email) == ("Zoe@Gier.example; x", "zoe@gier.example")


def test_what_staff_set_by_hand_is_what_the_member_is_shown_with() -> None:
    contact = described({"email": "old@gier.example"}, {"email": {"value": "new@gier.example"}})
    assert contact.shown_email == "new@gier.example"


def test_a_member_that_is_shown_no_more_has_no_shown_address() -> None:
    assert described({}, None).shown_email is None


@pytest.mark.parametrize(
    ("header", "written", "language"),
    [
        ("Preferred Language", "en_US", "en"),
        ("Langue par défaut", "Français", "fr"),
        ("langue", "Anglais", "en"),
        ("Langue", "Deutsch", None),
        ("Langue", "", None),
        ("Note", "English", None),
    ],
)
def test_the_language_is_read_from_a_column_of_its_own(header: str, written: str, language: str | None) -> None:
    assert described({"extra": {header: written}}).language == language


def test_a_salutation_is_kept_as_written_and_a_text_is_none() -> None:
    assert described({"extra": {"Civilité": " Madame "}}).salutation == "Madame"
    assert described({"extra": {"Titre": "Présidente du conseil d'administration de la société"}}).salutation is None


def test_opt_outs_of_the_card_are_said() -> None:
    assert described({"opt_outs": ["bulk-email", "sms"]}).opt_outs == ("bulk-email", "sms")
