"""DKIM: another reader verifies what we sign, and finds what was changed on the way."""

from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from services.communications.brands.brand import Brand
from services.communications.deliveries.message import Envelope, build
from services.communications.deliveries.signing import DkimKeyError, Signer
from tests.support.mailing import BRAND, LETTER

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PAGE = "https://adhesion.example/p/u/abc"


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    (tmp_path / "dkim.pem").write_bytes(pem(KEY))
    return Signer.read("numelink.example", "2027", tmp_path / "dkim.pem")


def a_mail(mode: str = "bulk") -> bytes:
    envelope = Envelope(
        delivery_id="0b0b0b0b-0b0b-5b0b-8b0b-0b0b0b0b0b0b", mode=mode, purpose="news", kind="newsletter",  # pyright: ignore[reportArgumentType]
        address="lea@ateliers.example", name="Léa Martin", created_at=datetime(2027, 1, 15, tzinfo=UTC),
        unsubscribe=(PAGE, "mailto:u+abc@bounce.numelink.example"),
    )  # fmt: skip
    return build(LETTER, Brand.model_validate(BRAND), envelope)


def verified(signer: Signer, mail: bytes) -> bool:
    """By dkimpy, which multiplies for itself; the key as DNS would have it."""

    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"2027._domainkey.numelink.example."
        return signer.record().encode()

    return bool(dkim.verify(mail, dnsfunc=record))


@pytest.mark.parametrize("mode", ["bulk", "transactional"])
def test_a_signed_mail_is_verified(signer: Signer, mode: str) -> None:
    assert verified(signer, signer.sign(a_mail(mode)))


def test_a_relay_may_fold_and_end_lines_otherwise(signer: Signer) -> None:
    signed = signer.sign(a_mail())
    assert verified(signer, signed.replace(b"Subject: ", b"Subject:   ").replace(b"==\r\n", b"==  \r\n"))


@pytest.mark.parametrize(
    ("true", "false"),
    [
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"List-Unsubscribe-Post: x"),
        (PAGE.encode(), b"https://evil.example/p/u/abc"),
        (b"From: ", b"From: x "),
        (b"news.numelink.example", b"news.evil.example"),
    ],
)
def test_what_is_changed_on_the_way_is_found(signer: Signer, true: bytes, false: bytes) -> None:
    signed = signer.sign(a_mail())
    assert true in signed
    assert not verified(signer, signed.replace(true, false))


def test_openssl_makes_the_bytes_that_dkimpy_makes(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dkim.time.time", lambda: 1_800_000_000)
    mail = a_mail()
    headers = [b"from", b"to", b"subject", b"list-unsubscribe-post"]
    own = dkim.sign(
        mail, b"2027", b"numelink.example", pem(KEY), canonicalize=(b"relaxed", b"relaxed"), include_headers=headers
    )
    assert signer.sign(mail, [name.decode() for name in headers]) == own + mail


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no key", "no private key"),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "2048 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_with_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "dkim.pem").write_bytes(content)
    with pytest.raises(DkimKeyError, match=message):
        Signer.read("numelink.example", "2027", tmp_path / "dkim.pem")
    with pytest.raises(DkimKeyError, match="cannot be read"):
        Signer.read("numelink.example", "2027", tmp_path / "other.pem")
