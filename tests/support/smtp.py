"""A mail server on loopback that does what tests ask it to: take mails, refuse them, hang, break off, be gone.

    def test_a_mail(smtp, start_server):
        server = start_server(env={"GATEHUB_EMAIL_URL": smtp.url})
        smtp.meet("rcpt", "451 4.3.0 Try again later")
        ...
        smtp.work()
        mail = smtp.wait_for(1)[0]

It speaks SMTP by aiosmtpd, in a thread of the test's own process, and keeps its port while it is stopped.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from enum import Enum
from functools import cached_property
from typing import Literal, Protocol, cast

import pytest
from aiosmtpd.smtp import SMTP, syntax

from tests.support.processes import free_port

Step = Literal["connect", "rcpt", "data", "half", "whole", "answered"]
"""A client came; it named a recipient; it wants to send; half of the mail is here; all of it is; it was told so."""


class Trouble(Enum):
    """What the server does instead of answering."""

    HANG = "hang"
    DROP = "drop"


class Callback(Protocol):
    """Gets the recipient as far as it is known, and how the client calls itself."""

    def __call__(self, recipient: str, client: str) -> str | Trouble | None: ...


@dataclass
class Mail:
    """A mail that came whole."""

    to: list[str]
    raw: bytes
    answered: bool = False
    """Whether its sender could have been told that it came."""

    @cached_property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=WIRE)

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def kind(self) -> str:
        return str(self.message["X-GateHub-Kind"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


@dataclass(slots=True)
class MailServer:
    """Starts well-behaved.  Whatever tests set may be set while it runs."""

    port: int = field(default_factory=free_port)
    mails: list[Mail] = field(default_factory=list)
    attempts: int = 0
    """How many clients have come."""
    seconds: float = 0
    """How long it takes for each mail."""
    troubles: dict[Step, str | Trouble] = field(default_factory=dict)
    recipients: dict[str, str | Trouble] = field(default_factory=dict)
    at: dict[Step, Callback] = field(default_factory=dict)
    """What is called at a step; in the server's thread, before the answer.  It may return what is answered instead."""
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread | None = None
    _clients: set[_Conversation] = field(default_factory=set)

    @property
    def url(self) -> str:
        """For GATEHUB_EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    # --- What it does ---

    def meet(self, step: Step, what: str | Trouble) -> None:
        """From now on, answer so at the step: with a line as SMTP has it, or not at all."""
        self.troubles[step] = what

    def refuse(self, recipient: str, what: str | Trouble) -> None:
        """Answer so whoever sends to this one; the others are served."""
        self.recipients[recipient] = what

    def work(self) -> None:
        """Forget all troubles."""
        self.troubles.clear()
        self.recipients.clear()
        self.at.clear()
        self.seconds = 0

    def wait_for(self, number: int, *, seconds: float = 60) -> list[Mail]:
        """The mails, once so many have come whole and were answered."""
        deadline = time.monotonic() + seconds
        while len(came := [mail for mail in self.mails if mail.answered]) < number:
            told = [f"{mail.kind} to {', '.join(mail.to)}: {mail.subject}" for mail in came]
            assert time.monotonic() < deadline, f"{len(came)} of {number} mails came: {told}"
            time.sleep(0.02)
        return came

    def wait_for_attempts(self, number: int, *, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while self.attempts < number:
            assert time.monotonic() < deadline, f"{self.attempts} of {number} clients came"
            time.sleep(0.02)

    # --- Whether it is there ---

    def start(self) -> None:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=[started], name="mail server", daemon=True)
        self._thread.start()
        assert started.wait(10), "the mail server did not start"

    def stop(self) -> None:
        """Be gone, with all conversations broken off: whoever comes is refused by the machine."""
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
        self._loop = self._thread = None

    def _run(self, started: threading.Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        with socket.socket() as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(("127.0.0.1", self.port))
            listening.listen(128)
            listening.setblocking(False)
            listener = loop.run_until_complete(loop.create_server(lambda: _Conversation(self, loop), sock=listening))
            started.set()
            loop.run_forever()
            loop.remove_reader(listening)  # asyncio loses the sockets that it let in when the listener is closed first.
            loop.run_until_complete(self._end())
            listener.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    async def _end(self) -> None:
        """Break off all conversations, those too that are only let in: each ends its own tasks, and none is cancelled
        before it has a socket to close."""
        quiet = 0
        while quiet < 5:  # Turns of the loop; from an open connection to its task and its conversation it takes three.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            quiet = 0 if others or self._clients else quiet + 1
            for client in list(self._clients):
                client.break_off()
            await asyncio.sleep(0 if not others else 0.001)

    def _arrived(self, client: _Conversation) -> None:
        self._clients.add(client)
        self.attempts += 1


class _Conversation(SMTP):
    """One client's."""

    def __init__(self, server: MailServer, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(_Nothing(), hostname="mail.example.org", loop=loop, enable_SMTPUTF8=True)
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._server._arrived(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._clients.discard(self)
        super().connection_lost(error)

    def break_off(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()

    async def _meets(self, step: Step, recipient: str = "") -> bool:
        """Whether trouble took the place of the step."""
        callback = self._server.at.get(step)
        asked = callback(recipient, str(getattr(self.session, "host_name", ""))) if callback is not None else None
        what = asked or self._server.troubles.get(step)
        if step == "rcpt" and recipient in self._server.recipients:
            what = self._server.recipients[recipient]
        if what is None:
            return False
        if what is Trouble.HANG:
            await asyncio.sleep(3600)
        elif what is Trouble.DROP:
            self.break_off()
        else:
            await self.push(str(what))
            if str(what).startswith("421"):
                self._end()
        return True

    def _end(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).close()

    async def _handle_client(self) -> None:
        if not await self._meets("connect"):
            await super()._handle_client()

    async def smtp_RCPT(self, arg: str | None) -> None:
        address = (arg or "").partition("<")[2].partition(">")[0]
        if not await self._meets("rcpt", address):
            await super().smtp_RCPT(arg)

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        assert self.envelope is not None
        to = list(self.envelope.rcpt_tos)
        if not to:
            await self.push("503 Error: need RCPT command")
            return
        if await self._meets("data", to[0]):
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        if not self._server.seconds:
            await self._take(to)
            return
        await asyncio.sleep(self._server.seconds)
        await self._take(to)

    async def _take(self, to: list[str]) -> None:
        """The mail, line by line, to the line with a dot alone."""
        lines: list[bytes] = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
            if len(lines) == 3 and await self._meets("half", to[0]):
                return
        self._set_post_data_state()  # type: ignore[no-untyped-call]
        refusal = self._server.troubles.get("whole")
        if isinstance(refusal, str):  # Not taken: the client is told so.
            await self._meets("whole", to[0])
            return
        mail = Mail(to, b"".join(lines))
        self._server.mails.append(mail)
        if await self._meets("whole", to[0]):
            return
        mail.answered = True
        await self.push("250 OK")
        await self._meets("answered", to[0])


class _Nothing:
    """aiosmtpd wants a handler; all is done above."""


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()
