"""Decisions about those who wait, with scripts and without: one by one, several, all; lists, filters and search."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect


def test_review_one_by_one(visit, owner, guests, repo_id):
    first, second, third = (person.name for person in guests)
    page = visit(f"/{repo_id}/settings", owner)
    lists = page.get_by_role("navigation", name="Lists of requests")
    expect(lists.get_by_role("link", name="Pending")).to_contain_text("3")
    page.get_by_role("button", name=f"Accept {first}").click()
    expect(page.get_by_text(f"{first} has access now.")).to_be_visible()
    row = page.locator("#requests .rows > li", has_text=second)
    row.get_by_text("Reject with a reason").click()
    row.get_by_label("Reason for rejecting").fill("Not now")
    row.get_by_role("button", name="Reject with this reason").click()
    expect(page.get_by_text(f"{second} was rejected.")).to_be_visible()
    expect(page.locator("#requests .rows > li")).to_have_count(1)
    expect(page.locator("#requests .rows > li")).to_contain_text(third)

    lists.get_by_role("link", name="Rejected").click()
    expect(page.locator("#requests .rows > li")).to_contain_text("Reason: Not now")
    page.get_by_role("button", name=f"Cancel the decision about {second}").click()
    expect(page.get_by_text(f"{second} is waiting for a decision again.")).to_be_visible()
    expect(lists.get_by_role("link", name="Pending")).to_contain_text("2")


def test_reject_with_a_reason_in_two_clicks_and_typing(visit, owner, guests, repo_id, javascript):
    page = visit(f"/{repo_id}/settings", owner)
    name = guests[0].name
    row = page.locator("#requests .rows > li", has_text=name)
    row.get_by_text("Reject with a reason").click()
    if javascript:  # The field waits for the typing.
        expect(row.get_by_label("Reason for rejecting")).to_be_focused()
    else:
        row.get_by_label("Reason for rejecting").click()
    page.keyboard.type("Only for members")
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{name} was rejected.")).to_be_visible()
    page.get_by_role("navigation", name="Lists of requests").get_by_role("link", name="Rejected").click()
    expect(page.locator("#requests .rows")).to_contain_text("Reason: Only for members")


def test_all_answers_at_once(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    expect(page.get_by_text(f"Company of {guests[2].name}")).not_to_be_visible()
    page.get_by_role("link", name="Unfold all answers").click()
    for person in guests:
        expect(page.get_by_text(f"Company of {person.name}")).to_be_visible()
    page.get_by_role("button", name=f"Accept {guests[0].name}").click()
    expect(page.get_by_text(f"{guests[0].name} has access now.")).to_be_visible()
    expect(page.get_by_text(f"Company of {guests[2].name}")).to_be_visible()


def test_whoever_unfolded_all_answers_by_hand_can_fold_them_at_once(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    for _ in range(2):  # The second time the address says already that they are folded.
        for summary in page.locator("#requests .answers > summary").all():
            expect(page.get_by_role("link", name="Unfold all answers")).to_be_visible()
            summary.click()
        expect(page.get_by_role("link", name="Unfold all answers")).not_to_be_visible()
        page.get_by_role("link", name="Fold all answers", exact=True).click()
        expect(page.get_by_text(f"Company of {guests[2].name}")).not_to_be_visible()
    page.get_by_role("link", name="Unfold all answers").click()
    expect(page.get_by_text(f"Company of {guests[2].name}")).to_be_visible()
    page.get_by_role("link", name="Fold all answers", exact=True).click()
    expect(page.get_by_text(f"Company of {guests[2].name}")).not_to_be_visible()


def test_the_second_of_two_reviewers_is_told_what_the_first_did(visit, owner, guests, repo_id):
    first, second = visit(f"/{repo_id}/settings", owner), visit(f"/{repo_id}/settings", owner)
    name = guests[1].name
    first.get_by_role("button", name=f"Accept {name}").click()
    expect(first.get_by_text(f"{name} has access now.")).to_be_visible()
    second.get_by_role("button", name=f"Reject {name}", exact=True).click()
    told = f"The request of {name} is not pending any more: {owner.name} accepted it. Nothing was changed."
    expect(second.locator("#toasts")).to_contain_text(told)
    expect(second.locator("#requests .rows > li")).to_have_count(2)


def test_to_decide_about_nobody_is_no_decision(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    page.get_by_label("Reason if you reject").fill("Kept as it was typed")
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    expect(page.locator("#toasts")).to_contain_text("Nobody is selected.")
    expect(page.get_by_label("Reason if you reject")).to_have_value("Kept as it was typed")
    expect(page.locator("#requests .rows > li")).to_have_count(3)


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
def test_what_was_begun_stays_through_a_decision(visit, owner, guests, repo_id):
    first, second, third = (person.name for person in guests)
    page = visit(f"/{repo_id}/settings", owner)
    rows = page.locator("#requests .rows > li")
    rows.filter(has_text=second).get_by_text("1 answer").click()
    page.get_by_label(f"Select {third}").check()
    rows.filter(has_text=third).get_by_text("Reject with a reason").click()
    page.get_by_label(f"Reason for rejecting {third}").fill("Half a")
    steps = page.evaluate("history.length")
    page.get_by_role("button", name=f"Accept {first}").click()
    expect(page.get_by_text(f"{first} has access now.")).to_be_visible()
    expect(page.get_by_role("button", name=f"Accept {second}")).to_be_focused()
    expect(page.get_by_text(f"Company of {second}")).to_be_visible()
    expect(page.get_by_label(f"Select {third}")).to_be_checked()
    expect(page.get_by_text("(1)")).to_be_visible()
    expect(page.get_by_label(f"Reason for rejecting {third}")).to_have_value("Half a")
    assert page.evaluate("history.length") == steps, "a decision is no page to go back to"


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
def test_what_was_typed_elsewhere_stays_through_a_decision(visit, stage, owner, guests, repo_id):
    friend = stage.next()
    page = visit(f"/{repo_id}/settings", owner)
    search, grant = page.get_by_label("Search in pending requests"), page.get_by_label("User name, or a part")
    search.fill("half a sea")
    grant.fill(friend.name[-5:])
    page.get_by_label("Asked from").fill("2026-11-01")
    accept_friend = page.get_by_role("button", name=f"Add access for {friend.name}")
    expect(accept_friend).to_be_visible()
    page.get_by_role("button", name=f"Accept {guests[0].name}").click()
    expect(page.get_by_text(f"{guests[0].name} has access now.")).to_be_visible()
    expect(search).to_have_value("half a sea")
    expect(grant).to_have_value(friend.name[-5:])
    expect(page.get_by_label("Asked from")).to_have_value("2026-11-01")
    expect(accept_friend).to_be_visible()


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
@pytest.mark.parametrize("order", ["in turn", "the last first", "an old one last"])
def test_decisions_quicker_than_the_answers_to_them(visit, owner, guests, repo_id, order):
    """Answers may overtake each other, and one that was written earlier may come last."""
    first, second, third = (person.name for person in guests)
    page = visit(f"/{repo_id}/settings", owner)
    rows, sent = page.locator("#requests .rows > li"), []
    page.route("**/settings/review*", lambda route: sent.append(route))
    page.get_by_label(f"Select {third}").check()
    for number, name in enumerate((first, second), start=1):
        page.get_by_role("button", name=f"Accept {name}").click()
        while len(sent) < number:
            page.wait_for_timeout(20)
    if order == "an old one last":
        written = sent[0].fetch()
        sent[1].continue_()
        expect(page.get_by_text(f"{second} has access now.")).to_be_visible()
        sent[0].fulfill(response=written)
        expect(page.get_by_text(f"{first} has access now.")).to_be_visible()
    else:
        turns = [(sent[0], first), (sent[1], second)]
        for route, name in turns if order == "in turn" else reversed(turns):
            route.continue_()
            expect(page.get_by_text(f"{name} has access now.")).to_be_visible()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(third)
    expect(page.get_by_label(f"Select {third}")).to_be_checked()
    expect(page.locator("#toasts")).to_contain_text("has access now.")
    expect(page.locator("#list-accepted")).to_contain_text("2")


@pytest.mark.parametrize("javascript", [True], indirect=True, ids=["scripts"])
def test_lists_filters_and_the_way_back(visit, stage, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    lists = page.get_by_role("navigation", name="Lists of requests")
    lists.get_by_role("link", name="Accepted").click()
    expect(page.locator("#requests .empty")).to_contain_text("Nobody has access by request yet.")
    expect(lists.get_by_role("link", name="Accepted")).to_be_focused()
    page.get_by_role("link", name="Decide about those who wait").click()
    expect(page.locator("#requests .rows > li")).to_have_count(3)
    order = page.get_by_label("Order")
    order.focus()
    order.select_option("Newest first")  # Applies itself.
    expect(page.locator("#requests .rows > li").first).to_contain_text(guests[2].name)
    expect(order).to_be_focused()
    expect(page).to_have_url(f"{stage.url}/{repo_id}/settings?status=pending&sort=newest#requests")
    page.go_back()
    expect(page.locator("#requests .rows > li").first).to_contain_text(guests[0].name)
    page.go_back()
    expect(page.locator("#requests .empty")).to_contain_text("Nobody has access by request yet.")
    page.go_back()
    expect(page.locator("#requests .rows > li")).to_have_count(3)


def test_review_several(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    for person in guests[:2]:
        page.get_by_label(f"Select {person.name}").check()
    page.locator("#bulk").get_by_role("button", name="Accept").click()
    expect(page.get_by_text("2 requests accepted.")).to_be_visible()
    expect(page.locator("#requests .rows > li")).to_have_count(1)


def test_enter_decides_about_nobody(visit, owner, guests, repo_id):
    """Neither in a box nor in the reason: which of the decisions should it be?"""
    page = visit(f"/{repo_id}/settings", owner)
    box, reason = page.get_by_label(f"Select {guests[0].name}"), page.get_by_label("Reason if you reject")
    box.check()
    box.press("Enter")
    reason.fill("Not this year")
    reason.press("Enter")
    page.wait_for_timeout(300)
    expect(page.locator("#toasts .toast")).to_have_count(0)
    expect(box).to_be_checked()
    expect(reason).to_have_value("Not this year")
    page.reload()
    expect(page.locator("#requests .rows > li")).to_have_count(3)


def test_reject_several_with_one_reason(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    for person in guests[1:]:
        page.get_by_label(f"Select {person.name}").check()
    page.get_by_label("Reason if you reject").fill("Not this year")
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    expect(page.get_by_text("2 requests rejected.")).to_be_visible()
    expect(page.locator("#requests .rows > li")).to_have_count(1)
    page.get_by_role("navigation", name="Lists of requests").get_by_role("link", name="Rejected").click()
    expect(page.locator("#requests .rows > li")).to_have_count(2)
    for person in guests[1:]:
        expect(page.locator("#requests .rows > li").filter(has_text=person.name)).to_contain_text("Not this year")


def test_a_refused_decision_leaves_ticks_and_reason(visit, owner, guests, repo_id, javascript):
    first, *others = (person.name for person in guests)
    page = visit(f"/{repo_id}/settings", owner)
    for name in others:
        page.get_by_label(f"Select {name}").check()
    page.get_by_label("Reason if you reject").fill("Not this year")
    page.locator("#bulk").get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Only those who are rejected read a reason.")).to_be_visible()

    def expect_ticks():
        expect(page.get_by_label("Reason if you reject")).to_have_value("Not this year")
        for name in others:
            expect(page.get_by_label(f"Select {name}")).to_be_checked()

    expect_ticks()
    expect(page.get_by_label(f"Select {first}")).not_to_be_checked()
    if javascript:  # Which also keeps them when another decision is made first.
        page.get_by_role("button", name=f"Accept {first}").click()
        expect(page.get_by_text(f"{first} has access now.")).to_be_visible()
        expect_ticks()
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    expect(page.get_by_text("2 requests rejected.")).to_be_visible()


def test_reject_all_that_match_with_a_reason(visit, stage, owner, guests, repo_id):
    """After having looked at what would be done, and left it."""
    page = visit(f"/{repo_id}/settings?q=company", owner)
    page.get_by_label("All 3 that match").check()
    page.get_by_label("Reason if you reject").fill("Not this year")
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("heading", name="3 pending requests will be rejected")).to_be_visible()
    expect(page.locator("main")).to_contain_text("Each of them will read this reason: Not this year")
    page.get_by_role("link", name="Leave them as they are").click()
    expect(page.locator("#requests .rows > li")).to_have_count(3)
    page.get_by_label("Search in pending requests").fill(guests[0].name)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#requests .rows > li")).to_have_count(1)
    page.get_by_role("button", name=f"Accept {guests[0].name}").click()
    expect(page.get_by_text(f"{guests[0].name} has access now.")).to_be_visible()
    page.goto(f"/{repo_id}/settings?q=company")
    page.get_by_label("All 2 that match").check()
    page.get_by_label("Reason if you reject").fill("Not this year")
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    page.get_by_role("button", name="Reject 2").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("2 rejected")
    page.goto(f"/{repo_id}/settings?status=rejected")
    expect(page.locator("#requests .rows > li")).to_have_count(2)
    expect(page.locator("#requests .rows > li").first).to_contain_text("Not this year")


def begin_to_accept_all(stage, repo_id) -> str:
    """The key of a review of all that wait, which nobody carries out."""
    order = f"""
from access import bulk
from access.filters import RequestFilter
from accounts.actor import Actor
from accounts.models import User
from repos.models import Repo
namespace, name = "{repo_id}".split("/")
repo, by = Repo.objects.get(namespace__name=namespace, name=name), Actor(user=User.objects.get(username=namespace))
print(bulk.start(repo=repo, chosen=RequestFilter(), status="accepted", by=by).pk)
"""
    return stage.server.manage("shell", "-v0", "-c", order).split()[-1]


def test_watch_how_far_many_decisions_are(visit, stage, owner, guests, repo_id, javascript):
    """The worker, which is not there in this test, is played by a command."""
    key = begin_to_accept_all(stage, repo_id)
    page = visit(f"/{repo_id}/settings/bulk/{key}", owner)
    expect(page.get_by_role("heading", name="At work")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("0 accepted")
    stop = page.get_by_role("button", name="Stop")
    stop.focus()
    if javascript:
        for _ in range(2):  # It looks each second.
            page.wait_for_event("response", lambda answer: answer.url.endswith(f"/bulk/{key}"))
        expect(stop).to_be_focused()
    stage.server.manage("shell", "-v0", "-c", f"from access import bulk; bulk.run({key})")
    if not javascript:  # With scripts the page looks by itself.
        page.get_by_role("link", name="Reload").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("3 accepted")
    expect(stop).to_have_count(0)
    page.get_by_role("link", name="Back to the requests").click()
    expect(page.locator("#requests .empty")).to_be_visible()


def test_stop_many_decisions(visit, stage, owner, guests, repo_id):
    key = begin_to_accept_all(stage, repo_id)
    page = visit(f"/{repo_id}/settings", owner)
    page.get_by_text("3 requests are becoming accepted: 0 done.").get_by_role("link", name="Details").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="Stopped before the end")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    stage.server.manage("shell", "-v0", "-c", f"from access import bulk; bulk.run({key})")
    page.get_by_role("link", name="Back to the requests").click()
    expect(page.locator("#requests .rows > li")).to_have_count(3)


def test_filter_by_answer_country_and_age(visit, stage, hub, owner, javascript):
    card = b"---\nextra_gated_fields:\n  Purpose: {type: select, options: [Research, Other]}\n  Country: country\n---\n"
    repo_id = f"{owner.name}/asking"
    hub.publish(repo_id, owner, {"README.md": card})
    answers = [("Research", "FR"), ("Research", "JP"), ("Other", "FR")]
    asking = [stage.next() for _ in answers]
    for person, (purpose, country) in zip(asking, answers, strict=True):
        hub.ask(repo_id, person, {"Purpose": purpose, "Country": country})
    page = visit(f"/{repo_id}/settings", owner)
    rows = page.locator("#requests .rows > li")

    def choose(label: str, words: str, left: int) -> None:
        """With scripts a choice applies itself."""
        choice = page.locator(".review-filters").get_by_label(label, exact=True)
        if not choice.is_visible():
            page.locator(".review-filters summary").click()
        choice.select_option(words)
        if not javascript:
            page.get_by_role("button", name="Apply filters").click()
        expect(rows).to_have_count(left)

    choose("Purpose", "Research", 2)
    choose("Country", "France", 1)
    expect(rows).to_contain_text(asking[0].name)
    choose("Asked", "more than 7 days ago", 0)
    page.get_by_role("link", name="Show all").first.click()
    expect(rows).to_have_count(3)


def test_turn_the_pages_of_a_list(visit, stage):
    """Fifty-five wait for lab/research; nothing is decided here."""
    page = visit("/lab/research/settings?status=pending", stage.people["ada"])
    rows, pager = page.locator("#requests .rows > li"), page.get_by_role("navigation", name="Pages of requests")
    expect(rows).to_have_count(30)
    first = rows.first.inner_text()
    pager.get_by_role("link", name="Next").click()
    expect(rows).to_have_count(25)
    expect(pager.get_by_role("link", name="Next")).to_have_count(0)
    pager.get_by_role("link", name="Previous").click()
    expect(rows).to_have_count(30)
    assert rows.first.inner_text() == first


def test_search_the_requests(visit, owner, guests, repo_id):
    page = visit(f"/{repo_id}/settings", owner)
    page.get_by_label("Search in pending requests").fill(f"company of {guests[1].name}")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#requests .rows > li")).to_have_count(1)
    expect(page.locator("#requests .rows > li")).to_contain_text(guests[1].email)
    page.get_by_role("link", name="Show all").first.click()
    expect(page.locator("#requests .rows > li")).to_have_count(3)


def test_read_a_long_answer_whole_and_go_on(visit, stage, hub, owner, javascript):
    repo_id = f"{owner.name}/long-answers"
    hub.publish(repo_id, owner, {"README.md": b"---\nextra_gated_fields:\n  Project: textarea\n---\n"})
    first, second = stage.next(), stage.next()
    hub.ask(repo_id, first, {"Project": "Short"})
    hub.ask(repo_id, second, {"Project": f"Begin {'word ' * 1_000}finally"})
    page = visit(f"/{repo_id}/settings?show=answers", owner)
    row = page.locator("#requests .rows > li", has_text=second.name)
    expect(row).to_contain_text("Begin word")
    expect(row).not_to_contain_text("finally")
    row.get_by_role("link", name="Show the whole answer").press("Enter")
    if javascript:
        expect(row).to_contain_text("finally")
        expect(row.locator("dd")).to_be_focused()
        expect(row.get_by_role("link", name="Show the whole answer")).to_have_count(0)
        page.get_by_role("button", name=f"Accept {first.name}").click()
        expect(page.get_by_text(f"{first.name} has access now.")).to_be_visible()
        expect(row).to_contain_text("finally")
        assert page.url.endswith("/settings?show=answers"), "it is no page to go back to"
    else:
        expect(page.get_by_role("heading", name=f"Answer of {second.name}")).to_be_visible()
        expect(page.locator("main dd")).to_contain_text("finally")
        page.get_by_role("link", name="Back to the requests").click()
        expect(row).to_contain_text("Begin word")
    page.get_by_role("button", name=f"Accept {second.name}").click()
    expect(page.get_by_text(f"{second.name} has access now.")).to_be_visible()


LINES_CARD = b"""---
extra_gated_fields:
  Company: text
  Purpose:
    type: select
    options:
    - |
      Research
      and teaching
    - Other
---
"""


def test_an_option_of_several_lines_is_kept_and_filtered_by(visit, stage, hub, owner, guest, javascript):
    repo_id, second = f"{owner.name}/in-lines", stage.next()
    hub.publish(repo_id, owner, {"README.md": LINES_CARD})
    hub.ask(repo_id, second, {"Company": "x", "Purpose": "Other"})
    page = visit(f"/{repo_id}", guest)
    page.get_by_label("Company").fill(" ")
    page.get_by_label("Purpose").select_option(index=1)
    page.locator("#gate form button[type=submit]").click()
    expect(page.get_by_text("The form is not complete.")).to_be_visible()
    assert page.get_by_label("Purpose").evaluate("select => select.selectedIndex") == 1
    page.get_by_label("Company").fill("Example University")
    page.locator("#gate form button[type=submit]").click()
    expect(page.get_by_text("Your request is awaiting review")).to_be_visible()

    page = visit(f"/{repo_id}/settings", owner)
    page.locator(".review-filters summary").click()
    choice = page.locator(".review-filters").get_by_label("Purpose", exact=True)
    choice.select_option(index=1)
    if not javascript:
        page.get_by_role("button", name="Apply filters").click()
    expect(page.get_by_text("1 pending request matches the filters set.")).to_be_visible()
    expect(page.locator("#requests .rows > li")).to_contain_text(guest.name)
    assert choice.evaluate("select => select.selectedIndex") == 1
