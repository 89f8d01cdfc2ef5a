"""datasets, newest: push_to_hub and load_dataset on gated repos, before and after acceptance."""

from __future__ import annotations

import pytest

from tests.support.clients import client
from tests.support.hub import Hub, Person

PUSH = """
    import sys
    from datasets import Dataset
    from huggingface_hub import HfApi
    data = Dataset.from_dict({"text": [f"row {number}" for number in range(1000)], "label": [1, 0] * 500})
    data.push_to_hub(sys.argv[1])
    HfApi().update_repo_settings(sys.argv[1], repo_type="dataset", gated="manual")
"""
LOAD = """
    import sys
    from datasets import load_dataset
    try:
        data = load_dataset(sys.argv[1], split="train", streaming=len(sys.argv) > 2)
    except Exception as error:
        print("REFUSED", type(error).__name__, " ".join(str(error).split()))
    else:
        rows = list(data)
        print("LOADED", len(rows), rows[7]["text"])
"""


@pytest.fixture
def repo_id(hub: Hub, owner: Person) -> str:
    name = f"{owner.name}/{hub.unique('rows')}"
    client("datasets").run(PUSH, name, server=hub, token=owner.token, timeout=180)
    return name


def test_a_gated_dataset_loads_once_access_is_accepted(hub: Hub, owner: Person, guest: Person, repo_id: str) -> None:
    datasets = client("datasets")

    def told(who: Person | None, *options: str) -> str:
        done = datasets.run(LOAD, repo_id, *options, server=hub, token=who.token if who else None, timeout=180)
        return done.stdout.strip().splitlines()[-1]

    assert "REFUSED" in told(None)
    assert "authenticated" in told(None)
    refused = told(guest)
    assert "REFUSED" in refused
    assert f"/datasets/{repo_id} to ask for access" in refused, refused
    assert hub.call("POST", f"/datasets/{repo_id}/ask-access", guest, json={}).status_code == 303
    assert "REFUSED" in told(guest)
    hub.handle(repo_id, owner, guest, "accepted", "datasets")
    assert told(guest) == "LOADED 1000 row 7"
    assert told(guest, "streaming") == "LOADED 1000 row 7"


def test_pushing_again_replaces_the_rows_and_keeps_the_card(hub: Hub, owner: Person, repo_id: str) -> None:
    script = """
        import sys
        from datasets import Dataset, load_dataset
        Dataset.from_dict({"text": ["only"]}).push_to_hub(sys.argv[1])
        print(load_dataset(sys.argv[1], split="train")["text"][:])
    """
    done = client("datasets").run(script, repo_id, server=hub, token=owner.token, timeout=180)
    assert done.stdout.strip().splitlines()[-1] == "['only']"
    info = hub.call("GET", f"/api/datasets/{repo_id}", owner).json()
    assert "dataset_info" in info["cardData"]
