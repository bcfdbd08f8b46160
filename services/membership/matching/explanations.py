"""Levels and refusals in words for staff, in French and English."""

from typing import Final

from services.membership.matching import keys


def _said(french: str, english: str) -> dict[str, str]:
    return {"fr": french, "en": english}


LEVELS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "declared": {
        "same": _said("Leur ancien système les dit identiques", "Their former system says that they are the same"),
        "people": _said("Une personne de cette entreprise", "One of the company's people"),
    },
    "siren": {
        "equal": _said("Même SIREN", "Same SIREN"),
        "slip": _said("SIREN identique à une faute de frappe près", "Same SIREN but for one typing error"),
        "unlike": _said(
            "Deux SIREN qui n'ont rien de commun, dont un faux", "SIRENs that have nothing in common, one of them wrong"
        ),
        "different": _said("Deux SIREN valides et différents", "Two valid SIRENs that differ"),
    },
    "name": {
        "exact": _said("Même nom", "Same name"),
        "exact-common": _said(
            "Même nom, mais plus de trois fiches le portent", "Same name, but more than three records have it"
        ),
        "fuzzy": _said("Même nom à une faute de frappe près", "Same name but for a typing error"),
        "brand": _said("Le nom de l'un est l'enseigne de l'autre", "The name of one is the brand of the other"),
        "located": _said("Même nom, l'un ajoute sa ville ou « France »", "Same name, one adds its town or “France”"),
        "extended": _said(
            "Même nom, l'un ajoute un mot courant (Groupe…)", "Same name, one adds a generic word (Group…)"
        ),
        "acronym": _said("Le nom de l'un est le sigle de l'autre", "The name of one is the initials of the other"),
        "abbreviation": _said("Même nom, abrégé", "Same name, shortened"),
        "near": _said(
            "Noms très proches, mais qui peuvent être deux noms", "Names very close, which may still be two names"
        ),
        "subset-rare": _said(
            "L'un des noms contient l'autre, qui est peu courant", "One name contains the other, which is rare"
        ),
        "subset-common": _said(
            "L'un des noms contient l'autre, qui est courant", "One name contains the other, which is common"
        ),
        "partial-rare": _said("Les noms partagent un mot peu courant", "The names share a rare word"),
        "partial": _said("Les noms partagent un mot courant", "The names share a common word"),
        "none": _said("Noms différents", "Different names"),
    },
    "domain": {
        "equal": _said("Même nom de domaine", "Same domain"),
        "shared": _said(
            "Même nom de domaine, mais d'autres l'utilisent (agence, groupe…)",
            "Same domain, but others use it too (agency, group…)",
        ),
        "different": _said("Noms de domaine différents", "Different domains"),
    },
    "email": {
        "equal": _said("Même adresse e-mail", "Same e-mail address"),
        "role": _said("Même adresse e-mail générale (contact@…)", "Same general e-mail address (contact@…)"),
        "shared": _said(
            "Même adresse e-mail, mais sur plus de trois fiches", "Same e-mail address, but on more than three records"
        ),
        "different": _said("Adresses e-mail différentes", "Different e-mail addresses"),
    },
    "phone": {
        "equal": _said("Même numéro de téléphone", "Same phone number"),
        "shared": _said(
            "Même numéro de téléphone, mais sur plus de trois fiches",
            "Same phone number, but on more than three records",
        ),
        "different": _said("Numéros de téléphone différents", "Different phone numbers"),
    },
    "street": {
        "equal": _said("Même numéro dans la même rue", "Same number in the same street"),
        "shared": _said(
            "Même numéro dans la même rue, où sont plus de cinq fiches",
            "Same number in the same street, where more than five records are",
        ),
        "no-number": _said("Même rue, numéro absent", "Same street, a number is missing"),
        "other-number": _said("Même rue, autre numéro", "Same street, another number"),
        "different": _said("Rues différentes", "Different streets"),
    },
    "place": {
        "postcode": _said("Même code postal", "Same postcode"),
        "town": _said("Même ville", "Same town"),
        "departement": _said("Même département, autre ville", "Same département, another town"),
        "other-town": _said("Autre ville", "Another town"),
        "branch": _said(
            "Autre département : sans doute un autre établissement", "Another département: probably another site"
        ),
        "far": _said(
            "Autre département, mais une coordonnée commune : peut-être un autre établissement",
            "Another département, but a contact detail in common: perhaps another site",
        ),
        "elsewhere": _said("Autre département", "Another département"),
    },
    "naf": {
        "equal": _said("Même code NAF", "Same NAF code"),
        "division": _said("Même branche d'activité (division NAF)", "Same line of business (NAF division)"),
        "different": _said("Activités différentes (NAF)", "Different lines of business (NAF)"),
    },
    "contact": {
        "equal": _said("Même interlocuteur", "Same contact person"),
        "different": _said("Interlocuteurs différents", "Different contact persons"),
    },
    "form": {
        "associations": _said("Deux associations", "Two associations"),
        "one-association": _said("L'une se dit association, l'autre non", "One calls itself an association"),
        "different": _said("Une association et une société", "An association and a company"),
    },
}

CROWDS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    keys.SIREN: (
        "siren",
        _said(
            "Trop de fiches portent ce SIREN : seules celles du même nom sont réunies par lui",
            "Too many records have this SIREN: it only joins those of one name",
        ),
    ),
    keys.TWIN: (
        "siren-and-name",
        _said(
            "Trop de fiches portent ce SIREN et ce nom : ils suffisent à les réunir, sans comparer le reste",
            "Too many records have this SIREN and this name: these join them, and the rest is not compared",
        ),
    ),
    keys.SAME: (
        "same-as",
        _said(
            "Trop de fiches se disent identiques à celle-ci : chacune n'est comparée qu'à elle",
            "Too many records say that they are this one: each is compared with it alone",
        ),
    ),
    keys.NAME: (
        "name",
        _said(
            "Trop de fiches portent ce nom : il ne suffit plus à les comparer",
            "Too many records have this name: they are not compared for it any more",
        ),
    ),
    keys.BEGINNING: (
        "names-begin-alike",
        _said(
            "Trop de noms commencent ainsi (dans ce département, ou partout) : les noms proches n'y sont plus cherchés",
            "Too many names begin like this (in this département, or anywhere): similar ones are not looked for there",
        ),
    ),
    keys.NEAR: (
        "postcode-and-letter",
        _said(
            "Trop de noms de ce code postal ont cette initiale : ne sont comparés que ceux qui commencent de même",
            "Too many names of this postcode have this initial: only those that begin alike are compared",
        ),
    ),
}
"""Why not all of a crowd are compared with each other, as a stable word and in words, by the kind of the key."""

REFUSALS: Final[dict[str, dict[str, str]]] = {
    "sirens-differ": _said(
        "Deux SIREN valides et différents ne sont jamais fusionnés automatiquement",
        "Two valid SIRENs that differ are never merged automatically",
    ),
    "sirens-unlike": _said(
        "Un SIREN est faux, et ce n'est pas celui de l'autre fiche mal recopié",
        "One SIREN is wrong, and not the other record's with a slip or two",
    ),
    "association-and-company": _said(
        "Une association et une société du même nom sont souvent deux adhérents",
        "An association and a company of one name are often two members",
    ),
    "siren-alone": _said(
        "Le SIREN est le même, mais ni le nom ni assez de coordonnées ne concordent",
        "The SIREN is the same, but neither the name nor enough contact details agree",
    ),
    "name-not-telling": _said(
        "Sans SIREN commun, les noms ne se ressemblent pas assez",
        "Without a common SIREN, the names are not alike enough",
    ),
    "name-alone": _said(
        "Le nom seul ne suffit pas : ni domaine, ni e-mail, ni téléphone, ni adresse en commun",
        "The name alone is not enough: no domain, e-mail, phone or address in common",
    ),
    "one-key-elsewhere": _said(
        "Une seule coordonnée en commun, et pas dans la même ville",
        "Only one contact detail in common, and not in one town",
    ),
    "association-at-address": _said(
        "Seule l'adresse est commune, et une association peut y côtoyer une autre structure du même nom",
        "Only the address is in common, and an association may share it with another body of the same name",
    ),
    "contradiction": _said(
        "La fusion réunirait des fiches qui se contredisent", "The merge would join records that contradict each other"
    ),
}
