"""Documentation names only links, paths, commands and verbs that exist, in sentences that are short."""

import re

import pytest

from tests.support.documentation import CHECKOUT, Document, documents, parse_command

DOCUMENTS = documents()
COMMANDS = sorted({(line, document.name) for document in DOCUMENTS for line in document.commands()})
VERBS = frozenset(re.findall(r"^([a-z-]+):.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
MOST_LINES, MOST_WORDS = 150, 35

each = pytest.mark.parametrize("document", DOCUMENTS, ids=[document.name for document in DOCUMENTS])


@each
def test_a_document_links_to_files_and_headings_that_exist(document: Document) -> None:
    assert list(document.broken_links()) == []


@each
def test_a_document_names_paths_that_exist(document: Document) -> None:
    assert list(document.missing_paths()) == []


@each
def test_a_document_names_verbs_of_the_makefile(document: Document) -> None:
    assert set(document.verbs()) <= VERBS


@pytest.mark.parametrize(("line", "name"), COMMANDS)
def test_a_command_in_a_document_is_one_that_traboule_reads(line: str, name: str) -> None:
    parse_command(line)


@each
def test_a_document_has_no_long_sentence(document: Document) -> None:
    assert [sentence for sentence in document.sentences() if len(sentence.split()) > MOST_WORDS] == []


def test_the_readme_is_short() -> None:
    assert len((CHECKOUT / "README.md").read_text("utf-8").splitlines()) <= MOST_LINES


def test_a_document_is_taken_apart(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("documentation") / "page.md"
    path.write_text(
        "# A heading, here\n\nSee [x](gone.md) and [y](#a-heading-here), `shared/gone.py`, `gone.py`, `a/b` and\n"
        "`make nothing`. A second one.\n\n- An item\n    that goes on\n\n```sh\ntraboule keys list | less   # some\n"
        "docker compose run --rm traboule status && ls\n```\n\n    make indented\n"
    )
    document = Document(path)
    assert list(document.broken_links()) == ["gone.md"]
    assert list(document.missing_paths()) == ["shared/gone.py", "gone.py"]
    assert set(document.verbs()) == {"nothing", "indented"}
    assert list(document.commands()) == ["traboule keys list", "traboule status"]
    assert "A second one." in document.sentences()
    assert "An item that goes on" in document.sentences()


@pytest.mark.parametrize(
    "line",
    ["traboule nothing", "traboule keys nothing", "traboule keys list --nothing", "traboule differences … --nothing"],
)
def test_a_command_that_traboule_does_not_read_is_refused(line: str) -> None:
    with pytest.raises(Exception, match="nothing"):
        parse_command(line)
