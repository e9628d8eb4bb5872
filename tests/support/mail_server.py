"""tests/support/mail_server.py PORT CERTIFICATE KEY FOLDER [starttls|tls|plain]

A mail server on 127.0.0.1 that keeps each mail as FOLDER/N.eml (envelope first) and does what
the recipient's name says:

    refuse-rcpt@, later-rcpt@    550, 451 to RCPT
    refuse-data@, later-data@    554, 452 after the message
    close-rcpt@, close-data@     closes the connection instead of answering
    silent@                      says nothing after the message
    flaky@                       one time in twenty one of these, by turns: 451, 452, closes at once,
                                 closes when it has the mail

Prints "ready" when it listens.  With starttls and tls it wants the log-in attent / swordfish.
"""
import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, certificate, key, folder = int(sys.argv[1]), *sys.argv[2:5]
mode = sys.argv[5] if len(sys.argv) > 5 else "starttls"
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


class Handler:
    count = 0
    asked = 0

    def flaw(self):
        """Of flaky@: the name whose part it plays this time."""
        Handler.asked += 1
        if Handler.asked % 20 != 0:
            return ""
        return ("later-rcpt", "later-data", "close-rcpt", "close-data")[Handler.asked // 20 % 4]

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = self.name = address.partition("@")[0]
        if name == "flaky":
            name = self.name = self.flaw()
        if name == "refuse-rcpt":
            return "550 5.1.1 no such person"
        if name == "later-rcpt":
            return "451 4.7.1 greylisted"
        if name == "close-rcpt":
            server.transport.abort()
            await asyncio.sleep(60)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = self.name
        if name == "refuse-data":
            return "554 5.7.1 looks like spam"
        if name == "later-data":
            return "452 4.3.1 no room"
        path = os.path.join(folder, f"{Handler.count}.eml")
        Handler.count += 1
        with open(path + ".part", "wb") as file:
            file.write(f"MAIL {envelope.mail_from} {' '.join(envelope.mail_options)}\r\n".encode())
            file.write(f"RCPT {' '.join(envelope.rcpt_tos)}\r\n".encode())
            file.write(envelope.content)
        os.rename(path + ".part", path)
        if name == "close-data":
            server.transport.abort()
        if name in ("close-data", "silent"):
            await asyncio.sleep(60)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"attent" and data.password == b"swordfish"
    return AuthResult(success=good)


def session():
    encrypted = mode != "plain"
    return SMTP(
        Handler(),
        enable_SMTPUTF8=mode != "plain",
        require_starttls=mode == "starttls",
        tls_context=context if mode == "starttls" else None,
        auth_required=encrypted,
        auth_require_tls=mode == "starttls",
        authenticator=authenticate if encrypted else None,
        hostname="localhost",
    )


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        session, "127.0.0.1", port, ssl=context if mode == "tls" else None
    )
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
