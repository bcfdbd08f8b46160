"""What comes back is sorted by what it means for an address."""

import mailbox
from datetime import UTC, datetime
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.communications.bounces.meaning import meaning_of
from services.communications.bounces.report import read_report
from services.communications.bounces.returned import NoMailboxError, from_files, returned_to
from tests.support.returned_mail import SAMPLES, Sample

TOKEN = "abcdefghijklmnopqrstuvwx23"


@pytest.mark.parametrize("name", SAMPLES)
def test_each_is_read_for_what_it_is(name: str) -> None:
    sample: Sample = SAMPLES[name]
    report = read_report(sample.raw.encode("utf-8", "surrogateescape"))
    assert (report.kind, report.meaning) == (sample.kind, sample.meaning)


@given(st.binary(max_size=2_000))
def test_nothing_that_comes_can_break_the_reading(raw: bytes) -> None:
    assert read_report(b"Subject: Undelivered\n" + raw).kind in {
        "bounce", "complaint", "delay", "delivered", "absence", "other",
    }  # fmt: skip


@pytest.mark.parametrize(
    "hostile",
    [
        "From: MAILER-DAEMON@x.example\nSubject: Undelivered\n\n" + "-" * 2_000_000,
        "From: MAILER-DAEMON@x.example, " + "a@b.example, " * 200_000 + "\nSubject: Undelivered\n\nx",
        "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(50_000)),
    ],
    ids=["dashes", "addresses", "parts"],
)
def test_a_mail_that_is_made_to_take_long_does_not(hostile: str) -> None:
    began = process_time()
    assert read_report(hostile.encode()).kind in {"bounce", "other"}
    assert process_time() - began < 10


def test_words_are_one_printable_line() -> None:
    raw = SAMPLES["postfix, unknown"].raw.replace("User unknown", "User unknown\n <b>\x07</b>")
    assert read_report(raw.encode()).words.isprintable()


@pytest.mark.parametrize(
    ("code", "words", "meaning"),
    [
        (550, "5.1.1 no such user", "unknown-user"),
        (550, "user unknown", "unknown-user"),
        (450, "4.1.1 user unknown", "later"),
        (421, "too many connections, OFR004_104", "policy"),
        (452, "4.2.2 over quota", "full"),
        (554, "refused", "other"),
    ],
)
def test_an_answer_in_the_session_is_read_by_the_same_rule(code: int, words: str, meaning: str) -> None:
    assert meaning_of(words, code) == meaning


def test_a_token_says_whose_it_is_whatever_the_case() -> None:
    at = datetime(2027, 1, 15, tzinfo=UTC)
    item = returned_to(f"<B+{TOKEN.upper()}@bounce.numelink.example>", b"x", at)
    assert item is not None
    assert (item.token, item.use) == (TOKEN, "b")
    assert returned_to("lettre@numelink.example", b"x", at) is None


@pytest.mark.parametrize("form", ["mbox", "maildir"])
def test_mailboxes_are_read_whole(tmp_path: Path, form: str) -> None:
    path = tmp_path / form
    box = mailbox.mbox(path) if form == "mbox" else mailbox.Maildir(path)
    box.add(f"Delivered-To: b+{TOKEN}@bounce.numelink.example\n\nUser unknown\n")
    box.add("To: lettre@numelink.example\n\nBonjour\n")
    box.close()
    assert sorted(str(item.token) for item in from_files(path)) == ["None", TOKEN]


def test_what_is_no_mailbox_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a;b")
    with pytest.raises(NoMailboxError, match="neither a mailbox file"):
        list(from_files(tmp_path / "x.csv"))
