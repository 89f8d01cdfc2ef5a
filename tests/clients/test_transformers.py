"""transformers, newest: AutoConfig, AutoTokenizer and the safetensors weights of the demo's model, before and after."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatehub.demo import model
from tests.support.clients import client
from tests.support.hub import CARD, Hub, Person

LOAD = """
    import sys
    from transformers import AutoConfig, AutoTokenizer
    try:
        config = AutoConfig.from_pretrained(sys.argv[1])
        tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
    except OSError as error:
        print("REFUSED", " ".join(str(error).split()))
    else:
        print("LOADED", config.model_type, config.hidden_size, tokenizer("the cat").input_ids)
"""
UPLOAD = """
    import sys, pathlib
    sys.path.insert(0, sys.argv[2])
    from gatehub.demo import model
    from huggingface_hub import HfApi
    folder = pathlib.Path("model"); folder.mkdir()
    for name, data in model.files().items():
        (folder / name).write_bytes(data)
    api = HfApi()
    api.create_repo(sys.argv[1])
    api.update_repo_settings(sys.argv[1], gated="manual")
    api.upload_folder(folder_path=folder, repo_id=sys.argv[1])
    (folder / "README.md").write_text(sys.argv[3])
    api.upload_file(path_or_fileobj=folder / "README.md", path_in_repo="README.md", repo_id=sys.argv[1])
"""


@pytest.fixture
def repo_id(hub: Hub, owner: Person, tmp_path) -> str:
    """A gated repo with the demo's model, uploaded by transformers' own huggingface_hub."""
    name = f"{owner.name}/{hub.unique('bert')}"
    source = tmp_path / "source" / "gatehub" / "demo"
    source.mkdir(parents=True)
    (source / "model.py").write_text(Path(model.__file__).read_text())
    arguments = (name, str(tmp_path / "source"), CARD)
    client("transformers").run(UPLOAD, *arguments, server=hub, token=owner.token, timeout=180)
    return name


def test_a_gated_model_loads_once_access_is_accepted(hub: Hub, owner: Person, guest: Person, repo_id: str) -> None:
    transformers = client("transformers")

    def told(who: Person | None) -> str:
        done = transformers.run(LOAD, repo_id, server=hub, token=who.token if who else None, timeout=180)
        return done.stdout.strip().splitlines()[-1]

    assert told(None).startswith("REFUSED"), told(None)
    assert "gated" in told(guest)
    hub.ask(repo_id, guest)
    assert "awaiting a review" in told(guest)
    hub.handle(repo_id, owner, guest, "accepted")
    assert told(guest) == "LOADED bert 32 [2, 9, 1, 3]"
    hub.handle(repo_id, owner, guest, "rejected")
    assert told(guest).startswith("REFUSED")


def test_the_weights_read_back_by_safetensors(hub: Hub, owner: Person, repo_id: str) -> None:
    script = """
        import sys
        from huggingface_hub import hf_hub_download
        from safetensors import safe_open
        with safe_open(hf_hub_download(sys.argv[1], "model.safetensors"), framework="np") as weights:
            print(weights.get_tensor("embeddings.word_embeddings.weight").shape)
    """
    shape = f"({len(model.WORDS)}, 32)"
    assert client("transformers").run(script, repo_id, server=hub, token=owner.token).stdout.strip() == shape
