"""`hf auth login` without a token: it shows a code, the person approves it on the page, the device has a token."""

from __future__ import annotations

import re
import subprocess
import threading
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from tests.support.clients import client
from tests.support.hub import PASSWORD, Hub, Person


def _form(session: requests.Session, url: str, action: str, **values: str) -> requests.Response:
    """Fill in the form of a page that goes to `action`, as a browser would."""
    page = BeautifulSoup(session.get(url, timeout=30).text, "html.parser")
    form = page.select_one(f'main form[method=post][action="{action}"]')
    assert form is not None, page.main
    given = {field["name"]: field.get("value", "") for field in form.select("input[name]")}
    return session.post(url, data=given | values, headers={"Referer": url}, timeout=30)


def _approve(hub: Hub, person: Person, code: str, decision: str) -> None:
    with requests.Session() as session:
        session.headers["Accept"] = "text/html"
        _form(session, f"{hub.url}/login", "/login", login=person.name, password=PASSWORD)
        answer = _form(session, f"{hub.url}/device?code={code}", "/device", decision=decision)
        assert answer.ok, answer.text


@pytest.mark.parametrize("name", ["1.20.0", "2.4.0"])
@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_device_is_signed_in_by_the_page(hub: Hub, owner: Person, tmp_path: Path, name: str, decision: str) -> None:
    release = client(name)
    process = subprocess.Popen(
        [str(release.bin("hf")), "auth", "login"],
        env=release.environment(tmp_path, hub, None),
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    told: list[str] = []
    found = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(line)
            if re.search(r"code=[A-Z-]{9}", line):
                found.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert found.wait(60), told
        code = re.search(r"code=([A-Z-]{9})", "".join(told))
        assert code
        _approve(hub, owner, code[1], decision)
        process.wait(60)
    finally:
        process.kill()
        reader.join()
        assert process.stdout is not None
        process.stdout.close()
    if decision == "deny":
        assert process.returncode != 0
        assert not (tmp_path / "hf" / "token").exists()
        return
    assert process.returncode == 0, told
    who = release.cli("auth", "whoami", program="hf", server=hub, home=tmp_path)
    assert owner.name in who.stdout + who.stderr
