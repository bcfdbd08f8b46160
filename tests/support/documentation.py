"""What Markdown files say that a program can check: links, paths, commands, verbs, and the length of sentences."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import typer

from services.cli import main as cli

CHECKOUT = Path(__file__).parents[2]
MADE_LATER = ("deploy/compose/secrets",)
"""Folders that a command makes and git ignores."""
_TOP = {path.name for path in CHECKOUT.iterdir() if path.is_dir() and not path.name.startswith(".")}
_SOURCE = re.compile(r"\.(py|md|toml|yml|yaml|sh|mjs|php)$")
_COMMAND = re.compile(r"(?:^|docker compose run --rm (?:--no-TTY )?|[|&] )(traboule [^|&>]+)")


@dataclass(frozen=True)
class Document:
    """One Markdown file of the repository. Fenced and indented blocks are code, the rest is prose."""

    path: Path

    @property
    def name(self) -> str:
        """Its path from the checkout on."""
        return str(self.path.relative_to(CHECKOUT))

    @cached_property
    def _blocks(self) -> tuple[list[str], list[str]]:
        prose, code, fenced, paragraph = list[str](), list[str](), False, False
        for line in self.path.read_text("utf-8").splitlines():
            if line.lstrip().startswith("```"):
                fenced = not fenced
                continue
            # An indented line continues a paragraph or a list item, and is code where neither went before.
            if fenced or (line.startswith("    ") and not paragraph):
                code.append(line.strip())
                continue
            paragraph = bool(line.strip())
            prose.append(line)
        return prose, code

    @property
    def prose(self) -> str:
        """All but the blocks of code."""
        return "\n".join(self._blocks[0])

    @property
    def code(self) -> Sequence[str]:
        """The lines of the blocks of code, without the spaces around them."""
        return self._blocks[1]

    @cached_property
    def quoted(self) -> Sequence[str]:
        """What stands in back quotes, on one line each."""
        return [" ".join(text.split()) for text in re.findall(r"`([^`]+)`", self.prose)]

    @cached_property
    def anchors(self) -> frozenset[str]:
        """What a link may name of it, as GitHub makes it of headings."""
        headings = re.findall(r"^#+ +(.+)$", self.prose, re.MULTILINE)
        plain = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
        return frozenset(heading.replace(" ", "-") for heading in plain)

    def broken_links(self) -> Iterator[str]:
        """Relative links to a file that is not there, or to a heading that it does not have."""
        for target in re.findall(r"\]\(([^)\s]+)\)", self.prose):
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = (self.path.parent / file).resolve() if file else self.path
            if not path.exists() or (anchor and anchor not in Document(path).anchors):
                yield target

    def missing_paths(self) -> Iterator[str]:
        """Paths in back quotes that are not there: from the checkout on, from this file on, or by name below it."""
        for text in self.quoted:
            if not re.fullmatch(r"[\w./*-]+", text) or text.startswith((".", "/", *MADE_LATER)):
                continue
            folder, parent = text.endswith("/"), self.path.parent
            if text.split("/")[0] not in _TOP or "/" not in text:
                if not (_SOURCE.search(text) or folder):
                    continue
                if "/" not in text and any(parent.rglob(text)):
                    continue
            if not any(any(place.glob(text.rstrip("/"))) for place in (CHECKOUT, parent)):
                yield text

    def commands(self) -> Iterator[str]:
        """Every ``traboule …`` that it names."""
        for line in self.code:
            yield from (result.strip() for result in _COMMAND.findall(re.split(r"\s#", line)[0]))
        yield from (text for text in self.quoted if text.startswith("traboule "))

    def verbs(self) -> Iterator[str]:
        """Every ``make verb`` that it names."""
        for line in (*self.code, *self.quoted):
            if match := re.match(r"make ([a-z-]+)", line):
                yield match[1]

    def sentences(self) -> Iterator[str]:
        """Its sentences: no headings, tables or comments. An expression in back quotes counts as one word."""
        text = re.sub(r"<!--.*?-->", "", self.prose, flags=re.DOTALL)
        text = re.sub(r"`[^`]+`", "`code`", text)
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
        text = re.sub(r"^(#|\||>).*$", "", text, flags=re.MULTILINE)
        text = re.sub(r"^ *([-*]|\d+\.) ", "\n\n", text, flags=re.MULTILINE)
        for paragraph in re.split(r"\n\s*\n", text):
            yield from re.split(r"(?<=[.!?])[)*\"']*\s+", " ".join(paragraph.split()))


def documents() -> list[Document]:
    """Every Markdown file of the repository."""
    relatives = (path.relative_to(CHECKOUT) for path in CHECKOUT.rglob("*.md"))
    return [
        Document(CHECKOUT / path) for path in sorted(relatives) if not any(part.startswith(".") for part in path.parts)
    ]


def parse_command(line: str) -> None:
    """Read a line as the ``traboule`` command would, without doing it. Fails with what is wrong.

    ``…`` stands for any command of its group.
    """
    words = shlex.split(line)[1:]
    command: Any = typer.main.get_command(cli.app)
    context = command.make_context("traboule", words[:1], resilient_parsing=True)
    while hasattr(command, "resolve_command"):
        if words[:1] == ["…"]:
            options = {word for word in words if word.startswith("-")}
            assert options <= _options_of(command, context), line
            return
        _, resolved, rest = command.resolve_command(context, words)
        assert resolved is not None, line
        command, words = resolved, list(rest)
        context = command.make_context(command.name, list(words), parent=context, resilient_parsing=True)
        if not words:
            return
    context.resilient_parsing = False
    command.make_parser(context).parse_args([word for word in words if word != "…"])


def _options_of(group: Any, context: Any) -> set[str]:
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    return {option for command in commands for parameter in command.params for option in parameter.opts}
