#!/usr/bin/python3
"""Takes mail as Mailpit does, on port 1025, and tells on port 8025 what came, as its `/api/v1/messages` does.

It shows no page, keeps nothing, and knows no other call.
"""

import json
import threading
from email import message_from_bytes, policy
from email.utils import getaddresses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer

RECEIVED: list[dict[str, object]] = []


class Smtp(StreamRequestHandler):
    """One conversation of RFC 5321, without extensions."""

    def handle(self) -> None:
        """Answer line by line until the sender goes."""
        self._print("220 a stand-in for Mailpit")
        while line := self.rfile.readline():
            verb = line[:4].upper().decode("latin-1").strip()
            if verb == "DATA":
                self._print("354 go on")
                RECEIVED.append(_written(b"".join(iter(self.rfile.readline, b".\r\n"))))
                self._print("250 taken")
            elif verb == "QUIT":
                self._print("221 bye")
                return
            else:
                self._print("250 well" if verb in {"EHLO", "HELO", "MAIL", "RCPT", "RSET", "NOOP"} else "502 unknown")

    def _print(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class Api(BaseHTTPRequestHandler):
    """What came, newest first."""

    def do_GET(self) -> None:
        """Only the list."""
        body = json.dumps({"messages": RECEIVED[::-1]}).encode() if self.path == "/api/v1/messages" else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)


def _written(data: bytes) -> dict[str, object]:
    mail = message_from_bytes(data, policy=policy.default)
    to = getaddresses(mail.get_all("To", []))
    return {"Subject": mail["Subject"], "To": [{"Name": name, "Address": address} for name, address in to]}


if __name__ == "__main__":
    threading.Thread(target=ThreadingTCPServer(("", 1025), Smtp).serve_forever, daemon=True).start()
    ThreadingHTTPServer(("", 8025), Api).serve_forever()
