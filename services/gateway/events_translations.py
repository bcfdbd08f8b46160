"""What events refuses, as HTTP says it: the status, and a title in French and in English."""

from typing import Final

EVENTS_PROBLEMS: Final = {
    "gathering-unknown": (404, "Cette rencontre n'existe pas", "There is no such gathering"),
    "gathering-invalid": (422, "Cette rencontre ne peut être programmée ainsi", "This gathering cannot be planned so"),
    "gathering-over": (409, "Cette rencontre n'est plus à venir", "This gathering is not planned any more"),
    "given-elsewhere": (409, "Un autre formulaire donne ces places", "Another form gives these seats"),
    "session-unknown": (404, "Cette séance n'existe pas", "There is no such session"),
    "session-full": (409, "Il n'y a pas assez de places libres", "There are not enough free seats"),
    "capacity-below-held": (409, "Plus de places sont déjà prises", "More seats are taken already"),
    "registration-unknown": (404, "Cette inscription n'existe pas", "There is no such registration"),
    "attendee-unknown": (404, "Cette personne n'est pas inscrite", "This person is not registered"),
    "already-registered": (409, "Cette personne est déjà inscrite", "This person is registered already"),
    "not-open-yet": (409, "Les inscriptions ne sont pas ouvertes", "Registration is not open yet"),
    "list-closed": (409, "Les inscriptions sont closes", "Registration is closed"),
    "too-late-to-cancel": (409, "Il est trop tard pour annuler", "It is too late to cancel"),
    "no-offer": (409, "Aucune place n'est proposée", "No seat is offered"),
    "nothing-asked": (409, "Rien n'est à décider ici", "Nothing is to be decided here"),
    "not-waiting": (409, "Cette inscription n'attend pas", "This registration does not wait"),
    "booking-ended": (409, "Cette inscription est terminée", "This registration has ended"),
    "booking-unknown": (404, "Cette inscription n'existe pas", "There is no such registration"),
    "pass-unknown": (404, "Ce laissez-passer n'est pas valable", "This check-in pass is not valid"),
    "pass-taken": (409, "Ce jeton a déjà servi : créez-en un autre", "This token was used before: make another one"),
    "link-unknown": (404, "Ce lien n'est pas connu", "This link is not known"),
}
