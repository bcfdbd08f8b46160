"""Records, and files in a product's columns."""

from hypothesis import strategies as st

VERSION = 7
SOFTWARE = ("civicrm", "dolibarr", "galette", "paheko", "plain")
headers = st.sampled_from(
    ("Couleur", "Langue", "Tél perso.", "Contact Type", "Parrain", "Parrain (A1)", "password", "")
)
