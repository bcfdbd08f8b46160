"""Makes the bytes of a delivery: its brand's sender, tokens in links and return path, and the signature."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from services.communications.brands.brand import MailSettings
from services.communications.deliveries.delivery import Answer
from services.communications.deliveries.message import Envelope, Letter, MessageError, build
from services.communications.deliveries.repository import Claimed
from services.communications.deliveries.signing import Signer
from services.communications.deliveries.tokens import token_of
from services.communications.suppressions.address import Keyring

UNSUBSCRIBE_PATH: Final = "/p/u"
"""Of the gateway: the page and the one-click address (RFC 8058)."""


class Job(NamedTuple):
    """A delivery with what it says."""

    delivery: Claimed
    letter: Letter


class Built(NamedTuple):
    """Where bounces go (RFC 5321 §3.6.3, variable envelope return path), and the mail."""

    sender: str
    text: bytes


@dataclass(frozen=True, slots=True)
class PostOffice:
    """Everything that a mail is made with."""

    mail: MailSettings
    keyring: Keyring
    signers: Mapping[str, Signer] = field(default_factory=dict[str, Signer])

    @classmethod
    def open(cls, mail: MailSettings, keyring: Keyring) -> Self:
        """With the DKIM keys of all brands. Raises DkimKeyError."""
        signers = {
            code: Signer.read(brand.domain, brand.dkim.selector, brand.dkim.key_file)
            for code, brand in mail.brands.items()
            if brand.dkim is not None
        }
        return cls(mail, keyring, signers)

    def build(self, delivery: Claimed, letter: Letter) -> Built | Answer:
        """The mail, or why it cannot be: as an answer that refuses it. Raises AddressKeysError."""
        brand = self.mail.brands.get(delivery.brand)
        if brand is None:
            return Answer(None, f"there is no brand {delivery.brand} in the mail file", about_recipient=False)
        secret = self.keyring.secret(delivery.key_id)
        links = token_of(secret, delivery.delivery_id, "links")
        page = f"{self.mail.public_url}{UNSUBSCRIBE_PATH}/{links}"
        envelope = Envelope(
            delivery_id=delivery.delivery_id,
            mode=delivery.mode,
            purpose=delivery.purpose,
            kind=delivery.kind,
            address=delivery.address,
            name=delivery.name,
            created_at=delivery.created_at,
            unsubscribe=(page, f"mailto:u+{links}@{brand.return_domain}"),
            fields={**delivery.fields, "unsubscribe_url": page},
        )
        try:
            text = build(letter, brand, envelope)
        except MessageError as error:
            return Answer(550, f"not sent: {error}")
        signer = self.signers.get(brand.code)
        back = token_of(secret, delivery.delivery_id, "return")
        return Built(f"b+{back}@{brand.return_domain}", text if signer is None else signer.sign(text))
