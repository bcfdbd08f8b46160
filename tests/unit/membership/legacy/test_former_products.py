"""The clusters file says which software a former system is, and is refused where nobody could write for it."""

from pathlib import Path

import pytest

from deploy.demo.exports import DYNAMIC_FIELDS, GALETTE_HEADER
from deploy.provisioning.provision import CLUSTERS
from services.membership.legacy import check_software
from shared.importing.table import normal
from shared.runtime.clusters import ClustersFileError, load_clusters

FILE = """
[clusters.numelink]
name = "Numelink"
former_systems = ["membership"]
{more}
"""


def written(folder: Path, more: str) -> Path:
    path = folder / "clusters.toml"
    path.write_text(FILE.format(more=more), "utf-8")
    return path


def test_the_shipped_file_names_what_the_demo_exports() -> None:
    clusters = load_clusters(CLUSTERS)
    check_software(clusters, "membership")
    assert clusters["clustr-numerique"].products == {"membership": "dolibarr"}
    assert clusters["numelink"].products == {"membership": "galette"}
    headers = {normal(header) for header in (*GALETTE_HEADER, *DYNAMIC_FIELDS)}
    assert {normal(text) for text in clusters["numelink"].added_columns["membership"]} <= headers


def test_a_file_that_says_nothing_of_it_means_plain_columns(tmp_path: Path) -> None:
    clusters = load_clusters(written(tmp_path, ""))
    assert clusters["numelink"].products == {}
    check_software(clusters, "membership")


def test_an_unknown_product_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    clusters = load_clusters(written(tmp_path, 'products = { membership = "sage" }'))
    with pytest.raises(ClustersFileError) as info:
        check_software(clusters, "membership")
    assert str(info.value) == (
        'clusters.numelink.products.membership: there is no product "sage"; '
        "known are civicrm, dolibarr, galette, paheko, plain"
    )


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ('products = { billing = "galette" }', "products.billing: there is no such former system"),
        ("products = { membership = 7 }", "7 is no text"),
        ('added_columns = { membership = "SIRET" }', "'SIRET' is no list"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, more: str, text: str) -> None:
    with pytest.raises(ClustersFileError, match=text):
        load_clusters(written(tmp_path, more))
