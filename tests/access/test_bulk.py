"""One decision about many requests.  ada reviews lab/toxic-bert, for which many ask."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import timedelta

import pytest
from django.utils import timezone

from access import bulk, services, tallies, tasks
from access.errors import RepoNotGated
from access.filters import RequestFilter
from access.models import AccessRequest, BulkReview
from access.signals import access_requests_changed
from accounts import nudges
from accounts import services as accounts
from accounts.actor import SYSTEM, Actor, Entrance
from accounts.errors import BadRequest, InvalidFields, NotAllowed
from accounts.models import AuditEvent, User
from repos import services as repo_services
from tests.support.cast import ANSWERS

MANY = 7


@pytest.fixture
def crowd(gated_repo):
    """person0 to person6, each waiting."""
    people = User.objects.bulk_create([User(username=f"person{n}", email=f"p{n}@example.org") for n in range(MANY)])
    rows = [
        AccessRequest(repo=gated_repo, user=user, form=gated_repo.gate_form, answers=ANSWERS, email=user.email)
        for user in people
    ]
    for row in rows:
        row.search_text = row.searchable()
    return AccessRequest.objects.bulk_create(rows)


@pytest.fixture
def by_ada(ada):
    return Actor(user=ada, entrance=Entrance.PAGE, address="192.0.2.7")


@pytest.fixture
def short_steps(monkeypatch):
    monkeypatch.setattr(bulk, "STEP", 3)


def statuses(repo) -> list[str]:
    return list(AccessRequest.objects.filter(repo=repo).order_by("pk").values_list("status", flat=True))


def start(repo, by, status="accepted", chosen=None, **more) -> BulkReview:
    return bulk.start(repo=repo, chosen=chosen or RequestFilter(), status=status, by=by, **more)


def test_several_are_decided_alike_with_a_trail_and_a_signal_each(crowd, gated_repo, by_ada):
    heard = []

    def listen(access_requests, event, **kwargs):
        heard.append([(request.user.username, event) for request in access_requests])

    access_requests_changed.connect(listen)
    outcome = bulk.review_many(
        repo=gated_repo, keys=[crowd[0].pk, crowd[2].pk], status="rejected", expected="pending",
        reason="Not  now", by=by_ada,
    )  # fmt: skip
    assert [request.user.username for request in outcome.decided] == ["person0", "person2"]
    first = AccessRequest.objects.get(pk=crowd[0].pk)
    assert (first.status, first.rejection_reason, first.reviewed_by) == ("rejected", "Not now", by_ada.user)
    assert statuses(gated_repo).count("pending") == MANY - 2
    events = AuditEvent.objects.filter(verb="access_request:rejected")
    assert {event.target for event in events} == {"person0 on lab/toxic-bert", "person2 on lab/toxic-bert"}
    assert (events[0].before, events[0].address) == ({"status": "pending"}, "192.0.2.7")
    assert heard == [[("person0", "rejected"), ("person2", "rejected")]], "once, of all of them"


def test_it_takes_as_many_queries_for_many_as_for_one(crowd, gated_repo, by_ada, django_assert_num_queries):
    def decide(keys, status, expected):
        bulk.review_many(repo=gated_repo, keys=keys, status=status, expected=expected, by=by_ada)

    with django_assert_num_queries(10):
        decide([crowd[0].pk], "accepted", "pending")
    with django_assert_num_queries(10):
        decide([row.pk for row in crowd[1:]], "accepted", "pending")


def test_one_that_has_moved_on_is_named_and_left(crowd, gated_repo, by_ada, wes):
    services.review(access_request=crowd[1], status="rejected", reason="Mine", by=Actor(user=wes))
    keys = [crowd[0].pk, crowd[1].pk, 10**9]
    outcome = bulk.review_many(repo=gated_repo, keys=keys, status="accepted", expected="pending", by=by_ada)
    assert outcome.refused == [("person1", "The request of person1 was rejected by wes already.")]
    assert statuses(gated_repo)[:2] == ["accepted", "rejected"]


def test_requests_of_another_repo_are_not_touched(crowd, gated_repo, make_repo, ada, by_ada):
    other = make_repo("lab/other", by=ada, gated="manual")
    outcome = bulk.review_many(
        repo=other, keys=[row.pk for row in crowd], status="accepted", expected="pending", by=by_ada
    )
    assert (outcome.decided, outcome.refused) == ([], [])
    assert set(statuses(gated_repo)) == {"pending"}


@pytest.mark.parametrize(("status", "expected", "reason", "error"), [
    ("accepted", "accepted", "", BadRequest), ("nonsense", "pending", "", InvalidFields),
    ("accepted", "nonsense", "", BadRequest), ("rejected", "pending", "x" * 201, InvalidFields),
    ("accepted", "pending", "a reason", InvalidFields),
])  # fmt: skip
def test_nonsense_decides_nothing(crowd, gated_repo, by_ada, status, expected, reason, error):
    keys = [row.pk for row in crowd]
    with pytest.raises(error):
        bulk.review_many(repo=gated_repo, keys=keys, status=status, expected=expected, reason=reason, by=by_ada)
    chosen = RequestFilter(status=expected)
    with pytest.raises(error):
        start(gated_repo, by_ada, status, chosen, reason=reason)
    assert set(statuses(gated_repo)) == {"pending"}
    assert not BulkReview.objects.exists()


def test_who_may_not_review_decides_nothing(crowd, gated_repo, rea, sam):
    for user in (rea, sam, None):
        with pytest.raises((NotAllowed, Exception)) as refused:
            bulk.review_many(
                repo=gated_repo, keys=[crowd[0].pk], status="accepted", expected="pending", by=Actor(user=user)
            )
        assert refused.value.status in (401, 403)
        with pytest.raises((NotAllowed, Exception)) as refused:
            start(gated_repo, Actor(user=user))
        assert refused.value.status in (401, 403)
    assert set(statuses(gated_repo)) == {"pending"}


def test_all_that_match_are_decided_in_steps(crowd, gated_repo, by_ada, short_steps):
    review = start(gated_repo, by_ada)
    assert (review.total, review.looked_at) == (MANY, 0)
    assert bulk.run(review.pk, steps=1)
    assert statuses(gated_repo) == ["accepted"] * 3 + ["pending"] * 4
    assert not bulk.run(review.pk)
    assert set(statuses(gated_repo)) == {"accepted"}
    review.refresh_from_db()
    assert (review.decided, review.refused, review.stopped_because) == (MANY, 0, "")
    assert review.finished_at is not None
    verbs = list(AuditEvent.objects.filter(verb__startswith="bulk_review").values_list("verb", flat=True))
    assert verbs == ["bulk_review:finished", "bulk_review:started"]
    assert tallies.counts(gated_repo) == {"pending": 0, "accepted": MANY, "rejected": 0}
    assert not bulk.run(review.pk)  # Again changes nothing.
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == MANY


def test_only_what_the_filter_matches(crowd, gated_repo, by_ada):
    bulk.run(start(gated_repo, by_ada, "rejected", RequestFilter(search="person3"), reason="No").pk)
    assert statuses(gated_repo) == ["pending"] * 3 + ["rejected"] + ["pending"] * 3


def test_who_asks_later_is_not_in_it(crowd, gated_repo, by_ada, sam, short_steps):
    review = start(gated_repo, by_ada)
    assert bulk.run(review.pk, steps=1)
    services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    bulk.run(review.pk)
    assert AccessRequest.objects.get(user=sam).is_pending


def test_who_asked_after_the_page_was_shown_is_not_in_it(crowd, gated_repo, by_ada):
    shown = timezone.now() - timedelta(hours=1)
    AccessRequest.objects.filter(pk__in=[crowd[0].pk, crowd[1].pk]).update(requested_at=shown)
    bulk.run(start(gated_repo, by_ada, until=shown).pk)
    assert statuses(gated_repo) == ["accepted"] * 2 + ["pending"] * 5


def test_what_others_decide_meanwhile_stays(crowd, gated_repo, by_ada, wes, short_steps):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    services.review(access_request=crowd[5], status="rejected", by=Actor(user=wes))
    bulk.run(review.pk)
    assert statuses(gated_repo)[5] == "rejected"
    review.refresh_from_db()
    assert review.decided == MANY - 1


def test_who_withdraws_meanwhile_is_not_decided_about(crowd, gated_repo, by_ada, short_steps):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    services.withdraw(repo=gated_repo, by=Actor(user=crowd[5].user))
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.total, review.decided, review.refused, review.stopped_because) == (MANY, MANY - 1, 0, "")
    assert statuses(gated_repo) == ["accepted"] * (MANY - 1)
    verbs = AuditEvent.objects.filter(target="person5 on lab/toxic-bert").values_list("verb", flat=True)
    assert list(verbs) == ["access_request:withdrawn"]


def test_who_withdraws_within_a_step_is_left_out_of_it(crowd, gated_repo, by_ada, monkeypatch):
    """After the step has chosen its requests, and before it has locked them."""
    lock = services.lock_to_review

    def withdraw_then_lock(repo, *, by):
        AccessRequest.objects.filter(pk=crowd[2].pk).delete()
        return lock(repo, by=by)

    review = start(gated_repo, by_ada)
    monkeypatch.setattr(services, "lock_to_review", withdraw_then_lock)
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, review.refused, review.stopped_because) == (MANY - 1, 0, "")
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == MANY - 1


def test_a_repo_that_is_deleted_meanwhile_takes_it_along(crowd, gated_repo, ada, by_ada, short_steps):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    repo_services.delete_repo(gated_repo, by=Actor(user=ada))
    assert not bulk.run(review.pk)
    assert tasks.resume_bulk_reviews() == 0
    assert not BulkReview.objects.exists()
    # The trail of what was decided stays.
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == 3


def test_a_repo_that_moves_meanwhile_keeps_it(crowd, gated_repo, ada, by_ada, short_steps):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    repo_services.move_repo(gated_repo, namespace=gated_repo.namespace, name="kind-bert", by=Actor(user=ada))
    bulk.run(review.pk)
    assert set(statuses(gated_repo)) == {"accepted"}
    assert AuditEvent.objects.filter(target="person6 on lab/kind-bert", verb="access_request:accepted").count() == 1


def test_memory_grows_with_a_step_not_with_the_number(gated_repo, by_ada, monkeypatch):
    """Four times as many do not take twice as much, garbage that is not collected yet included."""
    monkeypatch.setattr(bulk, "STEP", 100)

    def peak(number: int) -> int:
        first = User.objects.count()
        people = User.objects.bulk_create([User(username=f"n{first + n}") for n in range(number)])
        AccessRequest.objects.bulk_create(
            [AccessRequest(repo=gated_repo, user=user, form=gated_repo.gate_form, answers=ANSWERS) for user in people]
        )
        review = start(gated_repo, by_ada)
        del people
        gc.collect()
        tracemalloc.start()
        try:
            bulk.run(review.pk)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)  # What is made once.
    few, many = peak(400), peak(1600)
    assert set(statuses(gated_repo)) == {"accepted"}
    assert many < few * 2


def test_a_reviewer_who_loses_the_role_stops_it(crowd, gated_repo, lab, wes, short_steps):
    review = start(gated_repo, Actor(user=wes, entrance=Entrance.PAGE))
    bulk.run(review.pk, steps=1)
    accounts.set_role(organization=lab, user=wes, role="read", by=SYSTEM)
    assert not bulk.run(review.pk)
    review.refresh_from_db()
    assert review.stopped_because == "You may not review access requests."
    assert statuses(gated_repo).count("accepted") == 3


def test_a_reviewer_whose_account_is_closed_stops_it(crowd, gated_repo, by_ada):
    review = start(gated_repo, by_ada)
    by_ada.user.is_active = False
    by_ada.user.save()
    bulk.run(review.pk)
    review.refresh_from_db()
    assert review.stopped_because == "The account of the reviewer is closed."
    assert set(statuses(gated_repo)) == {"pending"}


def test_opening_the_gate_stops_it(crowd, gated_repo, ada, by_ada):
    review = start(gated_repo, by_ada)
    repo_services.change_settings(gated_repo, {"gated": False}, by=Actor(user=ada))
    bulk.run(review.pk)
    review.refresh_from_db()
    assert "is not gated" in review.stopped_because
    gated_repo.refresh_from_db()
    with pytest.raises(RepoNotGated):
        start(gated_repo, by_ada)


def test_it_can_be_stopped(crowd, gated_repo, by_ada, wes, sam, short_steps):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    with pytest.raises(NotAllowed):
        bulk.stop(review, by=Actor(user=sam))
    bulk.stop(review, by=Actor(user=wes))
    assert not bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.stopped_because, review.decided) == ("wes stopped it.", 3)
    bulk.stop(review, by=by_ada)  # Finished already: nothing happens.
    review.refresh_from_db()
    assert review.stopped_because == "wes stopped it."


def test_a_crash_within_a_step_leaves_that_step_undone_and_the_sweep_does_it(
    crowd, gated_repo, by_ada, short_steps, monkeypatch
):
    review = start(gated_repo, by_ada)
    bulk.run(review.pk, steps=1)
    calls = []

    def fails(*args, **kwargs):
        calls.append(args)
        raise RuntimeError("pulled the plug")

    with monkeypatch.context() as broken:
        broken.setattr(services, "decide_many", fails)
        with pytest.raises(RuntimeError):
            bulk.run(review.pk)
    assert calls
    assert statuses(gated_repo) == ["accepted"] * 3 + ["pending"] * 4
    assert tasks.resume_bulk_reviews() == 0  # Touched a moment ago: somebody may be at it.
    BulkReview.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
    assert tasks.resume_bulk_reviews() == 1
    assert set(statuses(gated_repo)) == {"accepted"}
    assert AuditEvent.objects.filter(verb="access_request:accepted").count() == MANY


def test_one_that_always_fails_ends_and_says_so(crowd, gated_repo, by_ada, monkeypatch, caplog):
    review = start(gated_repo, by_ada)
    monkeypatch.setattr(services, "decide_many", lambda *args, **kwargs: 1 / 0)
    for _ in range(bulk.MOST_ERRORS_IN_A_ROW + 1):
        BulkReview.objects.update(touched_at=timezone.now() - timedelta(minutes=2))
        tasks.resume_bulk_reviews()
    review.refresh_from_db()
    assert "failed several times in a row" in review.stopped_because
    assert review.errors == bulk.MOST_ERRORS_IN_A_ROW
    assert "ZeroDivisionError" in caplog.text


def test_a_broker_that_is_down_costs_time_only(crowd, gated_repo, by_ada, settings, monkeypatch, caplog):
    def down(*args, **kwargs):
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(nudges.current_app, "send_task", down)
    tasks.nudge(start(gated_repo, by_ada).pk)
    assert "No worker could be told" in caplog.text
