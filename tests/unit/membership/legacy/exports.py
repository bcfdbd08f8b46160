"""Small export files in the shape that each product really gives them."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.membership.legacy import recognise
from shared.importing.outcomes import Accepted, Rejection
from shared.importing.reading import read

VERSION = 1_700_000_000_000_000


def _columns(listed: str) -> list[str]:
    return listed.split(";")


GALETTE = _columns(
    "ID de l'adhérent;Statut;Nom ;Prénom;Personne morale;Pseudo;Titre;Date de "
    "naissance;Genre;Adresse;Code Postal;Ville;Région\u202f;Pays;Téléphone;GSM;Courriel;Autres "
    "informations (admin);Autres informations;Profession;Identifiant;Date de création;Date de "
    "modification;Compte;Administrateur Galette;Exempt de cotisation;Apparaître sur les pages "
    "publiques;Date d’échéance;Langue;Lieu de naissance;Id GNUpg (GPG);fingerprint;Parent;Numéro adhérent"
)
GALETTE_RAW = _columns(
    "id_adh;id_statut;nom_adh;prenom_adh;societe_adh;adresse_adh;cp_adh;ville_adh;tel_adh;gsm_adh;email_adh;mdp_adh;date_crea_adh;date_echeance;parent_id;num_adh"
)
DOLIBARR_MEMBERS = _columns(
    "ID adhérent;Réf adhérent;Titre civilité;Nom;Prénom;Identifiant;Genre;Nature de "
    "l'adhérent;Société;Adresse;Code postal;Ville;Code État / Province;Département / Canton;Code "
    "pays;Pays;Tél pro.;Tél perso.;Tél portable;Email;Date de naissance;État;Photo;Note (publique);Note "
    "(privée);Date création;Date validation;Date de dernière modification;Date fin adhésion;Id type "
    "adhérent;Libellé du type adhérent;Id adhésion;Date adhésion;Date fin adhésion;Montant"
)
DOLIBARR_THIRD_PARTIES = _columns(
    "Id;Nom;Nom alternatif;Maison mère;État;Client;Fournisseur;Date création;Code client;Adresse;Code "
    "postal;Ville;Département / Canton;Région;Pays;Code pays;Téléphone;Fax;Email;Identifiant "
    "professionnel 1;Identifiant professionnel 2;Identifiant professionnel 3;Identifiant professionnel "
    "4;Identifiant professionnel 5;Identifiant professionnel 6;Numéro TVA;Capital;Type du tiers;Type "
    "d'entité légale;Url"
)
DOLIBARR_CONTACTS = _columns(
    "Identifiant contact;Code civilité;Nom;Prénom;Poste/fonction;Date création;Date de dernière "
    "modification;Privé;Adresse;Code postal;Ville;Département / Canton;Région;Pays;Code "
    "pays;Téléphone;Fax;Mobile;Email;Note (privée);Note (publique);État;Identifiant société;Raison "
    "sociale;État;Code client;Code fournisseur;Client;Fournisseur;Adresse;Code postal;Ville;Téléphone;Email"
)
CIVICRM_CONTACTS = _columns(
    "Contact ID;Contact Type;Contact Subtype;Do Not Email;Do Not Phone;Do Not Mail;Do Not Sms;Do Not "
    "Trade;No Bulk Emails (User Opt Out);Legal Identifier;External Identifier;Sort Name;Display "
    "Name;Nickname;Legal Name;First Name;Last Name;Job Title;Organization Name;Sic Code;Current Employer "
    "ID;Current Employer;Contact is in Trash;Street Address;Supplemental Address 1;Supplemental Address "
    "2;Supplemental Address 3;City;Postal Code;State;Country;Phone;Email;On "
    "Hold;Website;Group(s);Tag(s);Note(s)"
)
CIVICRM_MEMBERSHIPS = _columns(
    "Contact ID;Contact Type;Display Name;Organization Name;Email;Country;Membership Type;Test;Is Pay "
    "Later;Member Since;Membership Start Date;Membership Expiration Date;Source;Membership "
    "Status;Membership ID;Primary Member ID;max_related;Total Amount;Payment Method;Transaction ID"
)
PAHEKO = _columns(
    "Numéro de membre;Nom & prénom;Adresse E-Mail;Adresse postale;Code postal;Ville;Numéro de "
    "téléphone;Pays;Inscription à la lettre d'information;Date d'inscription;Rattaché à;Membres "
    "rattachés;Catégorie"
)


def galette(*rows: dict[str, str], headers: Sequence[str] = GALETTE) -> bytes:
    return _written(headers, rows, ";", quoting=csv.QUOTE_ALL).encode()


def dolibarr(headers: Sequence[str], *rows: dict[str, str], encoding: str = "cp1252") -> bytes:
    text = _written(headers, rows, ",").replace("\r\n", ",\r\n")
    return text.encode(encoding)


def civicrm(headers: Sequence[str], *rows: dict[str, str]) -> bytes:
    return _written(headers, rows, ",", quoting=csv.QUOTE_ALL).encode()


def paheko(*rows: dict[str, str]) -> bytes:
    return _written(PAHEKO, rows, ",").encode()


def _written(
    headers: Sequence[str], rows: Sequence[dict[str, str]], separator: str, quoting: Any = csv.QUOTE_MINIMAL
) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=quoting)
    writer.writerow(headers)
    for row in rows:
        left = dict(row)
        # The second column of a name is called "name#2" here.
        keys = [h if headers[:i].count(h) == 0 else f"{h}#2" for i, h in enumerate(headers)]
        writer.writerow([left.pop(key, "") for key in keys])
        assert not left, f"no such columns: {left}"
    return out.getvalue()


def translate(tmp_path: Path, content: bytes, name: str = "export.csv") -> tuple[str, list[Any]]:
    """The product's name, and what became of every row."""
    path = tmp_path / name
    path.write_bytes(content)
    table = read(path)
    product = recognise(table)
    outcomes = list(product.translate(table, VERSION))
    return product.name, outcomes


def facts(outcomes: list[Any]) -> list[Any]:
    return [outcome.fact for outcome in outcomes if isinstance(outcome, Accepted)]


def faults(outcomes: list[Any]) -> list[tuple[int, str, str]]:
    return [(o.line, o.field, o.value) for o in outcomes if isinstance(o, Rejection)]
