"""What nobody should post to a gate's form: each is answered with the reason, and no request comes of it.  sam asks
for lab/toxic-bert, from the page and with a token."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from access.models import AccessRequest
from tests.support.cast import ANSWERS

ASK = "/lab/toxic-bert/ask-access"
FORM, JSON, PARTS = "application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"
MIB = 1024**2


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


REST = part("Country", b"FR") + part("I agree", b"on") + b"--x--\r\n"
FILE = '; filename="a.txt"'


@pytest.fixture(params=["token", "session"])
def send(request, api, browser, sam):
    """Post a body with a token, or as a browser does."""
    if request.param == "token":
        return lambda body, type_: api(sam).send("POST", ASK, body, content_type=type_)
    return lambda body, type_: browser(sam).generic("POST", ASK, body, content_type=type_)


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (urlencode({f"k{number}": 1 for number in range(10_000)}).encode(), FORM, 413),
        (b"Company=a%00b&Country=FR&I+agree=on", FORM, 400),
        (b"Company=a%1Bb&Country=FR&I+agree=on", FORM, 400),
        (b"Company=" + b"x" * 20_481 + b"&Country=FR&I+agree=on", FORM, 400),
        (b"Company=a&Country=FR&I+agree=on", f"{FORM}; charset=utf-16", 400),
        (b"Company=a&Country=FR&I+agree=on", f"{FORM}; charset=hex", 400),
        (b'{"Company": "\\ud800", "Country": "FR", "I agree": true}', JSON, 400),
        (b'{"\\ud800": "x", "Country": "FR", "I agree": true}', JSON, 400),
        (b'{"Company": NaN, "Country": "FR", "I agree": true}', JSON, 400),
        (b'{"Company": Infinity, "Country": "FR", "I agree": true}', JSON, 400),
        (b'{"Company": 1e999, "Country": "FR", "I agree": true}', JSON, 400),
        (b'{"Company": ' + b"9" * 5000 + b', "Country": "FR", "I agree": true}', JSON, 400),
        (json.dumps(ANSWERS | {"Company": ["a"]}).encode(), JSON, 400),
        (part("Company", b"a", FILE) + REST, PARTS, 400),
        (part("Company", b"a") + part("more", b"z" * (3 * MIB), FILE) + REST, PARTS, 413),
        (part("Company", b"z" * (3 * MIB)) + REST, PARTS, 413),
        (part("Company", b"a") + REST, f"{PARTS}; charset=hex", 400),
        (part("Company", b"a") + REST, f"{PARTS}; charset=rot13", 400),
        (part("Company", b"a") + REST, f"{PARTS}; charset=idna", 400),
        (part("Company", b"a") + REST, f"{PARTS}; charset=utf-16", 400),
        (b"x", "%%%", 415),
        (b"x", "text/plain; charset=hex", 415),
        (b"{}", "application/vnd.api+json", 415),
    ],
)
def test_it_is_refused_with_its_reason(gated_repo, send, body, type_, status):
    response = send(body, type_)
    assert response.status_code == status
    assert "X-Error-Message" in response or b"The form is not complete" in response.content
    assert not AccessRequest.objects.exists()


@pytest.mark.parametrize(
    ("body", "type_", "company"),
    [
        (json.dumps(ANSWERS | {f"k{number}": 1 for number in range(10_000)}).encode(), JSON, "Example University"),
        (json.dumps(ANSWERS | {"a\x00": "b\x00"}).encode(), JSON, "Example University"),
        (f"Company={quote('Ж' * 20_480)}&Country=FR&I+agree=on".encode(), FORM, "Ж" * 20_480),
        (b"Company=%ED%A0%80&Country=FR&I+agree=on", FORM, "\ufffd" * 3),
        (part("Company", "Ж".encode()) + REST, PARTS, "Ж"),
        (part("Company", b"a") + REST, f"{PARTS}; charset=UTF8", "a"),
        (part("Company", b"a") + part("more", b"z", FILE) + REST, PARTS, "a"),
    ],
)
def test_what_can_be_understood_is_taken(gated_repo, send, body, type_, company):
    assert send(body, type_).status_code == 303
    assert AccessRequest.objects.get().answers == ANSWERS | {"Company": company}


def test_a_file_is_kept_nowhere(gated_repo, send, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "uploads")
    Path(settings.FILE_UPLOAD_TEMP_DIR).mkdir()
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1
    send(part("more", b"z" * MIB, FILE) + REST, PARTS)
    assert list(Path(settings.FILE_UPLOAD_TEMP_DIR).iterdir()) == []


@pytest.mark.parametrize("type_", ["text/plain; charset=hex", f"{FORM}; charset=idna", "text/html; charset=utf-16"])
@pytest.mark.parametrize("path", ["/models?search=x%E9", "/lab/toxic-bert?x=%FF", "/api/models?search=x"])
def test_an_odd_encoding_breaks_no_address(gated_repo, browser, path, type_):
    assert browser().generic("GET", path, content_type=type_).status_code in (200, 400)
