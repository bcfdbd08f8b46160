"""What DNS says of a brand, asked of a server that answers."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from services.communications.brands.brand import Brand
from services.communications.brands.dns_records import check, wanted_of
from services.communications.deliveries.signing import Signer
from tests.support.dns_server import Zone, resolver_of
from tests.support.mailing import BRAND


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (tmp_path / "dkim.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Signer.read("numelink.example", "2027", tmp_path / "dkim.pem")


async def verdicts(zone: Zone, signer: Signer) -> dict[str, str]:
    async with resolver_of(zone) as resolver:
        wanted = wanted_of(Brand.model_validate(BRAND), signer, "relay.numelink.example")
        return {item.what: (await check(item, resolver)).verdict for item in wanted}


def in_strings(text: str) -> str:
    """A TXT record longer than 255 characters is written in several strings."""
    return " ".join(f'"{text[start : start + 200]}"' for start in range(0, len(text), 200))


async def test_what_is_printed_is_what_is_found_right_once_it_is_entered(signer: Signer) -> None:
    wanted = wanted_of(Brand.model_validate(BRAND), signer, "relay.numelink.example")
    zone = {
        (item.name, item.kind): in_strings(item.example) if item.kind == "TXT" else "10 mx.numelink.example."
        for item in wanted
    }
    assert set((await verdicts(zone, signer)).values()) == {"right"}


async def test_what_is_missing_and_what_is_wrong_is_told_apart(signer: Signer) -> None:
    zone = {
        ("bounce.numelink.example", "TXT"): '"google-site-verification=1"',
        ("2027._domainkey.numelink.example", "TXT"): '"v=DKIM1; k=rsa; p=AAAA"',
    }
    assert await verdicts(zone, signer) == {
        "SPF of the return path": "wrong", "DKIM": "wrong", "where bounces go": "missing", "DMARC": "missing",
    }  # fmt: skip
