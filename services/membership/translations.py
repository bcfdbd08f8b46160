"""Words that people read, in French and English, whichever way they ask."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["fr", "en"]

REFUSED: Mapping[str, tuple[str, str]] = {
    "records-too-few": (
        "Une décision porte sur deux fiches au moins.",
        "A decision is about two source records at least.",
    ),
    "records-too-many": ("Une décision porte sur trop de fiches.", "A decision is about too many source records."),
    "record-twice": ("Une décision nomme chaque fiche une seule fois.", "A decision names each source record once."),
    "record-unnamed": (
        "Une fiche se nomme cluster/identifiant, par exemple numelink/B-1.",
        "A source record is named cluster/id, such as numelink/B-1.",
    ),
    "author-missing": ("Une décision a besoin d'un auteur.", "A decision needs its author."),
    "reason-missing": ("Une décision a besoin d'un motif.", "A decision needs its reason."),
    "author-unusable": ("L'auteur est trop long ou n'est pas du texte.", "The author is too long, or is not text."),
    "reason-unusable": ("Le motif est trop long ou n'est pas du texte.", "The reason is too long, or is not text."),
    "not-one-member": (
        "Ces fiches ne font pas partie d'un seul et même membre.",
        "These source records are not part of one and the same member.",
    ),
    "not-this-member": (
        "Ces fiches ne font pas partie de ce membre, ou n'en font plus partie.",
        "These source records are not part of this member, or not any more.",
    ),
    "nothing-to-separate": (
        "Ce membre n'a pas d'autres fiches : nommez seulement celles qui partent.",
        "The member has no other source records: name only those that go.",
    ),
}
"""What is wrong with a decision, by :attr:`DecisionError.kind`."""

HAPPENED: Mapping[str, tuple[str, str]] = {
    "member-since": ("Adhésion", "Became a member"),
    "subscription": ("Début de cotisation", "Membership term begins"),
    "invoice": ("Facture", "Invoice"),
    "invoice-cancelled": ("Facture annulée", "Cancelled invoice"),
    "credit-note": ("Avoir", "Credit note"),
    "dues-notice": ("Appel de cotisation", "Dues notice"),
    "payment": ("Paiement", "Payment"),
    "refund": ("Remboursement", "Refund"),
    "registration": ("Inscription", "Registration"),
    "registration-waiting": ("Inscription en liste d'attente", "Registration on the waiting list"),
    "registration-attended": ("Participation", "Attended"),
    "registration-absent": ("Absence", "Registered, and did not come"),
    "registration-cancelled": ("Inscription annulée", "Cancelled registration"),
    "consent-granted": ("Consentement donné", "Consent granted"),
    "consent-refused": ("Consentement refusé", "Consent refused"),
    "consent-withdrawn": ("Consentement retiré", "Consent withdrawn"),
    "mailing": ("Envoi", "Mailing"),
    "record-recorded": ("Fiche enregistrée", "Record taken in"),
    "record-changed": ("Fiche modifiée", "Record changed"),
    "record-removed": ("Fiche supprimée", "Record removed"),
}
"""Kinds of a timeline's entries."""

CHANNELS: Mapping[str, tuple[str, str]] = {
    "email": ("courriel", "e-mail"),
    "bulk-email": ("envois en nombre", "bulk e-mail"),
    "phone": ("téléphone", "phone"),
    "post": ("courrier", "post"),
    "sms": ("SMS", "text message"),
}

MEANINGS_FR: Mapping[str, str] = {
    "siren-invalid": "n'est pas un SIREN valable (9 chiffres, avec leur clé)",
    "siren-from-siret": "le SIREN est tiré du SIRET",
    "siren-from-invalid-siret": "le SIREN est tiré d'un SIRET dont les cinq derniers chiffres sont faux",
    "siren-from-vat": "le SIREN est tiré du numéro de TVA",
    "siren-is-siret": "un SIRET est écrit à la place du SIREN",
    "siret-invalid": "n'est pas un SIRET valable (14 chiffres, avec leur clé)",
    "siret-is-siren": "un SIREN est écrit à la place du SIRET",
    "vat-invalid": "n'est pas un numéro de TVA valable",
    "identifiers-disagree": "SIREN, SIRET et numéro de TVA ne désignent pas la même entreprise",
    "leading-zero-restored": "un tableur a perdu le zéro initial ; il est rétabli",
    "naf-unknown": "n'est ni un code de la NAF rév. 2 ni un code de la NAF 2025",
    "naf-nomenclature": "le code appartient à l'autre nomenclature que celle qui est indiquée",
    "email-invalid": "n'est pas une adresse électronique",
    "several-values": "plusieurs valeurs dans un champ ; la première valable est retenue",
    "phone-invalid": "n'est pas un numéro de téléphone qui existe",
    "mobile-invalid": "n'est pas un numéro de téléphone qui existe",
    "postcode-invalid": "n'est pas un code postal français",
    "country-unknown": "n'est ni le nom ni le code ISO d'un pays",
    "website-invalid": "n'est pas une adresse de site",
}
"""The meanings of doubtful values; :data:`data_quality.MEANINGS` has the English ones."""

REFUSALS_FR: Mapping[str, str] = {
    "field-not-overridable": "n'est pas un champ que l'on peut fixer à la main",
    "value-empty": "aucune valeur ; retirez celle qui est fixée pour montrer ce que disent les fiches",
    "value-too-long": "plus de 1 000 caractères",
    "value-not-text": "contient un caractère qui n'est pas du texte (U+0000, ou la moitié d'un caractère)",
}
"""Why a value cannot be set; :data:`services.membership.views.overrides.REFUSALS` has the English words."""

CONFLICTS: Mapping[str, tuple[str, str]] = {
    "paid-twice": ("payé deux fois", "paid twice"),
    "registered-twice": ("inscrit deux fois", "registered twice"),
}
"""Kinds of conflicts that merges bring."""


def label(table: Mapping[str, tuple[str, str]], key: str, language: Language) -> str:
    """The words for a key, or the key itself."""
    french, english = table.get(key, (key, key))
    return french if language == "fr" else english
