"""What a connection may take before anybody looks at its key: raw sockets against a server of our own."""

import asyncio
import resource
from dataclasses import replace

import pytest

from shared.process import http_server
from shared.process.http_server import http_limits, raise_open_files
from tests.unit.process.callers import GET, QUICK, all_of, flood, refused, serving


@pytest.mark.parametrize(
    ("beginning", "why"),
    [
        (b"GET /short HTTP/1.1\r\nhost: a\r\nx-long: ", "head-too-long"),
        (b"GET /short?", "url-too-long"),
        (
            b"POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-trailer: ",
            "head-too-long",
        ),
        (b"POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1;", "head-too-long"),
    ],
)
async def test_a_head_without_an_end_is_cut(beginning: bytes, why: str) -> None:
    async with serving(QUICK) as server:
        before = refused(why)
        taken, _ = await flood(server, beginning, 64 * 1024 * 1024)
        # What the kernel keeps for either side is some megabytes; what the process took is far less.
        assert taken < 16 * 1024 * 1024
        assert refused(why) == before + 1


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        (b"GET /short?" + b"a" * 8_000, b"", b"200"),
        (b"GET /short?" + b"a" * 8_192, b"", b"414"),
        (b"GET /short", b"x-long: " + b"a" * 32_000 + b"\r\n", b"200"),
        (b"GET /short", b"x-long: " + b"a" * 32_768 + b"\r\n", b"431"),
        (b"GET /short", b"".join(b"x-%05d: 12345678\r\n" % number for number in range(2_000)), b"200"),
        (b"GET /short", b"".join(b"x-%05d: 12345678\r\n" % number for number in range(2_200)), b"431"),
    ],
)
async def test_how_long_a_head_may_be(request_line: bytes, headers: bytes, status: bytes) -> None:
    sent = request_line + b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n" + headers + b"\r\n"
    async with serving(QUICK) as server:
        assert (await server.ask(sent)).split()[1] == status
        # And in pieces, as a network brings it.
        reader, writer = await server.connect()
        for at in range(0, len(sent), 1_400):
            writer.write(sent[at : at + 1_400])
            await asyncio.sleep(0)
        assert (await all_of(reader)).split()[1] == status


async def test_a_long_body_after_a_short_head_is_read() -> None:
    async with serving(QUICK) as server:
        head = b"POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3000000\r\n\r\n"
        assert (await server.ask(head + b"x" * 3_000_000)).endswith(b"3000000")
        chunks = b"".join(b"2000\r\n" + b"x" * 8_192 + b"\r\n" for _ in range(300)) + b"0\r\n\r\n"
        head = b"POST /read HTTP/1.1\r\nhost: a\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
        assert (await server.ask(head + chunks)).endswith(b"2457600")


@pytest.mark.parametrize(
    ("half", "more"),
    [
        (b"", b""),
        (b"\r\n", b"\r\n"),
        (b"GET /short HTTP/1.1\r\nhost: a\r\n", b"x-%d: a\r\n"),
        (b"POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf", b"x"),
    ],
)
async def test_half_a_request_is_closed_although_it_is_fed(half: bytes, more: bytes) -> None:
    async with serving(QUICK) as server:
        before, started = refused("too-slow"), asyncio.get_running_loop().time()
        reader, writer = await server.connect()
        answer = asyncio.create_task(reader.readline())
        writer.write(half)
        for number in range(50):
            await asyncio.sleep(0.1)
            if answer.done():
                break
            writer.write(more % number if b"%d" in more else more if number < 3 else b"")
        assert await answer == b"HTTP/1.1 408 Request Timeout\r\n"
        assert asyncio.get_running_loop().time() - started < 5
        assert refused("too-slow") == before + 1


async def test_many_half_requests_keep_nobody_out() -> None:
    async with serving(replace(QUICK, request_seconds=60)) as server:
        halves = [await server.connect() for _ in range(QUICK.connections * 3)]
        for _, writer in halves:
            writer.write(b"GET /short HTTP/1.1\r\n")
        await asyncio.sleep(0.1)
        assert (await server.ask(GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))).endswith(b"answered")
        # The oldest gave way, and no more of them than had to.
        closed = [await gone(reader) for reader, _ in halves]
        assert closed == sorted(closed, reverse=True)
        assert sum(not flag for flag in closed) == QUICK.connections - 1


async def gone(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.02):
            return await reader.read(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


async def test_when_all_are_busy_the_next_is_told() -> None:
    async with serving(replace(QUICK, answer_seconds=60)) as server:
        for _ in range(QUICK.connections):
            _, writer = await server.connect()
            writer.write(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n")
            await asyncio.sleep(0.05)
        assert (await server.ask(GET)).startswith(b"HTTP/1.1 503 ")


async def test_who_reads_slowly_keeps_nothing_for_ever() -> None:
    async with serving(QUICK) as server:
        reader, writer = await server.connect()
        writer.write(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n")
        started = asyncio.get_running_loop().time()
        while not server.ended.is_set():
            assert asyncio.get_running_loop().time() - started < 5
            await reader.read(1_000)
            await asyncio.sleep(0.05)
        assert server.sent > 0


async def test_idle_connections_are_closed() -> None:
    async with serving(QUICK) as server:
        answer = await server.ask(GET)
        assert answer.endswith(b"answered")
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_one_answer_after_the_other_on_one_connection() -> None:
    async with serving(QUICK) as server:
        reader, writer = await server.connect()
        for _ in range(4):
            writer.write(GET)
            assert b"200 OK" in await reader.readuntil(b"answered")
            await asyncio.sleep(0.3)
        writer.write(GET * 50)
        for _ in range(50):
            await reader.readuntil(b"answered")


async def test_what_is_no_request_is_told() -> None:
    async with serving(QUICK) as server:
        assert (await server.ask(b"\x16\x03\x01 hello\r\n\r\n")).startswith(b"HTTP/1.1 400 ")


async def test_answers_say_what_they_are_and_not_who_made_them() -> None:
    async with serving(QUICK) as server:
        for sent in (GET, b"GET /no\r\n\r\n", b"\x00"):
            answer = (await server.ask(sent)).lower()
            assert b"\r\nx-content-type-options: nosniff\r\n" in answer
            assert b"server:" not in answer
            assert b"strict-transport-security" not in answer, "only where we speak HTTPS ourselves"


def test_this_process_may_open_all_that_it_is_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    low = min(256, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (low, hard))
        assert http_limits().connections == low // 2
        assert raise_open_files() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    monkeypatch.setattr(http_server.resource, "getrlimit", lambda _: (-1, -1))
    assert http_limits().connections == http_server.MOST_CONNECTIONS


@pytest.mark.parametrize(
    ("trusted", "caller"), [((), b"127.0.0.1"), (("10.0.0.0/8",), b"127.0.0.1"), (("127.0.0.0/8",), b"203.0.113.7")]
)
async def test_only_a_proxy_that_is_trusted_says_whom_it_asks_for(trusted: tuple[str, ...], caller: bytes) -> None:
    asked = b"GET /caller HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 203.0.113.7\r\nconnection: close\r\n\r\n"
    async with serving(QUICK, trusted_proxies=trusted) as server:
        assert (await server.ask(asked)).endswith(caller)
