"""French names of columns that clusters add to any product: identifiers, website, brand, size, lineage."""

from services.membership.legacy.draft import Draft

ADDED = {
    "siren": ("siren", "n° siren", "no siren", "numéro siren", "siren_number"),
    "siret": ("siret", "n° siret", "no siret", "numéro siret"),
    "vat": (
        "n° tva",
        "no tva",
        "numéro tva",
        "tva intracommunautaire",
        "n° tva intracommunautaire",
        "tva intra",
        "num tva",
    ),
    "rna": ("rna", "n° rna", "numéro rna"),
    "naf": ("ape", "naf", "code ape", "code naf", "code ape / naf", "ape/naf", "naf/ape"),
    "website": ("site web", "site internet", "site", "url", "website", "web"),
    "brand": ("marque", "enseigne", "nom commercial", "sigle"),
    "legal_form": ("forme juridique",),
    "headcount": ("effectif", "effectifs", "nombre de salariés", "tranche d'effectif"),
    "fee_band": ("tranche de cotisation", "barème"),
    "lineage": ("lignée", "structure d'origine", "entité d'origine"),
}


def take_added(draft: Draft) -> None:
    """Take these columns where the product itself did not fill the field."""
    for field, names in ADDED.items():
        if field not in draft.fields:
            draft.text(field, *names)
