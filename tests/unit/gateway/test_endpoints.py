"""How the HTTP side is built: endpoints that can be imported, a description that names this installation's clusters."""

import pytest
from fastapi import FastAPI

from services.gateway.api import (
    conflicts,
    cutover,
    duplicates,
    export,
    identity,
    lists,
    members,
    overrides,
    records,
    statistics,
)
from services.gateway.openapi import describe

AREAS = [conflicts, cutover, duplicates, identity, lists, members, overrides, records, statistics]


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.__name__.rpartition(".")[2])
def test_an_endpoint_is_a_function_of_its_module(area):
    endpoints = [route.endpoint for route in area.router.routes]

    assert endpoints
    assert [endpoint for endpoint in endpoints if getattr(area, endpoint.__name__, None) is not endpoint] == []


@pytest.mark.parametrize(("area", "path"), [(lists, "/members"), (export, "/members.csv"), (duplicates, "/duplicates")])
def test_the_description_lists_the_clusters_of_this_installation(area, path):
    app = FastAPI()
    app.include_router(area.router)

    for clusters in (["grandlyon", "numelink"], ["numelink"]):
        app.openapi_schema = None
        parameters = describe(app, clusters, {})["paths"][path]["get"]["parameters"]

        (cluster,) = [parameter for parameter in parameters if parameter["name"] == "cluster"]
        assert cluster["schema"]["enum"] == clusters
