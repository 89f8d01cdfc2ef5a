"""The commands of the text that the project started from, letter for letter where a client runs them."""

from __future__ import annotations

from pathlib import Path

from tests.support.clients import client
from tests.support.hub import Hub, Person


def test_huggingface_cli_login_asks_for_a_token_and_keeps_it(hub: Hub, owner: Person, tmp_path: Path) -> None:
    script = """
        import os, pty, sys
        answers = [sys.argv[1] + "\\n", "n\\n"]
        def read(descriptor):
            data = os.read(descriptor, 4096)
            if b"token" in data.lower() and b"enter" in data.lower() and len(answers) == 2:
                os.write(descriptor, answers.pop(0).encode())
            elif b"(y/n)" in data.lower() and answers:
                os.write(descriptor, answers.pop(0).encode())
            return data
        sys.exit(os.waitstatus_to_exitcode(pty.spawn(["huggingface-cli", "login"], read)))
    """
    old = client("0.36.2")
    old.run(script, owner.token, server=hub, home=tmp_path)
    assert (tmp_path / "hf" / "token").read_text() == owner.token
    assert owner.name in old.cli("whoami", program="huggingface-cli", server=hub, home=tmp_path).stdout


def test_what_notebook_login_calls_knows_the_token(hub: Hub, owner: Person, tmp_path: Path) -> None:
    # The widget hands the pasted token to `_login`, which asks `whoami-v2`; a widget needs a browser with Jupyter.
    script = """
        import sys
        from huggingface_hub import notebook_login
        from huggingface_hub._login import _login
        assert callable(notebook_login)
        _login(token=sys.argv[1], add_to_git_credential=False)
    """
    client("0.36.2").run(script, owner.token, server=hub, home=tmp_path)
    assert (tmp_path / "hf" / "token").read_text() == owner.token


def test_use_auth_token_true_sends_the_stored_token(hub: Hub, owner: Person, tmp_path: Path) -> None:
    repo_id = f"{owner.name}/{hub.unique('old')}"
    hub.publish(repo_id, owner, {"config.json": b"{}"})
    script = """
        import sys
        from huggingface_hub import HfFolder, hf_hub_download
        HfFolder.save_token(sys.argv[2])
        print(open(hf_hub_download(sys.argv[1], "config.json", use_auth_token=True)).read())
    """
    done = client("0.9.1").run(script, repo_id, owner.token, server=hub, home=tmp_path)
    assert done.stdout.strip() == "{}"
