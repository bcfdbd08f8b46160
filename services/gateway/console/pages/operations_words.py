"""What reasons, states and steps of parked messages are called on pages."""

from typing import Final

from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag

STATUSES: Final = {"": "parked", "rejoues": "replayed", "ecartes": "discarded", "en-route": "replaying"}
"""States of messages, by their word in an address."""


def reason_name(reason: str, words: Words) -> str:
    """Why a message was set aside; a reason that is not known here keeps its name."""
    return (_of_reading(words) | _of_publishers(words) | _of_commands(words) | _of_services(words)).get(reason, reason)


def _of_reading(words: Words) -> dict[str, str]:
    return {
        "not-json": words.text("Ce n’est pas du JSON"),
        "not-utf-8": words.text("Un octet n’est pas de l’UTF-8"),
        "not-a-cloudevent": words.text("L’enveloppe est incomplète ou fausse"),
        "invalid-field": words.text("Un champ manque ou ne convient pas"),
        "wrong-type": words.text("Le type n’est pas celui de sa clé"),
        "newer-version": words.text("La version est plus récente que ce Traboule"),
        "too-large": words.text("Le message est trop grand"),
        "too-many-facts": words.text("Le message contient trop de faits"),
        "unreadable": words.text("Le message n’a pas pu être lu"),
        "unreadable-properties": words.text("Une propriété du message est fausse"),
        "id-reused": words.text("L’identifiant a déjà servi pour autre chose"),
    }


def _of_publishers(words: Words) -> dict[str, str]:
    return {
        "missing-user-id": words.text("L’expéditeur n’est pas nommé"),
        "foreign-routing-key": words.text("La clé est celle d’un autre expéditeur"),
        "unknown-publisher": words.text("L’expéditeur n’est pas configuré pour ce fait"),
        "forged-source": words.text("La source n’est pas celle de l’expéditeur"),
        "unrouted": words.text("Aucun service n’attend cette clé"),
        "returned-too-often": words.text("Rendu trop souvent par le service"),
        "expired": words.text("Le message a expiré avant d’être lu"),
    }


def _of_commands(words: Words) -> dict[str, str]:
    return {
        "cluster-unknown": words.text("Ce cluster n’existe pas"),
        "not-the-authority": words.text("L’ancien système fait autorité"),
        "record-unknown": words.text("Cette fiche n’existe pas"),
        "record-removed": words.text("Cette fiche a été retirée"),
        "record-exists": words.text("Cette fiche existe déjà"),
        "record-there": words.text("Cette fiche existe déjà"),
        "record-changed-meanwhile": words.text("La fiche a changé entre-temps"),
        "value-not-understood": words.text("Une valeur n’est pas comprise"),
        "address-missing": words.text("Le destinataire n’a pas d’adresse"),
        "address-unusable": words.text("L’adresse ne peut pas servir"),
        "brand-missing": words.text("Aucune marque n’écrit pour l’expéditeur"),
        "file-missing": words.text("La pièce jointe n’a pas été trouvée"),
        "file-unreadable": words.text("La pièce jointe est illisible"),
        "letter-refused": words.text("Le modèle du courriel n’a pas pu être rempli"),
    }


def _of_services(words: Words) -> dict[str, str]:
    return {
        "rejected-by-database": words.text("La base refuse ces données"),
        "handler-failed": words.text("Le service a échoué sur ce message"),
        "unprocessable": words.text("Le message n’a pas pu être traité"),
    }


def status_tag(status: str, words: Words) -> Tag:
    """Where a message is."""
    match status:
        case "parked":
            return Tag("attention", words.text("mis de côté"))
        case "replaying":
            return Tag("quiet", words.text("en route"))
        case "replayed":
            return Tag("good", words.text("appliqué"))
        case _:
            return Tag("quiet", words.text("écarté"))


def step_name(what: str, words: Words) -> str:
    """One step of a message's history."""
    return {
        "parked": words.text("mis de côté"),
        "replaying": words.text("rejoué"),
        "replayed": words.text("appliqué"),
        "discarded": words.text("écarté"),
    }.get(what, what)
