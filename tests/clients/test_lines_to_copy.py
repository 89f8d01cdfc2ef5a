"""The lines under "Use this model", taken from the page and pasted: they work once access was accepted, not before.

The repos have names of every kind of character that a name may have.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import requests
from bs4 import BeautifulSoup

from gatehub.demo import model
from tests.support.clients import Client, client
from tests.support.hub import CARD, Hub, Person

ODD = "Odd.name_with-1.5b"
FILES = {name: data for name, data in model.files().items() if name != "model.safetensors"}


def page(hub: Hub, path: str) -> dict[str, str]:
    """What the page says, by the title of the lines."""
    answer = requests.get(f"{hub.url}{path}", timeout=60)
    sections = BeautifulSoup(answer.content, "html.parser").select("#use details")
    return {section.summary.text.strip(): section.code.text for section in sections}


def paste_shell(lines: str, hub: Hub, using: Client, who: Person, home: Path) -> subprocess.CompletedProcess[str]:
    """In a shell that knows no HF_ENDPOINT.  A person types the token where hf asks for it, or lets it in on a page."""
    environment = using.environment(home, hub, None)
    del environment["HF_ENDPOINT"]
    lines = lines.replace("hf auth login", f"hf auth login --token {who.token}")
    askpass = home / "askpass"
    askpass.write_text(f'#!/bin/sh\ncase "$1" in Username*) echo {who.name};; *) echo {who.token};; esac\n')
    askpass.chmod(0o700)
    return subprocess.run(
        ["/bin/bash", "-e", "-c", lines],
        cwd=home, env=environment | {"GIT_ASKPASS": str(askpass)}, capture_output=True, text=True, timeout=180,
        check=False,
    )  # fmt: skip


def paste_python(lines: str, hub: Hub, using: Client, who: Person, home: Path, then: str) -> str:
    """In Python that knows no HF_ENDPOINT, with the token in HF_TOKEN as the page says."""
    environment = using.environment(home, hub, who.token)
    del environment["HF_ENDPOINT"]
    done = subprocess.run(
        [str(using.python), "-c", f"{lines}\n{then}"],
        cwd=home, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def model_id(hub: Hub, owner: Person) -> str:
    name = f"{owner.name}/{ODD}"
    card = CARD.replace("license: mit", "license: mit\nlibrary_name: transformers\npipeline_tag: fill-mask").encode()
    hub.publish(name, owner, FILES | {"README.md": card})
    return name


def test_the_lines_of_a_gated_model(hub: Hub, owner: Person, guest: Person, model_id: str, home: Path) -> None:
    newest, transformers = client("2.4.0"), client("transformers")
    lines = page(hub, f"/{model_id}")
    assert list(lines) == ["Command line", "Python", "transformers", "git"]
    # Without a computer that has a framework for it, the last line could not load the weights; the tokenizer can.
    tokenizer = lines["transformers"].replace("AutoModelForMaskedLM, ", "").rpartition("\n")[0]
    then = 'print("HAVE", len(tokenizer("the cat").input_ids))'

    refused = paste_shell(lines["Command line"], hub, newest, guest, home)
    assert refused.returncode
    assert "awaiting a review" in refused.stderr or "access" in refused.stderr.lower(), refused.stderr
    assert "HAVE" not in paste_python(tokenizer, hub, transformers, guest, home, then)
    assert paste_shell(lines["git"], hub, newest, guest, home).returncode

    hub.ask(model_id, guest)
    hub.handle(model_id, owner, guest, "accepted")
    done = paste_shell(lines["Command line"], hub, newest, guest, home)
    assert done.returncode == 0, done.stderr
    assert (Path(done.stdout.split("path: ")[-1].split()[0]) / "config.json").exists(), done.stdout
    snapshot = paste_python(lines["Python"], hub, newest, guest, home, 'import os; print("HAVE", os.listdir(path))')
    assert "config.json" in snapshot.rpartition("HAVE")[2], snapshot
    assert "HAVE" in paste_python(tokenizer, hub, transformers, guest, home, then)
    cloned = paste_shell(lines["git"], hub, newest, guest, home)
    assert cloned.returncode == 0, cloned.stderr
    assert (home / ODD / "config.json").exists()


def test_the_lines_of_a_gated_dataset(hub: Hub, owner: Person, guest: Person, home: Path) -> None:
    rows = f"{owner.name}/{ODD}"
    hub.publish(rows, owner, {"README.md": CARD.encode(), "rows.jsonl": b'{"a": 1}\n{"a": 2}\n'}, type_="dataset")
    hub.ask(rows, guest, prefix="datasets/")
    hub.handle(rows, owner, guest, "accepted", "datasets")
    lines = page(hub, f"/datasets/{rows}")
    newest, datasets = client("2.4.0"), client("datasets")
    done = paste_shell(lines["Command line"], hub, newest, guest, home)
    assert done.returncode == 0, done.stderr
    snapshot = paste_python(lines["Python"], hub, newest, guest, home, 'import os; print("HAVE", os.listdir(path))')
    assert "rows.jsonl" in snapshot.rpartition("HAVE")[2], snapshot
    loaded = paste_python(lines["datasets"], hub, datasets, guest, home, 'print("HAVE", rows["train"]["a"][:])')
    assert "HAVE [1, 2]" in loaded, loaded
    cloned = paste_shell(lines["git"], hub, newest, guest, home)
    assert cloned.returncode == 0, cloned.stderr
    assert (home / ODD / "rows.jsonl").exists()
