"""Mails that come back, as servers write them; companies and people are made up."""

from collections.abc import Mapping
from typing import NamedTuple

from services.communications.bounces.meaning import Meaning
from services.communications.bounces.report import Kind


class Sample(NamedTuple):
    """What came, and what it means."""

    kind: Kind
    meaning: Meaning
    raw: str


def _report(status: str, diagnostic: str, action: str = "failed", text: str = "") -> str:
    return f"""From: MAILER-DAEMON@mx.exemple.fr
To: b+token@bounce.numelink.example
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain; charset=utf-8

{text or "This is the mail system. Your message could not be delivered."}

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.exemple.fr

Final-Recipient: rfc822; lea.martin@ateliers.example
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--x--
"""


def _plain(sender: str, subject: str, text: str, headers: str = "") -> str:
    return f"From: {sender}\nTo: b+token@bounce.numelink.example\nSubject: {subject}\n{headers}\n{text}\n"


_DAEMON = "Mail Delivery System <MAILER-DAEMON@mx.exemple.fr>"
SAMPLES: Mapping[str, Sample] = {
    "postfix, unknown": Sample("bounce", "unknown-user", _report("5.1.1", "smtp; 550 5.1.1 <l@a>: User unknown")),
    "exchange, unknown": Sample(
        "bounce", "unknown-user", _report("5.1.10", "smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by SMTP")
    ),
    "gmail, unknown": Sample(
        "bounce",
        "unknown-user",
        _report("5.1.1", "smtp; 550-5.1.1 The email account that you tried to reach does not exist."),
    ),
    "orange, in French": Sample(
        "bounce", "unknown-user", _report("5.0.0", "", text="Adresse d au moins un destinataire invalide. Invalide.")
    ),
    "domain that is gone": Sample(
        "bounce", "unknown-user", _report("5.4.4", "X-Postfix; Host or domain name not found")
    ),
    "qmail, in words": Sample(
        "bounce", "unknown-user", _plain(_DAEMON, "failure notice", "<l@a>:\nSorry, no mailbox here by that name.")
    ),
    "left the company": Sample(
        "bounce", "unknown-user", _plain(_DAEMON, "Non remis", "550 This mailbox has been disabled.")
    ),
    "box full": Sample("bounce", "full", _report("5.2.2", "smtp; 552 5.2.2 mailbox full")),
    "box full, as unknown": Sample("bounce", "full", _report("5.1.1", "smtp; 550 5.1.1 user over quota")),
    "too large": Sample("bounce", "full", _report("5.3.4", "smtp; 552 message size exceeds the maximum")),
    "spam": Sample("bounce", "policy", _report("5.7.1", "smtp; 550 5.7.1 detected as likely unsolicited mail")),
    "blocklist, as unknown": Sample(
        "bounce", "policy", _report("5.1.1", "smtp; 550 5.1.1 blocked using zen.spamhaus.org")
    ),
    "DMARC": Sample(
        "bounce", "policy", _report("5.7.26", "smtp; 550 5.7.26 unauthenticated, by the domain's DMARC policy")
    ),
    "relaying": Sample("bounce", "policy", _report("5.0.0", "smtp; 554 Relay access denied")),
    "name server away": Sample("bounce", "later", _report("5.4.0", "X-Postfix; Host not found, try again")),
    "kept too long": Sample("bounce", "later", _report("4.4.7", "smtp; delivery time expired")),
    "a nameless refusal": Sample("bounce", "other", _report("5.0.0", "smtp; 554 transaction failed")),
    "delayed": Sample("delay", "later", _report("4.2.0", "smtp; 450 greylisted", action="delayed")),
    "delayed, in words": Sample(
        "delay", "later", _plain(_DAEMON, "Warning: message delayed 4 hours", "We will keep trying for 5 days.")
    ),
    "absent": Sample(
        "absence",
        "other",
        _plain(
            "Léa Martin <l@a.example>",
            "Absente",
            "This mailbox is no longer read until Monday.",
            "Auto-Submitted: auto-replied\n",
        ),
    ),
    "absent, Exchange": Sample(
        "absence", "other", _plain("l@a.example", "Absence", "user unknown", "X-Auto-Response-Suppress: All\n")
    ),
    "complaint": Sample(
        "complaint",
        "other",
        "From: fbl@orange.example\nTo: b+token@bounce.numelink.example\nSubject: complaint\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="y"\n\n--y\nContent-Type: text/plain\n\n'
        "A complaint.\n\n--y\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n\n--y--\n",
    ),
    "a person": Sample("other", "other", _plain("l@a.example", "Re: lettre", "Bonjour, user unknown est un film.")),
    "no mail at all": Sample("other", "other", "\x00\xff\xfe garbage"),
}
