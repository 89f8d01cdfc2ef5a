"""Every supported huggingface_hub, unmodified, with HF_ENDPOINT alone: publish, be refused, ask, be let in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.clients import HUB_RELEASES, Client, client
from tests.support.hub import CARD, Hub, Person

REVIEWING = [name for name in HUB_RELEASES if name != "0.9.1"]  # The API came with 0.20.

PUBLISH = """
    import os, sys, hashlib
    from huggingface_hub import HfApi
    repo_id, token = sys.argv[1:]
    api = HfApi()
    url = api.create_repo(repo_id, token=token, private=False)
    assert str(url).endswith(repo_id), url
    api.create_repo(repo_id, token=token, exist_ok=True)
    data = os.urandom(20 * 1024**2)
    open("big.bin", "wb").write(data)
    open("config.json", "w").write('{"a": 1}\\n')
    open("card.md", "w").write(CARD)
    for local, remote in (("config.json", "config.json"), ("card.md", "README.md"), ("big.bin", "weights/model.bin")):
        api.upload_file(path_or_fileobj=local, path_in_repo=remote, repo_id=repo_id, token=token)
    print("SHA256", hashlib.sha256(data).hexdigest())
""".replace("CARD", repr(CARD))


@pytest.fixture(params=HUB_RELEASES)
def release(request: pytest.FixtureRequest) -> Client:
    return client(request.param)


@pytest.fixture(params=REVIEWING)
def reviewing(request: pytest.FixtureRequest) -> Client:
    return client(request.param)


def _published(hub: Hub, release: Client, repo_id: str, owner: Person) -> str:
    """Publish with the client itself; gives the sha-256 of the large file."""
    done = release.run(PUBLISH, repo_id, owner.token, server=hub, timeout=180)
    found = re.search(r"SHA256 ([0-9a-f]{64})", done.stdout)
    assert found, done.stdout
    return found[1]


def _gate(hub: Hub, repo_id: str, owner: Person, mode: str = "manual") -> None:
    assert hub.call("PUT", f"/api/models/{repo_id}/settings", owner, json={"gated": mode}).ok


def _login_command(release: Client) -> tuple[str, ...]:
    return ("login",) if release.name == "0.36.2" else ("auth", "login")


@pytest.mark.parametrize("name", ["0.36.2", "1.19.0", "1.20.0", "2.4.0"])
def test_log_in_and_say_who_i_am(hub: Hub, owner: Person, tmp_path: Path, name: str) -> None:
    release = client(name)
    program = "huggingface-cli" if name == "0.36.2" else "hf"
    release.cli(*_login_command(release), "--token", owner.token, program=program, server=hub, home=tmp_path)
    who = ("whoami",) if name == "0.36.2" else ("auth", "whoami")
    told = release.cli(*who, program=program, server=hub, home=tmp_path)
    assert owner.name in told.stdout + told.stderr


def test_the_oldest_release_knows_me(hub: Hub, owner: Person) -> None:
    script = "import sys; from huggingface_hub import HfApi; print(HfApi().whoami(sys.argv[1])['name'])"
    assert client("0.9.1").run(script, owner.token, server=hub).stdout.strip() == owner.name


def test_a_bad_token_does_not_log_in(hub: Hub, reviewing: Client) -> None:
    script = "from huggingface_hub import HfApi; HfApi().whoami()"
    done = reviewing.run(script, server=hub, token="gate_" + "x" * 46, check=False)
    assert done.returncode != 0
    assert "401" in done.stderr or "Invalid" in done.stderr


def test_publish_list_and_download_byte_for_byte(hub: Hub, release: Client, owner: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('base')}"
    digest = _published(hub, release, repo_id, owner)
    keyword = "use_auth_token" if release.name == "0.9.1" else "token"
    script = f"""
        import sys, hashlib, os
        from huggingface_hub import HfApi, hf_hub_download, snapshot_download
        repo_id, token = sys.argv[1:]
        files = sorted(HfApi().list_repo_files(repo_id, token=token))
        assert files == [".gitattributes", "README.md", "config.json", "weights/model.bin"], files
        path = hf_hub_download(repo_id, "weights/model.bin", {keyword}=token)
        print("SHA256", hashlib.sha256(open(path, "rb").read()).hexdigest())
        folder = snapshot_download(repo_id, {keyword}=token)
        assert open(os.path.join(folder, "config.json")).read() == '{{"a": 1}}\\n'
        again = hashlib.sha256(open(os.path.join(folder, "weights/model.bin"), "rb").read()).hexdigest()
        print("SNAPSHOT", again)
    """
    told = release.run(script, repo_id, owner.token, server=hub).stdout
    assert f"SHA256 {digest}" in told
    assert f"SNAPSHOT {digest}" in told


def test_commits_branches_and_tags(hub: Hub, reviewing: Client, owner: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('refs')}"
    script = """
        import sys
        from huggingface_hub import HfApi, CommitOperationAdd, CommitOperationDelete, CommitOperationCopy
        from huggingface_hub.errors import EntryNotFoundError, RevisionNotFoundError
        repo_id, token = sys.argv[1:]
        api = HfApi(token=token)
        api.create_repo(repo_id)
        first = api.create_commit(repo_id, [
            CommitOperationAdd("a.txt", b"a"), CommitOperationAdd("sub/b.txt", b"b"),
        ], commit_message="two files", commit_description="why")
        assert len(first.oid) == 40
        assert "/commit/" in first.commit_url
        api.create_branch(repo_id, branch="dev/x")
        api.create_branch(repo_id, branch="dev/x", exist_ok=True)
        api.upload_file(path_or_fileobj=b"c", path_in_repo="sub/c.txt", repo_id=repo_id, revision="dev/x")
        api.create_tag(repo_id, tag="v1.0", tag_message="one", revision="dev/x")
        refs = api.list_repo_refs(repo_id)
        assert sorted(ref.name for ref in refs.branches) == ["dev/x", "main"], refs
        assert [ref.name for ref in refs.tags] == ["v1.0"], refs
        assert "sub/c.txt" in api.list_repo_files(repo_id, revision="v1.0")
        assert "sub/c.txt" not in api.list_repo_files(repo_id)
        listed = [item.path for item in api.list_repo_tree(repo_id, "sub", revision="dev/x")]
        assert listed == ["sub/b.txt", "sub/c.txt"], listed
        assert [item.path for item in api.get_paths_info(repo_id, ["sub/b.txt", "none"])] == ["sub/b.txt"]
        titles = [commit.title for commit in api.list_repo_commits(repo_id)]
        assert titles[0] == "two files", titles
        api.create_commit(repo_id, [CommitOperationDelete("a.txt")], commit_message="away",
                          parent_commit=api.repo_info(repo_id).sha)
        try:
            api.create_commit(repo_id, [CommitOperationAdd("z", b"z")], commit_message="stale", parent_commit=first.oid)
        except Exception as error:
            assert "412" in str(error), error
        else:
            raise SystemExit("a stale parent was accepted")
        try:
            api.create_commit(repo_id, [CommitOperationDelete("a.txt")], commit_message="away")
        except EntryNotFoundError as error:
            assert "A file with this name doesn't exist" in str(error), error
        else:
            raise SystemExit("a missing file was deleted")
        assert not api.file_exists(repo_id, "a.txt")
        assert api.repo_exists(repo_id) and not api.repo_exists(repo_id + "-none")
        assert api.revision_exists(repo_id, "dev/x") and not api.revision_exists(repo_id, "nope")
        api.super_squash_history(repo_id, branch="main")
        assert len(api.list_repo_commits(repo_id)) == 1
        api.delete_tag(repo_id, tag="v1.0")
        api.delete_branch(repo_id, branch="dev/x")
        assert [ref.name for ref in api.list_repo_refs(repo_id).branches] == ["main"]
        api.move_repo(repo_id, repo_id + "-moved")
        assert api.repo_info(repo_id + "-moved").id == repo_id + "-moved"
        assert api.repo_info(repo_id).id == repo_id + "-moved"
        assert api.hf_hub_download(repo_id, "sub/b.txt")
        api.delete_repo(repo_id + "-moved")
        assert not api.repo_exists(repo_id + "-moved")
        print("DONE")
    """
    assert "DONE" in reviewing.run(script, repo_id, owner.token, server=hub).stdout


def test_a_folder_of_many_files_goes_up(hub: Hub, reviewing: Client, owner: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('folder')}"
    script = """
        import os, sys, pathlib, hashlib
        from huggingface_hub import HfApi
        repo_id, token = sys.argv[1:]
        api = HfApi(token=token)
        api.create_repo(repo_id, repo_type="dataset")
        folder = pathlib.Path("data"); folder.mkdir()
        for number in range(60):
            (folder / f"part {number:03d}.txt").write_text(f"text {number}\\n" * 10)
        for number in range(4):
            (folder / f"rows-{number}.parquet").write_bytes(os.urandom(1 + 300_000 * number))
        (folder / "empty.txt").write_bytes(b"")
        api.upload_folder(folder_path=folder, repo_id=repo_id, repo_type="dataset")
        copy = pathlib.Path(api.snapshot_download(repo_id, repo_type="dataset"))
        for path in folder.iterdir():
            assert (copy / path.name).read_bytes() == path.read_bytes(), path
        before = api.repo_info(repo_id, repo_type="dataset").sha
        api.upload_folder(folder_path=folder, repo_id=repo_id, repo_type="dataset")
        assert api.repo_info(repo_id, repo_type="dataset").sha == before
        print("DONE")
    """
    assert "DONE" in reviewing.run(script, repo_id, owner.token, server=hub, timeout=240).stdout


def test_a_broken_download_is_taken_up_again(hub: Hub, release: Client, owner: Person, cutting_proxy, tmp_path) -> None:
    repo_id = f"{owner.name}/{hub.unique('resume')}"
    digest = _published(hub, release, repo_id, owner)
    proxy = cutting_proxy(hub.url, after=13 * 1024**2)
    options = "use_auth_token=token, resume_download=True" if release.name == "0.9.1" else "token=token"
    script = f"""
        import sys, hashlib
        from huggingface_hub import hf_hub_download
        repo_id, token = sys.argv[1:]
        path = hf_hub_download(repo_id, "weights/model.bin", {options})
        print("SHA256", hashlib.sha256(open(path, "rb").read()).hexdigest())
    """
    done = release.run(script, repo_id, owner.token, server=proxy.url, home=tmp_path, check=False)
    assert proxy.has_cut
    if done.returncode:
        done = release.run(script, repo_id, owner.token, server=proxy.url, home=tmp_path)
    assert f"SHA256 {digest}" in done.stdout
    if release.name in {"0.9.1", "0.36.2", "2.4.0"}:  # The others start again from the first byte.
        assert any(int(re.findall(r"\d+", asked)[0]) > 0 for asked in proxy.ranges), proxy.ranges


ERROR_OF = """
    import sys
    from huggingface_hub import hf_hub_download
    repo_id, name = sys.argv[1], sys.argv[2]
    try:
        hf_hub_download(repo_id, name)
    except Exception as error:
        print(type(error).__name__, "|", " ".join(str(error).split()))
    else:
        print("LET IN")
"""
ERROR_OF_09 = ERROR_OF.replace(
    "hf_hub_download(repo_id, name)", "hf_hub_download(repo_id, name, use_auth_token=bool(sys.argv[3:]))"
)


def _outcome(hub: Hub, release: Client, repo_id: str, who: Person | None, name: str = "config.json") -> str:
    if release.name == "0.9.1":
        extra = ("signed in",) if who else ()
        return release.run(
            ERROR_OF_09, repo_id, name, *extra, server=hub, token=who.token if who else None
        ).stdout.strip()
    return release.run(ERROR_OF, repo_id, name, server=hub, token=who.token if who else None).stdout.strip()


def test_the_gate_through_the_life_of_a_request(hub: Hub, release: Client, owner: Person, guest: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('gated')}"
    hub.publish(repo_id, owner, {"README.md": CARD.encode(), "config.json": b"{}\n"})
    old = release.name == "0.9.1"  # It knows no GatedRepoError, and shows no text of the server.

    def refused(who: Person | None, status: str, text: str) -> None:
        told = _outcome(hub, release, repo_id, who)
        kind, _, message = told.partition(" | ")
        # 0.9 takes every bare 401 for a missing repo; the code in the header keeps it from that.
        assert kind == ("HTTPError" if old else "GatedRepoError"), told
        assert status in message, told
        assert old or text in message, told

    refused(None, "401", "Please log in.")
    refused(guest, "403", "you are not in the authorized list. Visit http://127.0.0.1:")
    hub.ask(repo_id, guest)
    refused(guest, "403", "is awaiting a review from the repo authors.")
    hub.handle(repo_id, owner, guest, "rejected")
    refused(guest, "403", "has been rejected by the repo's authors.")
    hub.handle(repo_id, owner, guest, "accepted")
    assert _outcome(hub, release, repo_id, guest) == "LET IN"
    hub.handle(repo_id, owner, guest, "rejected")
    refused(guest, "403", "has been rejected by the repo's authors.")
    assert _outcome(hub, release, repo_id, None, "README.md") == "LET IN"


def test_a_hidden_repo_and_a_missing_one_are_not_found(hub: Hub, release: Client, owner: Person, guest: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('private')}"
    hub.publish(repo_id, owner, {"config.json": b"{}"})
    assert hub.call("PUT", f"/api/models/{repo_id}/settings", owner, json={"private": True}).ok
    for who in (guest, None):
        hidden = _outcome(hub, release, repo_id, who)
        missing = _outcome(hub, release, f"{owner.name}/none", who)
        assert hidden.startswith("RepositoryNotFoundError"), hidden
        assert missing.startswith("RepositoryNotFoundError"), missing
    assert _outcome(hub, release, repo_id, owner) == "LET IN"


def test_missing_files_and_revisions_are_told_apart(hub: Hub, release: Client, owner: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('missing')}"
    hub.publish(repo_id, owner, {"config.json": b"{}"}, gated=False)
    assert "EntryNotFoundError" in _outcome(hub, release, repo_id, None, "none.json")
    script = """
        import sys
        from huggingface_hub import hf_hub_download
        try:
            hf_hub_download(sys.argv[1], "config.json", revision="nope")
        except Exception as error:
            print(type(error).__name__)
    """
    assert release.run(script, repo_id, server=hub).stdout.strip() == "RevisionNotFoundError"


def test_the_review_api_gives_typed_results(
    hub: Hub, reviewing: Client, owner: Person, guest: Person, lab_name: str
) -> None:
    repo_id = f"{lab_name}/{hub.unique('review')}"
    hub.publish(repo_id, owner, {"README.md": CARD.encode()}, gated=False)
    other = hub.person()
    script = """
        import sys
        from huggingface_hub import HfApi
        from huggingface_hub.utils import HfHubHTTPError
        repo_id, guest, other = sys.argv[1:]
        api = HfApi()
        def status(call, *args):
            try:
                call(*args)
            except HfHubHTTPError as error:
                return error.response.status_code
            return 200
        assert status(lambda: list(api.list_pending_access_requests(repo_id))) == 400
        api.update_repo_settings(repo_id, gated="manual")
    """
    reviewing.run(script, repo_id, guest.name, other.name, server=hub, token=owner.token)
    hub.ask(repo_id, guest)
    script = """
        import sys, datetime
        from huggingface_hub import HfApi
        from huggingface_hub.utils import HfHubHTTPError
        repo_id, guest, other, email = sys.argv[1:]
        api = HfApi()
        [asked] = list(api.list_pending_access_requests(repo_id))
        assert (asked.username, asked.email, asked.status) == (guest, email, "pending"), asked
        assert asked.fields == {"Company": "Example University", "I agree": "true"}, asked
        assert isinstance(asked.timestamp, datetime.datetime)
        api.accept_access_request(repo_id, guest)
        assert [one.username for one in api.list_accepted_access_requests(repo_id)] == [guest]
        api.cancel_access_request(repo_id, guest)
        assert [one.username for one in api.list_pending_access_requests(repo_id)] == [guest]
        api.reject_access_request(repo_id, guest, rejection_reason="Not now")
        assert [one.username for one in api.list_rejected_access_requests(repo_id)] == [guest]
        api.grant_access(repo_id, other)
        assert [one.username for one in api.list_accepted_access_requests(repo_id)] == [other]
        codes = []
        calls = [
            lambda: api.grant_access(repo_id, other),
            lambda: api.grant_access(repo_id, "nobody-here"),
            lambda: api.reject_access_request(repo_id, guest, rejection_reason=None),
            lambda: api.accept_access_request(repo_id, "nobody-here"),
        ]
        for call in calls:
            try:
                call()
            except HfHubHTTPError as error:
                codes.append(error.response.status_code)
        assert codes == [400, 404, 404, 404], codes
        print("DONE")
    """
    done = reviewing.run(script, repo_id, guest.name, other.name, guest.email, server=hub, token=owner.token)
    assert "DONE" in done.stdout


def test_a_stranger_and_a_read_token_may_not_review(hub: Hub, reviewing: Client, owner: Person, guest: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('review')}"
    hub.publish(repo_id, owner, {"README.md": CARD.encode()})
    hub.ask(repo_id, guest)
    script = """
        import sys
        from huggingface_hub import HfApi
        from huggingface_hub.utils import HfHubHTTPError
        repo_id, guest = sys.argv[1:]
        api = HfApi()
        calls = [
            lambda: list(api.list_pending_access_requests(repo_id)),
            lambda: api.accept_access_request(repo_id, guest),
            lambda: api.grant_access(repo_id, guest),
        ]
        for call in calls:
            try:
                call()
            except HfHubHTTPError as error:
                print(error.response.status_code)
            else:
                print("ALLOWED")
    """
    read_token = hub.token(owner.name, "read")
    for token, status in ((guest.token, "403"), (read_token, "403"), (None, "401")):
        told = reviewing.run(script, repo_id, guest.name, server=hub, token=token).stdout.split()
        assert told == [status] * 3, (status, told)


def test_datasets_are_gated_as_models_are(hub: Hub, reviewing: Client, owner: Person, guest: Person) -> None:
    repo_id = f"{owner.name}/{hub.unique('data')}"
    hub.publish(repo_id, owner, {"README.md": CARD.encode(), "a.csv": b"x\n1\n"}, type_="dataset")
    script = """
        import sys
        from huggingface_hub import HfApi
        from huggingface_hub.errors import GatedRepoError
        api = HfApi()
        try:
            api.auth_check(sys.argv[1], repo_type="dataset")
            api.snapshot_download(sys.argv[1], repo_type="dataset")
        except GatedRepoError:
            print("GATED")
        else:
            print("LET IN")
    """

    def told() -> str:
        return reviewing.run(script, repo_id, server=hub, token=guest.token).stdout.strip()

    assert told() == "GATED"
    hub.ask(repo_id, guest, prefix="datasets/")
    assert told() == "GATED"
    hub.handle(repo_id, owner, guest, "accepted", "datasets")
    assert told() == "LET IN"
