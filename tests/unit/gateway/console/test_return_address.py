"""Where one may be sent after signing in: to a page of the console, and nowhere else."""

import pytest

from services.gateway.console.pages.signing_in import is_ours


@pytest.mark.parametrize("path", ["/console", "/console/membres?q=caf%C3%A9&cluster=numelink", "/console/doublons#x"])
def test_a_page_of_the_console(path):
    assert is_ours(path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//evil.example/console",
        "//[x",
        "//a\u2100b",
        "https://evil.example/console",
        "https:/console",
        "/console\\@evil.example",
        "/console\r\nset-cookie: a=b",
        "/console/connexion/abc",
        "/members",
        "console",
        "/console/\u00e9",
    ],
)
def test_nowhere_else(path):
    assert not is_ours(path)
