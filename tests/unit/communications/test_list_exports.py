"""Lists and opt-outs in the shapes of their products: what is read, what is set aside, and what cannot be in a file."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.communications import ConsentRecorded
from services.cli.importing.file_report import FileReport
from services.cli.importing.reading import Choice, FormerSystem, messages, open_files
from services.cli.importing.sentences import objections
from services.communications.consents.objections import UNDATED
from shared.importing.outcomes import UnreadableError

SYSTEM = FormerSystem("numelink", "communications")
BREVO = "CONTACT ID;EMAIL;NOM;PRENOM;WHATSAPP;SMS;DOUBLE_OPT-IN;OPT_IN;EXT_ID;ADDED_TIME;MODIFIED_TIME"
MAILCHIMP = "First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP"
TARGET = '{n},"Müller","Zoé","{email}","Nom "Gier" SAS","2026-03-05 10:00:00","thirdparty","42","","{status}","",'
DUMP = """email zoe@gier.example
gecos Zoé Müller
date 1767603600
reception mail
subscribed 1

email Pause@gier.example
date 1767603600
reception nomail

email not an address
date 1767603600
"""


def imported(folder: Path, name: str, *lines: str, product: str | None = None, encoding: str = "utf-8") -> FileReport:
    return read(folder, name, *lines, product=product, encoding=encoding)[1]


def consents(folder: Path, name: str, *lines: str, product: str | None = None) -> list[ConsentRecorded]:
    return read(folder, name, *lines, product=product)[0]


def read(
    folder: Path, name: str, *lines: str, product: str | None = None, encoding: str = "utf-8"
) -> tuple[list[ConsentRecorded], FileReport]:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding)
    facts = [
        outcome.fact for file in open_files(SYSTEM, [path], choice=Choice(product)) for outcome in file.outcomes
        if hasattr(outcome, "fact")
    ]  # fmt: skip
    opened = open_files(SYSTEM, [path], choice=Choice(product))
    list(messages(SYSTEM, opened))
    report = opened[0].report
    assert report.rows == report.accepted + report.rejected
    return facts, report


def said(facts: Sequence[ConsentRecorded]) -> dict[str | None, tuple[str, str, str]]:
    return {fact.address: (fact.status, fact.channel, fact.purpose) for fact in facts}


def test_brevo_contacts_know_no_objection_and_ask_for_the_second_file(tmp_path: Path) -> None:
    facts, report = read(
        tmp_path,
        "contacts.csv",
        "\ufeff" + BREVO,
        "1;a@gier.example;Müller;Zoé;;;Yes;;;05-01-2026 09:00:00;05-01-2026 09:00:00",
        "2;b@gier.example;Forges;;;;;;;05-01-2026;",
        "3;no address;;;;;Yes;;;;",
    )
    assert said(facts) == {"a@gier.example": ("granted", "bulk-email", "newsletter")}
    assert facts[0].decided_at == datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
    assert (report.product, report.rows, report.rejected, report.objections) == ("Brevo contacts", 3, 1, 0)
    assert "exportez aussi les contacts" in objections(report)
    assert "export the blocklisted contacts" in objections(report)


def test_brevo_an_older_export_says_who_is_blocked(tmp_path: Path) -> None:
    header = f"{BREVO};EMAIL_BLACKLISTED"
    facts = consents(tmp_path, "contacts.csv", header, "1;a@gier.example;;;;;Yes;;;;05-01-2026 09:00:00;Yes")
    assert said(facts) == {"a@gier.example": ("refused", "bulk-email", "*")}


@pytest.mark.parametrize("header", ["EMAIL;Reason;Date", "E-mail;Raison;Date"])
def test_brevo_the_blocklist_objects_but_for_dead_addresses(tmp_path: Path, header: str) -> None:
    facts, report = read(
        tmp_path,
        "blocklist.csv",
        header,
        "A@Gier.example;Unsubscribed via campaign;05-01-2026",
        "b@gier.example;Complaint;06-01-2026",
        "c@gier.example;Hard bounce;06-01-2026",
        "d@gier.example;Blocked by admin;",
    )
    assert set(said(facts)) == {"A@Gier.example", "b@gier.example", "d@gier.example"}
    assert {fact.status for fact in facts} == {"withdrawn"}
    assert (facts[2].decided_at, report.objections) == (UNDATED, 3)


@pytest.mark.parametrize("label", ["Email Address", "Adresse e-mail"])
def test_mailchimp_the_name_of_the_file_is_the_state(tmp_path: Path, label: str) -> None:
    header = f"{label},{MAILCHIMP},LEID,EUID,NOTES,TAGS"
    row = "a@gier.example,Zoé,Müller,2,2025-03-01 10:00:00,192.0.2.1,2025-03-01 10:05:00,,7,e1,,"
    name = "email_audience_export_5f2a.csv"
    (granted,) = consents(tmp_path, f"subscribed_{name}", header, row)
    assert (granted.status, granted.proof) == ("granted", "OPTIN_IP 192.0.2.1")
    assert granted.decided_at == datetime(2025, 3, 1, 10, 5, tzinfo=UTC)
    (withdrawn,) = consents(tmp_path, f"unsubscribed_{name}", header, row)
    assert (withdrawn.status, withdrawn.purpose) == ("withdrawn", "*")
    assert withdrawn.consent_id == granted.consent_id, "the newer file says where the address is now"
    assert consents(tmp_path, f"cleaned_{name}", header, row) == []
    assert "unsubscribed" in imported(tmp_path, f"cleaned_{name}", header, row).lacks


def test_mailchimp_a_file_that_lost_its_name_is_asked_about(tmp_path: Path) -> None:
    header, row = "Email Address,LEID,EUID", "a@gier.example,7,e1"
    with pytest.raises(UnreadableError, match="say --product mailchimp-subscribed"):
        consents(tmp_path, "export.csv", header, row)
    (fact,) = consents(tmp_path, "export.csv", header, row, product="mailchimp-unsubscribed")
    assert fact.status == "withdrawn"


def test_mailchimp_unsubscribed_is_known_by_its_own_columns(tmp_path: Path) -> None:
    header = "Email Address,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID"
    (fact,) = consents(tmp_path, "x.csv", header, "a@gier.example,2026-01-05 08:00:00,Lettre,NORMAL,7,e1")
    assert (fact.decided_at, fact.proof) == (datetime(2026, 1, 5, 8, 0, tzinfo=UTC), "Lettre; NORMAL")


def test_sympa_a_pause_is_no_objection(tmp_path: Path) -> None:
    facts, report = read(tmp_path, "lettre.members.dump", DUMP)
    assert said(facts) == {"zoe@gier.example": ("granted", "bulk-email", "lettre")}
    assert facts[0].decided_at == datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert (report.product, report.rows, report.rejected) == ("Sympa member.dump", 3, 1)
    assert "exclusion_table" in report.lacks


def test_sympa_a_web_export_is_a_list_of_addresses(tmp_path: Path) -> None:
    facts, report = read(tmp_path, "lettre.txt", "# Exported subscribers", "zoe@gier.example\tZoé Müller")
    assert said(facts) == {"zoe@gier.example": ("granted", "bulk-email", "lettre")}
    assert report.product == "Sympa subscribers"


def test_mailman_a_list_of_addresses_on_an_old_server(tmp_path: Path) -> None:
    lines = "Zoé Müller <zoe@gier.example>", '"Forges, SA" <b@gier.example>', "c@gier.example", "# a comment", "nobody"
    path_facts, report = read(tmp_path, "annonces.txt", *lines, encoding="cp1252")
    assert set(said(path_facts)) == {"zoe@gier.example", "b@gier.example", "c@gier.example"}
    assert (report.product, report.encoding, report.rows, report.rejected) == ("Mailman list", "cp1252", 4, 1)


def test_dolibarr_targets_have_no_header_and_one_state_objects(tmp_path: Path) -> None:
    lines = [TARGET.format(n=n, email=f"{name}@gier.example", status=s) for n, name, s in
             ((1, "a", "3"), (2, "b", "2"), (3, "c", "-1"), (4, "d", "9"))]  # fmt: skip
    facts, report = read(tmp_path, "targets_emailing12_20260305.csv", *lines)
    assert said(facts) == {"a@gier.example": ("withdrawn", "bulk-email", "*")}
    assert facts[0].decided_at == datetime(2026, 3, 5, 9, 0, tzinfo=UTC)
    assert (facts[0].proof, report.rows, report.rejected) == ("target thirdparty 42", 4, 1)
    assert "llx_mailing_unsubscribe" in report.lacks


def test_dolibarr_the_dumped_table_takes_addresses_that_belong_to_nobody(tmp_path: Path) -> None:
    header = "rowid\tentity\temail\tunsubscribegroup\tip\tdate_creat\ttms"
    row = "7\t1\tperso@x.example\t\t\t2026-03-05 10:00:00\t2026-03-05 10:00:00"
    (fact,) = consents(tmp_path, "unsubscribe.tsv", header, row)
    assert (fact.address, fact.record_id, fact.status) == ("perso@x.example", None, "withdrawn")
    assert fact.proof == "llx_mailing_unsubscribe 7"


def test_civicrm_each_opt_out_objects_and_a_bounce_does_not(tmp_path: Path) -> None:
    facts, report = read(
        tmp_path,
        "contacts.csv",
        '"Contact ID","Email","Do Not Email","No Bulk Emails (User Opt Out)","On Hold"',
        '1,a@gier.example,"","1","No"',
        '2,b@gier.example,Yes,No,"On Hold Opt Out"',
        '3,c@gier.example,"","","On Hold Bounce"',
        '4,d@gier.example,"","","2"',
        '5,e@gier.example,"","","whatever"',
    )
    assert {(fact.consent_id, fact.channel, fact.record_id) for fact in facts} == {
        ("1/bulk-email", "bulk-email", "1"),
        ("2/email", "email", "2"),
        ("2/on-hold", "bulk-email", "2"),
        ("4/on-hold", "bulk-email", "4"),
    }
    assert facts[0].address == "a@gier.example"
    assert (report.rows, report.rejected, report.objections) == (5, 1, 4)


def test_civicrm_in_french_is_refused_rather_than_read_in_part(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="anglais"):
        consents(tmp_path, "contacts.csv", "Identifiant du contact,Ne pas envoyer de courriel", "1,Oui")


def test_odoo_the_blacklist_objects_to_all_and_an_opt_out_to_its_list(tmp_path: Path) -> None:
    (fact,) = consents(tmp_path, "blacklist.csv", "Email Address,Active", "a@gier.example,True", "b@gier.example,False")
    assert (fact.address, fact.purpose) == ("a@gier.example", "*")
    facts, report = read(
        tmp_path,
        "lists.csv",
        "Name,Email,Mailing Lists,Opt Out,Blacklist",
        "Zoé,a@gier.example,Lettre,True,False",
        "Zoé,b@gier.example,Lettre,False,False",
        "Zoé,c@gier.example,Lettre,False,True",
    )
    assert said(facts) == {
        "a@gier.example": ("refused", "bulk-email", "Lettre"),
        "c@gier.example": ("refused", "bulk-email", "*"),
    }
    assert "mail.blacklist" in report.lacks


def test_a_plain_table_names_addresses_or_records(tmp_path: Path) -> None:
    header = "consent_id;address;channel;purpose;status;decided_at"
    row = "C1;a@gier.example;bulk-email;*;refused;05/01/2026 09:00"
    facts, report = read(tmp_path, "objections.csv", header, row, "C2;;bulk-email;*;refused;05/01/2026")
    assert said(facts) == {"a@gier.example": ("refused", "bulk-email", "*")}
    assert (report.rejected, report.objections) == (1, 1)


def test_a_file_says_the_same_each_time(tmp_path: Path) -> None:
    lines = "EMAIL;Reason", "a@gier.example;Unsubscribed", "A@gier.example ;Unsubscribed"
    first = consents(tmp_path, "blocklist-2026-01.csv", *lines)
    again = consents(tmp_path, "blocklist-2026-02.csv", *lines)
    contents = [[fact.model_copy(update={"version": 0}) for fact in facts] for facts in (first, again)]
    assert contents[0] == contents[1]
    assert len(first) == 1


def test_one_address_with_two_words_is_set_aside(tmp_path: Path) -> None:
    header = "CONTACT ID;EMAIL;OPT_IN;EMAIL_BLACKLISTED"
    report = imported(tmp_path, "c.csv", header, "1;a@gier.example;Yes;No", "2;A@gier.example;;Yes")
    assert (report.rows, report.rejected) == (2, 1)
    assert "says otherwise" in report.rejections[0].reason
