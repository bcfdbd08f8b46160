"""Tickets: tokens, what people type of them, their addresses, and their pictures."""

import re
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.qr_code import QrCodeError, grouped, qr_png
from services.events.checkin.ticket import (
    LENGTH,
    TicketAddressError,
    TicketError,
    digest_of,
    new_token,
    ticket_url,
    token_in,
)
from tests.support.qr_codes import codes_in

TOKEN = "ABCDEFGHIJKLMNOPQRSTUV27"
BASE = "https://evenements.clustr-numerique.example"
TOKENS = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), min_size=LENGTH, max_size=LENGTH)


def test_tokens_are_120_bits_in_base32_and_each_is_another() -> None:
    tokens = {new_token() for _ in range(1000)}
    assert len(tokens) == 1000
    assert all(re.fullmatch("[A-Z2-7]{24}", token) for token in tokens)
    # Every place takes every character: nothing of it is fixed or padded.
    assert all(len({token[place] for token in tokens}) == 32 for place in range(LENGTH))


def test_the_digest_is_sha_256_of_the_token_in_capitals() -> None:
    assert digest_of(TOKEN).hex() == "42fa8826249439af8dea0e0bd04000dfb106826f07260e564f1d1878b7fc7e63"


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        TOKEN.lower(),
        f"  {grouped(TOKEN)}\r\n",
        "abcd-efgh-ijkl-mnop-qrst-uv27",
        "ABCD\u00a0EFGH\u202fIJKL\tMNOP QRST UV27",
        TOKEN.replace("O", "0").replace("B", "8"),
        f"HTTPS://EVENEMENTS.CLUSTR-NUMERIQUE.EXAMPLE/C/{TOKEN}",
        f"https://evenements.clustr-numerique.example/c/{TOKEN.lower()}?utm_source=mail#x",
    ],
)
def test_what_a_person_types_or_a_camera_reads_is_the_token(text: str) -> None:
    assert token_in(text) == TOKEN


@pytest.mark.parametrize(
    "text",
    ["", TOKEN[:-1], TOKEN + "A", TOKEN[:-1] + "9", "Léa Martin", "https://autre.example/", f"https://a.example/x/{TOKEN}",
     "WIFI:T:WPA;S:Salle;P:secret;;", "A" * 100_000],
)  # fmt: skip
def test_what_is_no_token_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(TicketError) as refused:
        token_in(text)
    assert "24" in refused.value.texts["fr"]
    assert "24" in refused.value.texts["en"]
    assert not text or text not in str(refused.value)


def test_a_1_may_be_an_i_or_an_l_so_it_is_asked_about() -> None:
    with pytest.raises(TicketError, match=r"un I ou un L[^\n]*\n.*an I or an L"):
        token_in(TOKEN.replace("I", "1"))


@given(token=TOKENS)
def test_a_token_that_was_grouped_is_read_back(token: str) -> None:
    assert len(grouped(token).split()) == 6
    assert token_in(grouped(token).lower()) == token


def test_an_address_is_in_capitals_and_leads_to_its_token() -> None:
    url = ticket_url(f"{BASE}:8443/", TOKEN)
    assert url == f"HTTPS://EVENEMENTS.CLUSTR-NUMERIQUE.EXAMPLE:8443/C/{TOKEN}"
    assert token_in(url) == TOKEN


@pytest.mark.parametrize(
    "base",
    ["", "events.example.org", "ftp://events.example.org", "https://", "https://events.example.org/crm",
     "https://events.example.org?x=1", "https://a@events.example.org", "https://événements.example.org", f"{BASE}\n"],
)  # fmt: skip
def test_a_base_that_is_more_or_less_than_a_host_is_refused(base: str) -> None:
    with pytest.raises(TicketAddressError, match=r"https://events\.example\.org"):
        ticket_url(base, TOKEN)


def test_a_host_may_be_as_long_as_a_small_code_allows() -> None:
    longest = "a" * 51 + ".org"
    qr_png(ticket_url(f"https://{longest}", TOKEN))
    with pytest.raises(TicketAddressError, match=r"56 characters: 55 are the most"):
        ticket_url(f"https://a{longest}", TOKEN)
    with pytest.raises(QrCodeError, match="version 4"):
        qr_png("https://not-in-capitals.example.org/c/" + TOKEN * 2)


@pytest.mark.parametrize("base", [BASE, "https://a.example", "https://" + "a" * 51 + ".org"])
@pytest.mark.parametrize("scale", [8, 12])
def test_the_picture_is_read_back_and_has_33_squares_and_their_border(base: str, scale: int, tmp_path: Path) -> None:
    url = ticket_url(base, TOKEN)
    png = qr_png(url, scale)
    picture = tmp_path / "ticket.png"
    picture.write_bytes(png)

    assert codes_in(picture) == [url]
    assert struct.unpack(">II", png[16:24]) == ((33 + 2 * 4) * scale,) * 2
    assert qr_png(url, scale) == png


def test_a_scale_that_phones_could_not_read_is_made_larger() -> None:
    url = ticket_url(BASE, TOKEN)
    assert qr_png(url, 1) == qr_png(url, 8)
