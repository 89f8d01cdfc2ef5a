"""Reviews of many requests in the background, by staff: their steps, their page, their end.  rita may review."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from access import bulk, choices, services, tasks
from access.admin.bulk_reviews import chosen_in_words
from access.filters import RequestFilter
from access.filters_all import StaffFilter
from access.models import AccessRequest, BulkReview
from accounts.actor import Actor, Entrance
from accounts.errors import BadRequest, NotAllowed
from accounts.models import AuditEvent, User
from notifications.models import Delivery
from repos import services as repo_services
from tests.staff.conftest import REQUESTS
from tests.web.pages import soup, words

REVIEWS = "/admin/access/bulkreview/"


@pytest.fixture
def by(rita):
    return Actor(user=rita, entrance=Entrance.ADMIN, address="198.51.100.9")


@pytest.fixture
def repos(gated_repo, olu, make_repo):
    return [gated_repo, make_repo("olu/rows", by=olu, type_="dataset", gated="manual")]


@pytest.fixture
def many(repos):
    """`many(20)`: so many pending requests, in turn to each of the repos."""
    numbers = itertools.count()

    def make(number: int) -> list[AccessRequest]:
        people = User.objects.bulk_create(
            User(username=f"p{n}", email=f"p{n}@example.org") for n in itertools.islice(numbers, number)
        )
        rows = [AccessRequest(repo=repos[place % 2], user=user) for place, user in enumerate(people)]
        return AccessRequest.objects.bulk_create(rows)

    return make


@pytest.fixture
def small_steps(monkeypatch):
    monkeypatch.setattr(bulk, "STEP", 4)


def pending() -> int:
    return AccessRequest.objects.pending().count()


def start(by, status="accepted", **said) -> BulkReview:
    chosen = StaffFilter(status="pending", **said).until(timezone.now())
    return bulk.start_everywhere(choice=choices.matching(chosen), status=status, by=by)


def test_it_decides_all_that_match_of_all_repos_in_steps_each_once(many, by, small_steps):
    many(10)
    review = start(by)
    assert pending() == 10, "only the order is written"
    assert bulk.run(review.pk, steps=1)
    assert pending() == 6
    assert not bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, review.refused, review.total, pending()) == (10, 0, 10, 0)
    assert AuditEvent.objects.filter(verb="access_request:accepted", entrance="admin").count() == 10
    assert Delivery.objects.filter(kind="accepted").count() == 10
    assert list(AuditEvent.objects.filter(verb__startswith="bulk").order_by("pk").values_list("verb", "target")) == [
        ("bulk_review:started", "all repos"),
        ("bulk_review:finished", "all repos"),
    ]


def test_a_step_takes_as_many_queries_for_many_repos_as_for_two(many, by, django_assert_max_num_queries):
    many(100)
    review = start(by)
    with django_assert_max_num_queries(40):
        bulk.run(review.pk)
    assert pending() == 0


def test_those_that_were_ticked_are_decided_and_no_others(many, by, small_steps):
    rows = many(12)
    choice = choices.ticked([(row.pk, "pending") for row in rows[:9]])
    review = bulk.start_everywhere(choice=choice, status="rejected", reason="No", by=by)
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, pending()) == (9, 3)


def test_each_row_that_refuses_is_named_with_why_and_the_others_are_decided(many, by, repos, olu, ada, small_steps):
    rows = many(6)
    choice = choices.ticked([(row.pk, "pending") for row in rows])
    review = bulk.start_everywhere(choice=choice, status="accepted", by=by)
    services.review(access_request=rows[0], status="rejected", by=Actor(user=ada))
    repo_services.change_settings(repos[1], {"gated": False}, by=Actor(user=olu))
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, review.refused, review.stopped_because) == (2, 4, "")
    assert review.refusals[0] == ["p0", "lab/toxic-bert: The request of p0 was rejected by ada already."]
    assert ["p1", "The request of p1 on olu/rows: dataset olu/rows is not gated any more."] in review.refusals


def test_the_permission_is_asked_for_again_at_each_step(many, by, rita, small_steps):
    many(10)
    review = start(by)
    bulk.run(review.pk, steps=1)
    rita.user_permissions.remove(Permission.objects.get(codename="review_accessrequest"))
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, pending()) == (4, 6)
    assert review.stopped_because.startswith("You are not allowed to review access requests of all repositories.")


@pytest.mark.parametrize(
    ("change", "words_"), [({"is_active": False}, "is closed"), ({"is_staff": False}, "not allowed")]
)
def test_a_reviewer_who_is_gone_stops_it_with_words(change, words_, many, by, rita, small_steps):
    many(5)
    review = start(by)
    User.objects.filter(pk=rita.pk).update(**change)
    bulk.run(review.pk)
    review.refresh_from_db()
    assert words_ in review.stopped_because
    assert pending() == 5


def test_the_permission_of_staff_counts_in_the_admin_alone(many, rita):
    many(2)
    for actor in (Actor(user=rita), Actor(user=rita, entrance=Entrance.PAGE), Actor(user=rita, entrance=Entrance.API)):
        with pytest.raises(NotAllowed):
            start(actor)
    assert not BulkReview.objects.exists()


def test_a_filter_that_leaves_the_status_open_or_a_step_that_is_none_is_refused(many, by):
    many(1)
    with pytest.raises(BadRequest):
        bulk.start_everywhere(choice=choices.matching(StaffFilter()), status="accepted", by=by)
    with pytest.raises(BadRequest):
        bulk.start_everywhere(choice=choices.matching(StaffFilter(status="pending")), status="pending", by=by)
    with pytest.raises(BadRequest):
        choices.ticked([(1, "odd")])


def test_what_was_chosen_is_said_in_words(many, by):
    """It is kept as JSON, whose moments nobody reads."""
    review = start(by=by)
    review.chosen["filter"] |= {"asked_before": "2026-11-28T06:52:44.509559+00:00", "asked_after": "odd"}
    said = dict(chosen_in_words(review))
    assert said["asked before"] == "28 November 2026, 06:52 UTC"
    assert said["asked after"] == "odd"
    assert said["status"] == "pending"


@pytest.mark.parametrize(
    "chosen", [{}, {"filter": {}}, {"seen": []}, {"seen": [[1]]}, {"odd": 1}, {"status": "pending"}]
)
def test_a_choice_that_nobody_understands_decides_nothing(chosen, many, by):
    many(3)
    review = start(by)
    BulkReview.objects.filter(pk=review.pk).update(chosen=chosen)
    for _ in range(bulk.MOST_ERRORS_IN_A_ROW):
        try:
            bulk.run(review.pk)
        except (ValueError, KeyError, TypeError):
            continue
    review.refresh_from_db()
    assert review.finished_at is not None
    assert review.stopped_because
    assert pending() == 3


def test_what_was_left_lying_is_carried_out_by_the_sweep(many, by, small_steps):
    many(6)
    review = start(by)
    bulk.run(review.pk, steps=1)  # And then its worker is killed.
    BulkReview.objects.update(touched_at=timezone.now() - 2 * bulk.STALLED_AFTER)
    assert tasks.resume_bulk_reviews() == 1
    review.refresh_from_db()
    assert (review.decided, pending()) == (6, 0)


def test_more_than_two_hundred_go_to_the_worker_and_the_page_shows_how_far_it_is(many, rita, act, browser, monkeypatch):
    nudged = []
    monkeypatch.setattr(tasks, "nudge", nudged.append)
    many(260)
    said = {"everything": True, "confirm": "1", "until": timezone.now().isoformat()}
    page = act(rita, "accept", [], query="status=pending", **said)
    review = BulkReview.objects.get()
    assert page.request["PATH_INFO"] == f"{REVIEWS}{review.pk}/change/"
    assert nudged == [review.pk]
    assert pending() == 260
    assert soup(page).select_one("meta[http-equiv=refresh]")
    assert "0 %: 0 accepted" in words(soup(page).select_one("#content-main"))
    bulk.run(review.pk, steps=1)
    half = browser(rita).get(f"{REVIEWS}{review.pk}/change/")
    assert f"{bulk.STEP * 100 // 260} %: {bulk.STEP} accepted" in words(soup(half).select_one("#content-main"))
    bulk.run(review.pk)
    done = browser(rita).get(f"{REVIEWS}{review.pk}/change/")
    assert not soup(done).select_one("meta[http-equiv=refresh]")
    assert "100 %: 260 accepted" in words(soup(done).select_one("#content-main"))


def test_two_hundred_ticked_are_decided_at_once_and_more_by_the_worker(many, rita, act, monkeypatch):
    nudged = []
    monkeypatch.setattr(tasks, "nudge", nudged.append)
    rows = many(201)
    act(rita, "accept", rows[:200])
    assert (pending(), nudged) == (1, [])
    more = many(201)
    act(rita, "accept", more)
    review = BulkReview.objects.get()
    assert (nudged, review.total) == ([review.pk], 201)


def test_the_stop_button_leaves_the_rest_and_is_for_reviewers(many, by, rita, vic, browser, small_steps):
    many(10)
    review = start(by)
    bulk.run(review.pk, steps=1)
    stop = f"{REVIEWS}{review.pk}/stop/"
    browser(vic).post(stop)
    assert browser(rita).get(stop).status_code == 403
    review.refresh_from_db()
    assert review.finished_at is None
    page = browser(rita).post(stop, follow=True)
    assert "Stopped before the end" in words(soup(page).select_one("#content-main"))
    bulk.run(review.pk)
    review.refresh_from_db()
    assert (review.decided, review.stopped_because, pending()) == (4, "rita stopped it.", 6)


def test_past_reviews_of_staff_and_owners_are_listed_and_can_be_read(many, by, ada, repos, vic, browser, make_staff):
    many(6)
    own = bulk.start(repo=repos[0], chosen=RequestFilter(), status="rejected", by=Actor(user=ada))
    bulk.run(own.pk)
    bulk.run(start(by).pk)
    text = words(soup(browser(vic).get(REVIEWS)).select_one("#result_list"))
    assert "any" in text
    assert "lab/toxic-bert" in text
    for review in BulkReview.objects.all():
        page = soup(browser(vic).get(f"{REVIEWS}{review.pk}/change/"))
        assert "3 to be" in words(page.select_one("title")) or "Done" in words(page.select_one("#content-main"))
        assert not page.select("form[action$=stop]")
    assert browser(make_staff("nil")).get(REVIEWS).status_code == 403
    assert browser(vic).post(f"{REVIEWS}{own.pk}/change/", {"status": "accepted"}).status_code == 403


def test_refusals_are_shown_as_text(many, by, vic, browser):
    many(1)
    review = start(by)
    BulkReview.objects.filter(pk=review.pk).update(
        refusals=[["x", "<script>x"]], refused=3, finished_at=timezone.now() - timedelta(hours=1)
    )
    page = browser(vic).get(f"{REVIEWS}{review.pk}/change/")
    assert b"<script>x" not in page.content
    assert "<script>x" in words(soup(page).select_one("#content-main"))
    assert "And 2 more." in words(soup(page).select_one("#content-main"))


def test_who_asked_later_is_not_in_it(many, by):
    many(2)
    review = start(by)
    many(2)
    AccessRequest.objects.filter(user__username="p3").update(requested_at=timezone.now() + timedelta(seconds=5))
    bulk.run(review.pk)
    assert AccessRequest.objects.get(user__username="p3").status == "pending"


def test_the_list_of_requests_leads_nobody_into_the_actions_of_django(many, rita, browser):
    many(1)
    page = browser(rita).post(
        REQUESTS, {"action": "delete_selected", "_selected_action": "1", "index": "0"}, follow=True
    )
    assert "There is no such action." in page.content.decode()
    assert AccessRequest.objects.count() == 1
