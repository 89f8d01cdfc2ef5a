"""What keeps the store tidy after crashes.  lab/toxic-bert has a small and a large file."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from django.conf import settings

from accounts.models import AuditEvent
from repos import content, objects, tasks
from repos import services as repo_services
from repos.git import AddBlob, Author
from repos.models import Repo

LONG_AGO = time.time() - 30 * 24 * 3600


def test_a_branch_that_moved_without_its_transaction_is_caught_up_with(gated_repo):
    git = content.open_git(gated_repo)
    blob = git.stage_blob(b"---\nlicense: apache-2.0\n---\n")
    head = git.commit(
        "main",
        [AddBlob("README.md", blob)],
        title="Crashed",
        author=Author("ada", "ada@example.org"),
        expected_head=gated_repo.head_sha,
    )
    assert tasks.sync_heads() == 1
    gated_repo.refresh_from_db()
    assert gated_repo.head_sha == head
    assert gated_repo.card_data["license"] == "apache-2.0"
    assert AuditEvent.objects.first().verb == "repo:sync"
    assert tasks.sync_heads() == 0


def test_one_broken_repo_does_not_keep_the_others_behind(gated_repo, make_repo, ada):
    other = make_repo("lab/other", by=ada)
    shutil.rmtree(gated_repo.git_dir)
    git = content.open_git(other)
    git.commit(
        "main",
        [AddBlob("a.txt", git.stage_blob(b"a"))],
        title="Crashed",
        author=Author("ada", "ada@example.org"),
        expected_head=other.head_sha,
    )
    assert tasks.sync_heads() == 1


def test_the_storage_of_a_creation_that_was_rolled_back_goes_with_the_sweep(gated_repo):
    orphan = Path(settings.GATEHUB_GIT_DIR) / "ab" / f"{'ab' * 16}.git"
    shutil.copytree(gated_repo.git_dir, orphan)
    assert tasks.sweep_leftovers() == 0, "what is young may belong to a transaction that still runs"
    os.utime(orphan, (LONG_AGO, LONG_AGO))
    os.utime(gated_repo.git_dir, (LONG_AGO, LONG_AGO))
    assert tasks.sweep_leftovers() == 1
    assert not orphan.exists()
    assert gated_repo.git_dir.exists()
    assert list(objects.iter_objects(gated_repo.storage_id))


def test_tidying_keeps_what_was_committed(gated_repo):
    tasks.tidy_repositories()
    git = content.open_git(gated_repo)
    assert git.read_blob(git.entry(git.head(), "config.json").oid) == b'{"model_type": "bert"}\n'


def test_a_deleted_repo_leaves_no_bytes(gated_repo, django_capture_on_commit_callbacks):
    from accounts.actor import SYSTEM

    with django_capture_on_commit_callbacks(execute=True):
        repo_services.delete_repo(gated_repo, by=SYSTEM)
    assert not gated_repo.git_dir.exists()
    assert list(objects.iter_objects(gated_repo.storage_id)) == []
    assert not Repo.objects.exists()
