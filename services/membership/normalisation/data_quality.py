"""What is doubtful about a value, as a stable code; the value itself is always kept as written."""

from typing import NamedTuple

MEANINGS = {
    "siren-invalid": "not a valid SIREN (9 digits and their check digit)",
    "siren-from-siret": "the SIREN is taken from the SIRET",
    "siren-from-invalid-siret": "the SIREN is taken from a SIRET whose last five digits are wrong",
    "siren-from-vat": "the SIREN is taken from the VAT number",
    "siren-is-siret": "a SIRET stands in place of the SIREN",
    "siret-invalid": "not a valid SIRET (14 digits and their check digit)",
    "siret-is-siren": "a SIREN stands in place of the SIRET",
    "vat-invalid": "not a valid VAT number",
    "identifiers-disagree": "SIREN, SIRET and VAT number do not name the same company",
    "leading-zero-restored": "a spreadsheet dropped the leading zero; it is put back",
    "naf-unknown": "not a code of NAF rev. 2 or NAF 2025",
    "naf-nomenclature": "the code belongs to the other nomenclature than the one that is named",
    "email-invalid": "not an e-mail address",
    "several-values": "several values in one field; the first valid one is used",
    "phone-invalid": "not a phone number that exists",
    "mobile-invalid": "not a phone number that exists",
    "postcode-invalid": "not a French postcode",
    "country-unknown": "not the name or ISO code of a country",
    "website-invalid": "not a web address",
}
"""Every code, and its meaning for a person."""

REPAIRS = frozenset(
    {
        "siren-from-siret",
        "siren-from-invalid-siret",
        "siren-from-vat",
        "siren-is-siret",
        "siret-is-siren",
        "leading-zero-restored",
        "several-values",
    }
)
"""Codes that tell of a value understood in spite of its writing; the others tell of one that was not."""


class Problem(NamedTuple):
    """``code`` is a key of :data:`MEANINGS`; ``written`` is the value of ``field`` as the former system wrote it."""

    field: str
    code: str
    written: str

    @property
    def meaning(self) -> str:
        """The code in words."""
        return MEANINGS[self.code]
