"""What DNS must say so that a brand's mail is believed: SPF, DKIM, DMARC, and where bounces go."""

import asyncio
from dataclasses import dataclass
from typing import Final, Literal

import dns.asyncresolver
import dns.exception
import dns.resolver

from services.communications.brands.brand import Brand, MailSettings
from services.communications.deliveries.signing import Signer

Verdict = Literal["right", "missing", "wrong", "unreachable"]
SECONDS: Final = 5.0
"""Within which a name is looked up, or is unreachable."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that must be there. ``contains`` is the least that it must hold; ``example`` is what to enter."""

    what: str
    name: str
    kind: Literal["TXT", "MX"]
    contains: tuple[str, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A record, whether it is there, and what is there instead."""

    wanted: Wanted
    verdict: Verdict
    values: tuple[str, ...]


def wanted_of(brand: Brand, signer: Signer | None, relay_host: str) -> list[Wanted]:
    """What a brand needs (RFC 7208, RFC 6376, RFC 7489). Bounces need a host of their own, with its SPF."""
    wanted = [
        Wanted("SPF of the return path", brand.return_domain, "TXT", ("v=spf1",), f"v=spf1 a:{relay_host} -all"),
        Wanted("where bounces go", brand.return_domain, "MX", (), "10 the host that hands mail to LMTP"),
        Wanted(
            "DMARC", f"_dmarc.{brand.domain}", "TXT", ("v=DMARC1", "p="),
            f"v=DMARC1; p=none; rua=mailto:dmarc@{brand.domain}",
        ),
    ]  # fmt: skip
    if signer is not None:
        record = signer.record()
        name = f"{signer.selector}._domainkey.{signer.domain}"
        wanted.insert(1, Wanted("DKIM", name, "TXT", (record.partition("p=")[2],), record))
    return wanted


async def check_brand(brand: Brand, mail: MailSettings, seconds: float = SECONDS) -> list[Checked]:
    """Look all of a brand's records up at once. Raises DkimKeyError."""
    dkim = brand.dkim
    signer = Signer.read(brand.domain, dkim.selector, dkim.key_file) if dkim else None
    wanted = wanted_of(brand, signer, mail.relay.hello or mail.relay.host)
    return list(await asyncio.gather(*(check(item, seconds=seconds) for item in wanted)))


async def check(
    wanted: Wanted, resolver: dns.asyncresolver.Resolver | None = None, seconds: float = SECONDS
) -> Checked:
    """Look one up."""
    try:
        resolver = resolver or dns.asyncresolver.get_default_resolver()
        answer = await resolver.resolve(wanted.name, wanted.kind, lifetime=seconds)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Checked(wanted, "missing", ())
    except (dns.exception.DNSException, OSError):
        return Checked(wanted, "unreachable", ())
    values = tuple(_text(item.to_text()) for item in answer)
    right = any(all(_bare(part) in _bare(value) for part in wanted.contains) for value in values)
    return Checked(wanted, "right" if right else "wrong", values)


def _text(written: str) -> str:
    """A TXT record's strings, joined as RFC 7208 §3.3 says."""
    return written.replace('" "', "").strip('"')


def _bare(text: str) -> str:
    return "".join(text.split())
