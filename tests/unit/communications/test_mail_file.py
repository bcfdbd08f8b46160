"""The file that says who mail is from."""

from pathlib import Path

import pytest

from deploy.local.runs import CHECKOUT
from services.communications.brands.file import MailFileError, load_mail

CLUSTERS = ("numelink", "clustr-numerique")
RIGHT = """
public_url = "https://adhesion.example"
[relay]
host = "localhost"
[brands.numelink]
name = "Numelink"
sender = "bonjour@numelink.example"
return_domain = "retour.numelink.example"
clusters = ["numelink"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mail.toml"
    path.write_text(text)
    return path


def test_the_shipped_one_is_right() -> None:
    mail = load_mail(CHECKOUT / "deploy/mail.toml", CLUSTERS)
    found = [brand and brand.code for brand in map(mail.brand_of, CLUSTERS)]
    assert found == ["numelink", "clustr"]


def test_the_only_brand_writes_to_every_cluster(tmp_path: Path) -> None:
    brand = load_mail(written(tmp_path, RIGHT), CLUSTERS).brand_of("clustr-numerique")
    assert brand is not None
    assert (brand.code, brand.domain) == ("numelink", "numelink.example")


@pytest.mark.parametrize(
    ("true", "false", "message"),
    [
        ("public_url", "public_uri", "public_url: Field required"),
        ("https://adhesion.example", "adhesion.example", "public_url"),
        ("bonjour@numelink.example", "bonjour", "brands.numelink.sender"),
        ('"Numelink"', '"Nume\\nlink"', "brands.numelink.name"),
        ('["numelink"]', '["numelinc"]', "there is no cluster 'numelinc'; there are numelink"),
        ("[brands.numelink]", "[brand.numelink]", "somebody whom it is from"),
        ('host = "localhost"', 'host = "relay.example"\nusername = "x"', "password_file belong together"),
        (
            'host = "localhost"',
            'host = "relay.example"\ntls = "none"\nusername = "x"\npassword_file = "p"',
            "over TLS alone",
        ),
        ("[relay]", "[relay", "this is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, true: str, false: str, message: str) -> None:
    assert true in RIGHT
    with pytest.raises(MailFileError, match=message):
        load_mail(written(tmp_path, RIGHT.replace(true, false)), CLUSTERS)
