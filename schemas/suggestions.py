"""Which field a misspelt one was meant to be."""

from difflib import get_close_matches
from typing import Any

_SYNONYMS = {
    "postcode": ("zip", "zipcode", "zip_code", "postal_code", "code_postal", "cp"),
    "city": ("town", "ville", "locality", "commune"),
    "record_id": ("id", "member_id", "id_adh", "rowid", "contact_id", "ref"),
    "name": ("nom", "company", "company_name", "raison_sociale", "denomination", "display_name"),
    "phone": ("tel", "telephone"),
    "mobile": ("gsm", "portable", "mobile_phone"),
    "email": ("mail", "courriel", "e_mail"),
    "street": ("address", "adresse", "street_address", "rue"),
    "country": ("pays", "country_code"),
    "vat": ("tva", "tva_intra", "vat_number"),
    "naf": ("ape", "code_naf", "code_ape"),
    "amount": ("montant", "total"),
    "gross": ("ttc", "total_ttc"),
    "net": ("ht", "total_ht"),
}
_MEANT = {synonym: field for field, synonyms in _SYNONYMS.items() for synonym in synonyms}


def meant(model: type[Any], name: str) -> str:
    """A hint for a field that the model does not know."""
    known: dict[str, Any] = model.model_fields
    written = name.lower().replace("-", "_").replace(" ", "_")
    meant = _MEANT.get(written)
    if meant is None or meant not in known:
        meant = next(iter(get_close_matches(written, known, n=1, cutoff=0.7)), None)
    if meant is not None:
        return f"did you mean {meant}?"
    return "a column without a field of its own goes to extra, as text" if "extra" in known else "leave it out"
