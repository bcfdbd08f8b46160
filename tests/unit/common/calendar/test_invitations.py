"""Invitations: what calendars read in a series of them, and the part of the mail that carries one."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from services.common.calendar.entry import (
    CalendarError,
    Mailbox,
    registration_uid,
    sequence_after,
    session_uid,
)
from services.common.calendar.invitation import Invitation, cancellation, request
from tests.support.calendars import GUEST, ORGANIZER, PARSERS, ShownCalendar, an_entry

reading = pytest.mark.parametrize("read", PARSERS.values(), ids=PARSERS)
Read = Callable[[bytes], ShownCalendar]


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2027, month, day, hour, minute, tzinfo=UTC)


@reading
def test_a_guest_s_calendar_reads_the_session_its_organiser_and_nobody_else(read: Read) -> None:
    calendar = read(request(an_entry(), ORGANIZER, GUEST).text.encode())

    (event,) = calendar.events
    assert calendar.method == "REQUEST"
    assert (event.uid, event.sequence, event.status) == ("S1.R1@clustr.example", 0, "CONFIRMED")
    assert (event.starts_at, event.ends_at) == (utc(1, 28, 7, 30), utc(1, 28, 9, 30))
    assert event.stamped_at == utc(1, 4, 8)
    assert event.summary == "Petit-déjeuner de l'IA"
    assert event.location == "12 rue de la République, 69002 Lyon"
    assert event.url == "https://clustr.example/e/1"
    assert event.organizer == "mailto:evenements@clustr.example"
    assert event.attendees == ("mailto:lea.martin@example.org",)


def test_no_answer_is_asked_for_and_no_alarm_is_set() -> None:
    lines = request(an_entry(), ORGANIZER, GUEST).text.replace("\r\n ", "").split("\r\n")
    (attendee,) = (line for line in lines if line.startswith("ATTENDEE"))
    assert {"RSVP=FALSE", "PARTSTAT=ACCEPTED"} <= set(attendee.partition(":")[0].split(";"))
    assert "BEGIN:VALARM" not in lines


@reading
def test_a_series_keeps_its_uid_and_organiser_and_grows_in_sequence_and_stamp(read: Read) -> None:
    first = an_entry()
    moved = replace(first, starts_at=utc(1, 28, 8), stamped_at=first.stamped_at + timedelta(days=1))
    moved = replace(moved, sequence=sequence_after(first, moved))
    later = moved.stamped_at + timedelta(days=1)
    series = [
        request(first, ORGANIZER, GUEST),
        request(moved, ORGANIZER, GUEST),
        cancellation(moved, ORGANIZER, GUEST, stamped_at=later),
    ]

    calendars = [read(message.text.encode()) for message in series]
    assert [calendar.method for calendar in calendars] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [calendar.events[0] for calendar in calendars]
    assert len({(event.uid, event.organizer, event.attendees) for event in events}) == 1
    assert [event.sequence for event in events] == [0, 1, 2]
    assert [event.stamped_at for event in events] == [utc(1, 4, 8), utc(1, 5, 8), utc(1, 6, 8)]
    assert [event.status for event in events] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert [event.starts_at for event in events] == [utc(1, 28, 7, 30), utc(1, 28, 8), utc(1, 28, 8)]


@pytest.mark.parametrize(
    ("changed", "grows"),
    [
        ({"starts_at": utc(1, 28, 7)}, True),
        ({"ends_at": None}, True),
        ({"place": "Grenoble"}, True),
        ({"join_url": "https://visio.example/1"}, True),
        ({"status": "tentative"}, True),
        ({"zone": "UTC"}, True),
        ({"title": "Autre titre"}, False),
        ({"description": "Venez."}, False),
        ({"page_url": None}, False),
        ({"stamped_at": utc(1, 5, 8)}, False),
    ],
)
def test_the_sequence_grows_when_time_place_or_status_change(changed: dict[str, Any], grows: bool) -> None:
    before = an_entry(sequence=4)
    assert sequence_after(before, replace(before, **changed)) == (5 if grows else 4)


@reading
@pytest.mark.parametrize(
    ("starts_at", "ends_at"),
    [
        (utc(3, 28, 0, 30), utc(3, 28, 1, 30)),  # 01:30 to 03:30 in Paris, one hour long
        (utc(3, 28, 1), utc(3, 28, 2)),
        (utc(10, 31, 0, 30), utc(10, 31, 2, 30)),  # the first 02:30
        (utc(10, 31, 1, 30), utc(10, 31, 2, 30)),  # the second 02:30
        (utc(10, 31, 0, 15), utc(10, 31, 1, 15)),  # from the first 02:15 to the second
    ],
)
def test_sessions_in_the_nights_on_which_clocks_change_keep_their_moments(
    starts_at: datetime, ends_at: datetime, read: Read
) -> None:
    entry = an_entry(starts_at=starts_at, ends_at=ends_at)
    (event,) = read(request(entry, ORGANIZER, GUEST).text.encode()).events
    assert (event.starts_at, event.ends_at) == (starts_at, ends_at)


@reading
def test_another_zone_keeps_its_moment_too(read: Read) -> None:
    entry = an_entry(zone="Indian/Reunion", ends_at=None)
    (event,) = read(request(entry, ORGANIZER, GUEST).text.encode()).events
    assert (event.starts_at, event.ends_at) == (entry.starts_at, None)


@reading
def test_an_on_line_session_has_its_address_where_every_program_shows_it(read: Read) -> None:
    url = "https://visio.example/j/1?pwd=a,b;c"
    entry = an_entry(place=None, page_url=None, join_url=url, description="Bonjour")
    invitation = request(entry, ORGANIZER, GUEST)
    (event,) = read(invitation.text.encode()).events
    assert event.location == event.url == url
    assert event.description == f"Bonjour\n\n{url}"
    assert f"\r\nCONFERENCE;FEATURE=VIDEO;VALUE=URI:{url}\r\n" in invitation.text.replace("\r\n ", "")


@reading
def test_a_session_in_a_room_and_on_line_shows_both(read: Read) -> None:
    (event,) = read(request(an_entry(join_url="https://visio.example/1"), ORGANIZER, GUEST).text.encode()).events
    assert event.location == "12 rue de la République, 69002 Lyon"
    assert event.url == "https://clustr.example/e/1"
    assert event.description == "https://visio.example/1"


def sent_with(invitation: Invitation) -> EmailMessage:
    """A mail with it, as bytes over the wire and back."""
    mail = EmailMessage(SMTP)
    mail.set_content("Vous êtes inscrite.")
    mail.add_alternative("<p>Vous êtes inscrite.</p>", subtype="html")
    mail.attach(invitation.part())  # pyright: ignore[reportArgumentType] # any part will do, whatever typeshed says
    received = message_from_bytes(mail.as_bytes(), policy=SMTP)
    assert isinstance(received, EmailMessage)
    return received


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_the_part_of_the_mail_says_the_method_that_its_text_says(method: str) -> None:
    entry = an_entry(title="Été 👩‍💻")
    message = (
        request(entry, ORGANIZER, GUEST)
        if method == "REQUEST"
        else cancellation(entry, ORGANIZER, GUEST, stamped_at=utc(1, 5, 8))
    )
    mail = sent_with(message)
    assert mail.get_content_type() == "multipart/alternative"
    *_, part = mail.iter_parts()
    assert part["Content-Type"].params == {"method": method, "charset": "utf-8"}
    assert part.get_content_type() == "text/calendar"
    assert part.get_content_disposition() is None
    payload = part.get_payload(decode=True)
    assert payload == message.text.encode()
    assert [PARSERS[name](message.text.encode()).method for name in PARSERS] == [method, method]


def test_lines_have_75_octets_at_most_and_end_with_cr_lf() -> None:
    entry = an_entry(title="é👩‍💻" * 60, description="Une ligne ; une autre, " * 40, place="x" * 300)
    text = request(entry, ORGANIZER, Mailbox("Ÿ" * 100, "a@example.org")).text
    lines = text.encode().split(b"\r\n")
    assert lines[-1] == b""
    assert max(map(len, lines)) == 75
    assert not re.search(rb"[\r\n]", b"".join(lines))
    for line in lines:
        line.decode()  # no character is cut in two


@pytest.mark.parametrize(
    ("address", "uri"),
    [
        ("lea+ia@example.org", "mailto:lea+ia@example.org"),
        ("o'neil@example.org", "mailto:o'neil@example.org"),
        ("a?b&c%d@example.org", "mailto:a%3Fb%26c%25d@example.org"),
        ("prénom@exämple.org", "mailto:pr%C3%A9nom@ex%C3%A4mple.org"),
    ],
)
def test_addresses_are_addresses_of_mail(address: str, uri: str) -> None:
    assert Mailbox("Léa", address).uri == uri
    text = request(an_entry(), ORGANIZER, Mailbox("Léa", address)).text
    assert f":{uri}\r\n" in text.replace("\r\n ", "")


@reading
def test_a_name_cannot_add_a_property_or_a_parameter(read: Read) -> None:
    guest = Mailbox('Léa"\r\nATTENDEE:mailto:x@example.org\n;ROLE=CHAIR', "lea@example.org")
    invitation = request(an_entry(title="A\r\nATTENDEE:mailto:x@example.org"), ORGANIZER, guest)
    (event,) = read(invitation.text.encode()).events
    assert event.attendees == ("mailto:lea@example.org",)
    assert event.summary == "A ATTENDEE:mailto:x@example.org"
    assert invitation.text.count("\r\nATTENDEE") == 1


@pytest.mark.parametrize("address", ["", "lea", "lea@", "@example.org", "a@b@c", "a b@example.org", "a@b\n"])
def test_what_is_no_address_is_refused_without_being_shown(address: str) -> None:
    with pytest.raises(CalendarError) as refused:
        Mailbox("Léa Martin", address)
    assert "Léa" not in str(refused.value)
    assert "lea" not in str(refused.value)


@pytest.mark.parametrize(
    ("different", "field"),
    [
        ({"starts_at": datetime(2027, 1, 28, 7)}, "starts_at"),  # noqa: DTZ001
        ({"ends_at": datetime(2027, 1, 28, 9)}, "ends_at"),  # noqa: DTZ001
        ({"stamped_at": datetime(2027, 1, 4)}, "stamped_at"),  # noqa: DTZ001
        ({"ends_at": utc(1, 28, 7, 30)}, "ends_at"),
        ({"join_url": "javascript:alert(1)"}, "join_url"),
        ({"join_url": "https://a.example/\r\nX:1"}, "join_url"),
        ({"page_url": "https:///e/1"}, "page_url"),
        ({"page_url": "https://[e/1"}, "page_url"),
    ],
)
def test_an_entry_that_no_calendar_could_show_is_refused_with_its_field(different: dict[str, Any], field: str) -> None:
    with pytest.raises(CalendarError, match=f"^{field}: "):
        an_entry(**different)


def test_a_cancelled_entry_is_no_request_and_a_cancellation_is_not_older_than_what_was_sent() -> None:
    with pytest.raises(CalendarError, match=r"^status: "):
        request(an_entry(status="cancelled"), ORGANIZER, GUEST)
    with pytest.raises(CalendarError, match=r"^stamped_at: "):
        cancellation(an_entry(), ORGANIZER, GUEST, stamped_at=utc(1, 3, 8))


@pytest.mark.parametrize(
    ("session", "registration", "domain"),
    [("S 1", "R1", "a.example"), ("S.1", "R1", "a.example"), ("", "R1", "a.example"), ("S1", "x" * 81, "a.example"),
     ("S1", "R1", "localhost"), ("S1", "R1", "A.example"), ("S1", "R1\n", "a.example")],
)  # fmt: skip
def test_a_uid_is_made_of_plain_ids_and_a_domain(session: str, registration: str, domain: str) -> None:
    with pytest.raises(CalendarError, match=r"^uid: "):
        registration_uid(session, registration, domain)


def test_uids_differ_by_session_and_registration() -> None:
    uids = {registration_uid(s, r, "a.example") for s in ("S1", "S2") for r in ("R1", "R2")}
    assert len({*uids, session_uid("S1", "a.example")}) == 5
