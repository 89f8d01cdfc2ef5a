"""A real OpenID Connect provider on loopback, one that speaks as GitHub does, and a server that knows both.

GitHub itself cannot run here; what stands for it answers as GitHub Enterprise Server documents it.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from tests.support.processes import Process, free_port
from tests.support.server import BIN, ROOT, Server


@dataclass
class IdentityProvider:
    """Its `url` is its issuer.  It lets everybody in as whom they say, and tells of them what it was told."""

    url: str

    def knows(self, subject: str, **claims: Any) -> None:
        requests.put(f"{self.url}/users/{subject}", json=claims, timeout=10).raise_for_status()

    def signs_in(self, authorize_url: str, subject: str) -> str:
        """What the browser of somebody does there; gives the address where it is sent then."""
        return self._answers(authorize_url, {"sub": subject})

    def is_told_no(self, authorize_url: str) -> str:
        """With the state, which this provider forgets here, and RFC 6749 (section 4.1.2.1) wants."""
        state = parse_qs(urlsplit(authorize_url).query)["state"][0]
        return self._answers(authorize_url, {"action": "deny"}) + f"&state={state}"

    def _answers(self, authorize_url: str, form: dict[str, str]) -> str:
        answer = requests.post(authorize_url, data=form, timeout=10, allow_redirects=False)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]


@dataclass
class FakeGitHub:
    """Lets `login` in.  Under `/liar` it has the discovery document of another issuer."""

    url: str = ""
    login: str = "octo"
    emails: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    """Bodies that its token endpoint got."""

    def signs_in(self, authorize_url: str) -> str:
        said = parse_qs(urlsplit(authorize_url).query)
        return f"{said['redirect_uri'][0]}?{urlencode({'code': 'c0de', 'state': said['state'][0]})}"

    def answer(self, path: str) -> Any:
        match path:
            case "/login/oauth/access_token":
                return {"access_token": "gho_secret", "token_type": "bearer", "scope": "user:email"}
            case "/api/v3/user":
                return {"id": sum(map(ord, self.login)), "login": self.login, "name": self.login.title(), "email": None}
            case "/api/v3/user/emails":
                return self.emails
            case "/liar/.well-known/openid-configuration":
                return {"issuer": "https://accounts.google.com", "authorization_endpoint": "", "token_endpoint": ""}
            case "/nonsense/.well-known/openid-configuration":
                return ["nothing"]
        return None


@pytest.fixture(scope="session")
def identity_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    port = free_port()
    url = f"http://localhost:{port}"
    process = Process(
        [str(BIN / "python"), "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)],
        log_file=tmp_path_factory.mktemp("identity-provider") / "log",
        env={"PATH": os.environ["PATH"], "AUTHLIB_INSECURE_TRANSPORT": "1"},
        cwd=ROOT,
    )

    def ready() -> bool:
        try:
            return requests.get(f"{url}/.well-known/openid-configuration", timeout=1).ok
        except requests.ConnectionError:
            return False

    process.start(ready)
    yield IdentityProvider(url)
    process.stop()


@pytest.fixture(scope="session")
def github() -> Iterator[FakeGitHub]:
    fake = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = fake.answer(urlsplit(self.path).path)
            self.send_response(404 if said is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def do_POST(self) -> None:
            fake.asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Nothing: tests look at what it was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield fake
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def server_with_providers(
    _make_server: Callable[..., Server], identity_provider: IdentityProvider, github: FakeGitHub
) -> Iterator[Server]:
    """`company` and `github` as an operator adds them, `trusted` as one whose addresses let people into accounts;
    `closed` makes no accounts, `liar`, `nonsense` and `gone` are none.
    """
    said = {"PROVIDERS": "company,trusted,closed,github,liar,nonsense,gone"}
    for name in ("company", "trusted", "closed"):
        said[f"{name.upper()}_ISSUER"] = identity_provider.url
    said |= {
        "COMPANY_NAME": "Example University",
        "TRUSTED_TRUST_ADDRESSES": "1",
        "CLOSED_SIGN_UP": "0",
        "GITHUB_URL": github.url,
        "LIAR_ISSUER": f"{github.url}/liar",
        "NONSENSE_ISSUER": f"{github.url}/nonsense",
        "GONE_ISSUER": f"http://127.0.0.1:{free_port()}",
    }
    for name in said["PROVIDERS"].split(","):
        said |= {f"{name.upper()}_CLIENT_ID": "gatehub", f"{name.upper()}_CLIENT_SECRET": "of-a-test"}
    server = _make_server(env={f"GATEHUB_SIGN_IN_{name}": value for name, value in said.items()})
    server.start()
    yield server
    server.stop()


def leads_to(page: requests.Response) -> str:
    """Where the page takes people of its own accord."""
    assert page.status_code == 200, page.text
    found = re.fullmatch(r"0; url=(\S+)", page.headers["refresh"])
    assert found is not None
    return found[1]


class Browser(requests.Session):
    """Somebody at that server, before they sign in."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.url = server.url
        self.open("/login")

    def open(self, path: str) -> requests.Response:
        return self.get(path if path.startswith("http") else self.url + path, timeout=30)

    def submit(self, path: str, **form: str) -> requests.Response:
        token = self.cookies["gatehub_csrf"]
        body = form | {"csrfmiddlewaretoken": token}
        return self.post(self.url + path, data=body, headers={"Referer": self.url}, timeout=30)

    def goes_to(self, provider: str, **form: str) -> str:
        """Begins to sign in; gives the provider's address, where the page leads."""
        return leads_to(self.submit(f"/login/with/{provider}", **form))

    def whoami(self) -> str:
        """The user name of who is signed in; empty for nobody."""
        answer = self.open("/settings/profile")
        if urlsplit(answer.url).path != "/settings/profile":
            return ""
        found = re.search(r"<summary>\s*<span>([\w-]+)</span>", answer.text)
        assert found is not None, answer.text
        return found[1]
