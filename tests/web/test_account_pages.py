"""Sign-up, sign-in, addresses, password, profile.  sam has an account; zoe makes one."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from bs4 import BeautifulSoup
from django.core import mail
from django.core.cache import cache

from access import services
from access.models import AccessRequest
from accounts.actor import Actor
from accounts.models import AuditEvent, Namespace, User
from repos import services as repo_services
from repos.models import Repo
from tests.support.cast import ANSWERS, PASSWORD
from tests.web.pages import label_of, press, soup, words

ZOE = {
    "username": "zoe", "fullname": "Zoë Zed", "email": "zoe@example.org",
    "password1": PASSWORD, "password2": PASSWORD,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_limits_from_the_test_before(settings, db):
    cache.clear()  # Rate limits count in the cache.
    settings.PUBLIC_URL = "https://gate.example.org"


@pytest.fixture
def link_in_mail(deliver_mails):
    """`link_in_mail()`: where the newest mail leads, once it is sent; its two parts lead to the same place."""

    def find() -> str:
        deliver_mails()
        link = re.search(r"https?://\S+", mail.outbox[-1].body)[0]
        ((html, _),) = mail.outbox[-1].alternatives
        assert BeautifulSoup(html, "html.parser").select_one(".button a")["href"] == link
        assert link.startswith("https://gate.example.org/")
        return link.removeprefix("https://gate.example.org")

    return find


def test_sign_up_verify_sign_in(browser, db, link_in_mail):
    client = browser()
    page = soup(client.get("/signup"))
    labels = [label_of(page, control) for control in page.select("form.panel input:not([type=hidden])")]
    assert labels[:3] == ["Username", "Full name", "Email"]
    response = press(client, page, "/signup", **ZOE)
    assert response["Location"] == "/account/verify"
    zoe = User.objects.get(username="zoe")
    assert zoe.fullname == "Zoë Zed"
    assert Namespace.objects.get(user=zoe).name == "zoe"
    assert not zoe.has_verified_address
    assert "We have sent you a mail" in words(soup(client.get("/account/verify")))

    link = link_in_mail()
    page = soup(client.get(link))
    assert "zoe@example.org" in words(page)
    assert not zoe.has_verified_address, "a look at the page, as mail scanners take, confirms nothing"
    press(client, page, link)
    assert zoe.has_verified_address

    client = browser()
    page = soup(client.get("/login?next=/settings/requests"))
    response = press(client, page, "/login", login="zoe", password=PASSWORD)
    assert response["Location"] == "/settings/requests"
    assert "zoe" in words(soup(client.get("/")).select_one(".menu summary"))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"username": "SAM"}, "taken"),
        ({"username": "lab"}, "taken"),
        ({"username": "datasets"}, "reserved"),
        ({"username": "a b"}, "A name has letters"),
        ({"username": "x" * 43}, "at most 42 characters"),
        ({"email": "nobody"}, "valid email"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password2": "other-horse"}, "same password"),
        ({"fullname": ""}, "required"),
    ],
)
def test_sign_up_says_what_is_wrong_and_makes_nobody(browser, sam, lab, given, says):
    client = browser()
    response = press(client, soup(client.get("/signup")), "/signup", **ZOE | given)
    assert response.status_code == 200
    assert says in words(soup(response).select_one("form.panel"))
    assert not User.objects.filter(email="zoe@example.org").exists()


def test_closed_sign_up_says_so(browser, db, settings):
    settings.OPEN_SIGNUP = False
    assert "Sign-up is closed" in words(soup(browser().get("/signup")))
    browser().post("/signup", ZOE)
    assert not User.objects.exists()


@pytest.mark.parametrize("path", ["/", "/models", "/login", "/signup", "/lab/toxic-bert"])
def test_no_page_leads_to_a_closed_sign_up(browser, gated_repo, settings, path):
    assert soup(browser().get(path)).select("a[href^='/signup']")
    settings.OPEN_SIGNUP = False
    page = soup(browser().get(path))
    assert not page.select("a[href^='/signup']")
    assert page.select("a[href^='/login']")


def test_join_is_sign_up(browser, db):
    assert browser().get("/join?next=/lab/x")["Location"] == "/signup?next=/lab/x"


def test_a_wrong_password_says_so_and_keeps_the_name(browser, sam):
    client = browser()
    page = soup(press(client, soup(client.get("/login")), "/login", login="sam", password="wrong"))
    assert page.select(".notice.error")
    assert page.find(attrs={"name": "login"})["value"] == "sam"
    assert not page.select(".menu summary")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "https:evil.example"],
)
def test_next_leads_nowhere_else(browser, sam, elsewhere):
    for path, data in (("/login", {"login": "sam", "password": PASSWORD}), ("/logout", {})):
        response = browser().post(path, data | {"next": elsewhere})
        assert response["Location"] == "/"
    page = soup(browser().get("/login", {"next": elsewhere}))
    assert elsewhere not in [link.get("href") for link in page.select("main a")]


def test_sign_out_is_a_form(browser, sam):
    client = browser(sam)
    page = soup(client.get("/logout"))
    assert "_auth_user_id" in client.session, "a look signs nobody out"
    press(client, page, "/logout")
    assert "_auth_user_id" not in client.session


def test_reset_the_password(browser, sam, link_in_mail):
    client = browser()
    press(client, soup(client.get("/password/reset")), "/password/reset", email="sam@example.org")
    link = link_in_mail()
    response = client.get(link, follow=True)
    page = soup(response)
    path = response.request["PATH_INFO"]
    response = press(client, page, path, password1="another-battery-9", password2="another-battery-9")
    assert response["Location"] == "/password/reset/done"
    sam.refresh_from_db()
    assert sam.check_password("another-battery-9")
    assert "not valid, or was used" in words(soup(browser().get(link, follow=True)))


def test_reset_of_an_unknown_address_looks_the_same(browser, db, link_in_mail):
    client = browser()
    response = press(client, soup(client.get("/password/reset")), "/password/reset", email="who@example.org")
    assert response["Location"] == "/password/reset/sent"
    assert link_in_mail() == "/signup"


def test_addresses(browser, sam, link_in_mail):
    client = browser(sam)
    page = soup(client.get("/settings/addresses"))
    assert "sam@example.org Primary Verified" in words(page.select_one(".rows li"))
    assert page.select_one("a[aria-current]").text.strip() == "Email addresses"
    press(client, page, "/settings/addresses", "action_add", email="sam@uni.example")
    page = soup(client.get("/settings/addresses"))
    assert "sam@uni.example Not verified" in words(page.select(".rows li")[1])
    link = link_in_mail()
    press(client, soup(client.get(link)), link)
    client.post("/settings/addresses", {"email": "sam@uni.example", "action_primary": "1"})
    sam.refresh_from_db()
    assert sam.email == "sam@uni.example"
    client.post("/settings/addresses", {"email": "sam@example.org", "action_remove": "1"})
    assert [address.email for address in EmailAddress.objects.filter(user=sam)] == ["sam@uni.example"]


def test_where_no_link_is_sent_the_page_says_so(browser, sam, deliver_mails):
    client, page = browser(sam), "/settings/addresses"

    def said_and_sent(**form: str) -> tuple[str, int]:
        shown = soup(client.post(page, {"email": "sam@uni.example", **form}, follow=True))
        deliver_mails()
        return words(shown.select_one("#toasts")), len(mail.outbox)

    too_soon = "No mail was sent to sam@uni.example: the last one is less than three minutes old."
    said, sent = said_and_sent(action_add="1")
    assert "Confirmation email sent to sam@uni.example." in said
    assert too_soon not in said
    assert sent == 1
    said, sent = said_and_sent(action_send="1")
    assert too_soon in said
    assert sent == 1
    said_and_sent(action_remove="1")
    said, sent = said_and_sent(action_add="1")
    assert too_soon in said, "and the link of the first mail is no good any more"
    assert sent == 1
    cache.clear()  # Three minutes later.
    said, sent = said_and_sent(action_send="1")
    assert "Confirmation email sent to sam@uni.example." in said
    assert sent == 2


def test_no_link_is_sent_to_an_address_that_is_verified(browser, sam, deliver_mails):
    form = {"email": "sam@example.org", "action_send": "1"}
    page = soup(browser(sam).post("/settings/addresses", form, follow=True))
    assert "sam@example.org is verified already. No mail was sent." in words(page.select_one("#toasts"))
    deliver_mails()
    assert mail.outbox == []


def test_change_the_password(browser, sam):
    client = browser(sam)
    new = {"oldpassword": PASSWORD, "password1": "another-battery-9", "password2": "another-battery-9"}
    page = soup(client.get("/settings/password"))
    assert soup(press(client, page, "/settings/password", **new | {"oldpassword": "wrong"})).select(".problem")
    press(client, page, "/settings/password", **new)
    sam.refresh_from_db()
    assert sam.check_password("another-battery-9")


def test_profile(browser, sam):
    client = browser(sam)
    assert client.get("/settings")["Location"] == "/settings/profile"
    press(client, soup(client.get("/settings/profile")), "/settings/profile", fullname=" Sam   <b>Smith</b> ")
    sam.refresh_from_db()
    assert sam.fullname == "Sam <b>Smith</b>"
    assert AuditEvent.objects.first().before == "Sam Requester"
    assert client.post("/settings/profile", {"fullname": "x" * 121}).status_code == 400
    assert client.post("/settings/profile", {"fullname": "a\u202eb"}).status_code == 400


def test_my_requests(browser, sam, gated_repo, ada, make_repo):
    request = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    other = make_repo("lab/other", by=ada, gated="auto")
    services.ask(repo=other, answers={}, by=Actor(user=sam))
    services.review(access_request=request, status="rejected", reason="Ask again in May", by=Actor(user=ada))
    client = browser(sam)
    rows = [words(row) for row in soup(client.get("/settings/requests")).select(".rows li")]
    assert "lab/other" in rows[0]
    assert "Accepted" in rows[0]
    assert "Rejected" in rows[1]
    assert "Reason: Ask again in May" in rows[1]

    repo_services.change_settings(other, {"private": True}, by=Actor(user=ada))
    assert "lab/other" not in words(soup(client.get("/settings/requests")))
    assert not soup(client.get("/settings/requests")).select(".tabs"), "one that can be seen needs no filter"
    assert "You have not asked for access yet" in words(soup(browser(ada).get("/settings/requests")))


@pytest.fixture
def three_requests(gated_repo, ada, sam, make_repo):
    """lab/waiting is pending, lab/toxic-bert rejected without a reason, lab/open accepted."""
    for name, gated in (("waiting", "manual"), ("open", "auto")):
        services.ask(repo=make_repo(f"lab/{name}", by=ada, gated=gated), answers={}, by=Actor(user=sam))
    asked = services.ask(repo=gated_repo, answers=ANSWERS, by=Actor(user=sam))
    services.review(access_request=asked, status="rejected", by=Actor(user=ada))


def test_my_requests_by_state(browser, sam, three_requests):
    client = browser(sam)
    page = soup(client.get("/settings/requests"))
    assert words(page.select_one(".tabs")) == "All 3 Pending 1 Accepted 1 Rejected 1"
    for status, repo_id in (("pending", "lab/waiting"), ("accepted", "lab/open"), ("rejected", "lab/toxic-bert")):
        page = soup(client.get(f"/settings/requests?status={status}"))
        assert [link.text for link in page.select(".rows .title")] == [repo_id]
        assert page.select_one(".tabs a[aria-current]")["href"].endswith(f"?status={status}")
    for odd in ("nonsense", "%00", "", "PENDING"):
        page = soup(client.get(f"/settings/requests?status={odd}"))
        assert len(page.select(".rows > li")) == 3, odd
    AccessRequest.objects.filter(status="pending").delete()
    assert "None of your requests is pending." in words(soup(client.get("/settings/requests?status=pending")))


def test_my_requests_say_what_happens_next(browser, sam, ada, three_requests):
    client = browser(sam)

    def row(status: str) -> str:
        return words(soup(client.get(f"/settings/requests?status={status}")).select_one(".rows > li"))

    assert "The authors decide about it; a mail to sam@example.org tells you when they have." in row("pending")
    assert "You may download it: see how" in row("accepted")
    assert "They gave no reason. A second request is not possible, but the authors can reopen this one." in (
        row("rejected")
    )
    for repo in Repo.objects.all():
        repo_services.change_settings(repo, {"gated": False}, by=Actor(user=ada))
    page = soup(client.get("/settings/requests"))
    assert words(page).count("The gate is off now") == 3
    assert not page.select('main form[action$="/withdraw-request"]'), "there is nothing to wait for"


def test_a_pending_request_is_cancelled_on_the_list_and_the_list_comes_back(browser, sam, three_requests):
    client = browser(sam)
    page = soup(client.get("/settings/requests"))
    assert len(page.select('main form[action$="/withdraw-request"]')) == 1
    response = press(client, page, "/lab/waiting/withdraw-request")
    assert response["Location"] == "/settings/requests"
    page = soup(client.get("/settings/requests"))
    assert "Your request for lab/waiting was cancelled." in words(page.select_one("#toasts"))
    assert "lab/waiting" not in words(page.select_one(".rows"))
    for elsewhere in ("https://evil.example", "//evil.example", "Requests"):
        assert client.post("/lab/waiting/withdraw-request", {"back": elsewhere})["Location"] == "/lab/waiting"


def test_a_request_that_was_decided_meanwhile_stays(browser, sam, ada, three_requests):
    client = browser(sam)
    page = soup(client.get("/settings/requests"))
    waiting = AccessRequest.objects.get(repo__name="waiting")
    services.review(access_request=waiting, status="accepted", by=Actor(user=ada))
    press(client, page, "/lab/waiting/withdraw-request")
    told = words(soup(client.get("/settings/requests")).select_one("#toasts"))
    assert "Your request for lab/waiting is not pending any more: it was accepted." in told
    assert AccessRequest.objects.get(repo__name="waiting").is_accepted


def test_a_long_list_of_requests_costs_few_queries(browser, sam, three_requests, django_assert_max_num_queries):
    client = browser(sam)
    with django_assert_max_num_queries(6):
        client.get("/settings/requests")


def test_sign_up_takes_no_name_that_cannot_be_shown(browser, db):
    client = browser()
    page = soup(press(client, soup(client.get("/signup")), "/signup", **ZOE | {"fullname": "Zoe\u202eeoZ"}))
    assert "The name contains characters that cannot be shown." in words(page.select_one("form.panel"))
    assert not User.objects.exists()


def test_a_new_password_signs_out_other_browsers_and_leaves_tokens(browser, sam, api):
    here, there = browser(sam), browser(sam)
    caller = api(sam)
    new = {"oldpassword": PASSWORD, "password1": "another-battery-9", "password2": "another-battery-9"}
    page = soup(here.get("/settings/password"))
    assert "signs you out in every other browser" in words(page.main)
    press(here, page, "/settings/password", **new)
    assert here.get("/settings/profile").status_code == 200
    assert there.get("/settings/profile")["Location"].startswith("/login")
    assert caller.get("/api/whoami-v2").status_code == 200


def test_the_profile_says_what_others_see_and_they_see_no_more(browser, sam, noor):
    said = words(soup(browser(sam).get("/settings/profile")).select_one("section.panel"))
    assert "Everybody: your user name, your full name" in said
    assert "Authors of a gated repository that you ask for" in said
    assert "@example.org" not in words(soup(browser(noor).get("/sam")))


def test_only_an_address_that_can_be_primary_is_offered_as_such(browser, sam):
    other = EmailAddress.objects.create(user=sam, email="sam@uni.example")
    client = browser(sam)
    assert not soup(client.get("/settings/addresses")).select("[name=action_primary]")
    EmailAddress.objects.filter(primary=True).update(verified=False)
    assert soup(client.get("/settings/addresses")).select("[name=action_primary]"), "from one unverified to another"
    EmailAddress.objects.update(verified=True)
    press(client, soup(client.get("/settings/addresses")), "/settings/addresses", "action_primary", action_primary="1")
    other.refresh_from_db()
    assert other.primary


def test_as_many_addresses_as_there_can_be(browser, sam, settings):
    for number in range(settings.ACCOUNT_MAX_EMAIL_ADDRESSES - 1):
        EmailAddress.objects.create(user=sam, email=f"sam{number}@example.org")
    page = soup(browser(sam).get("/settings/addresses"))
    assert "as many addresses as an account can have" in words(page.main)
    names = [button["aria-label"] for button in page.select(".rows button")]
    assert len(names) == len(set(names)), "each button says which address it is about"


@pytest.mark.parametrize(
    "path", ["/settings", "/settings/profile", "/settings/tokens", "/settings/requests", "/settings/addresses",
             "/settings/password", "/settings/organizations", "/settings/notifications", "/new"],
)  # fmt: skip
def test_strangers_sign_in_first(browser, db, path):
    response = browser().get(path, follow=path == "/settings")
    target = response.redirect_chain[-1][0] if path == "/settings" else response["Location"]
    assert target.startswith("/login?next=/")


def test_a_connected_account_of_a_provider_that_is_gone_is_said_to_let_nobody_in(browser, sam):
    SocialAccount.objects.create(user=sam, provider="former", uid="7", extra_data={"username": "sam-there"})
    page = soup(browser(sam).get("/settings/connections"))
    assert "former" in words(page.main)
    assert "No longer offered here" in words(page.main)
    assert page.select_one("form button[aria-label^='Remove former']")
