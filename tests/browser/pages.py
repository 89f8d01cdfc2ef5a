"""All pages, as rows of a table: a new page is one row more.

`who` is signed in, see `seed.py`; `act` is done on the page before it is looked at.  `{name}` in a path stands for
one of the addresses that the seed tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.texts import LONG_ORG, LONG_REPO, LONG_USER
from tests.support.hub import PASSWORD

Act = Callable[[Page], None]
RESEARCH = "/lab/research"
WILD = f"/{LONG_ORG}/{LONG_REPO}"


def unfold(page: Page) -> None:
    """Open all that is folded, except menus, which would lie over the rest."""
    page.locator("details:not(.menu)").evaluate_all("all => all.forEach((one) => { one.name = ''; one.open = true; })")


def menu(page: Page) -> None:
    page.locator(".site-nav summary").click()


def branches(page: Page) -> None:
    page.locator(".file-head summary").click()


def only_the_first_lines(page: Page) -> None:
    """The other thousands look alike, and take axe and the picture a minute."""
    page.locator(".source .line").evaluate_all("all => all.slice(40).forEach((line) => line.remove())")


def sending(button: str, within: str = "main", **given: str) -> Act:
    """Fill in fields by their label, `_` for a space, and press; the server, not the browser, says what is wrong."""

    def act(page: Page) -> None:
        page.locator("form").evaluate_all("all => all.forEach((form) => { form.noValidate = true; })")
        for label, text in given.items():
            page.locator(within).get_by_label(label.replace("_", " "), exact=True).fill(text)
        page.locator(within).get_by_role("button", name=button, exact=True).click()
        page.wait_for_load_state()

    return act


def of_an_old_version(page: Page) -> None:
    """Send the gate's form as it was before the authors changed it."""
    page.locator("#gate form").evaluate("form => { form.action = form.action.replace(/form=.*/, 'form=old'); }")
    sending("Agree and send request", Affiliation="Université")(page)


def without_its_cookie(page: Page) -> None:
    page.context.clear_cookies(name="gatehub_csrf")
    sending("Save")(page)


def end_session(page: Page) -> None:
    """Once the preview has its pictures: one that comes into sight later is refused, and a complaint."""
    page.locator("#edit-preview img").evaluate_all(
        "(pictures) => Promise.allSettled(pictures.map((one) => { one.loading = 'eager'; return one.decode(); }))"
    )
    page.context.clear_cookies(name="gatehub_session")


def preview_without_session(page: Page) -> None:
    end_session(page)
    page.locator("#edit-text").fill("# Typed")
    page.locator("#edit-findings [role=alert]").wait_for()


def too_long_without_session(page: Page) -> None:
    end_session(page)
    page.locator("#edit-text").evaluate("text => { text.value = 'x'.repeat(600 * 1024); }")
    sending("Commit to main")(page)


def first_step(name: str) -> Act:
    """Sign in with the password; the second factor is asked for then."""
    return sending("Sign in", Username_or_email=name, Password=PASSWORD)


def wrong_code(name: str) -> Act:
    def act(page: Page) -> None:
        first_step(name)(page)
        sending("Sign in", **{"Code of the app, or a recovery code": "000000"})(page)

    return act


def confirmed(then: Act | None = None) -> Act:
    """Give the password once more, unless another row has done so just now, and go on."""

    def act(page: Page) -> None:
        if "/account/confirm" in page.url:
            sending("Confirm", Password=PASSWORD)(page)
        if then:
            then(page)

    return act


def wrong_code_of_a_new_app(page: Page) -> None:
    sending("Switch it on", Code_that_the_app_shows="1")(page)


def without_a_key(page: Page) -> None:
    """Here it has no name and no https, so that no browser would use a key."""
    page.get_by_role("button", name="Use a security key").click()
    page.locator("[data-problem]").wait_for()


def too_late(page: Page) -> None:
    """Save what was opened at a commit that is not the newest."""
    page.locator("[name=parent]").evaluate("(parent) => { parent.value = '0'.repeat(40); }")
    sending("Commit to main", **{"README.md": "# Mine\n"})(page)


def tick_and_give_a_reason(page: Page) -> None:
    for box in page.locator("#requests input[name=request]").all()[:2]:
        box.check()
    page.locator("#requests .why summary").nth(1).click()


def decide_about_all(page: Page) -> None:
    page.get_by_label("All ").check()
    page.locator("#bulk").get_by_role("button", name="Reject").click()
    page.wait_for_load_state()


def decide_about_nobody(page: Page) -> None:
    """As if all who asked before the page was shown were decided meanwhile."""
    page.locator("#bulk [name=until]").evaluate("until => { until.value = '2020-01-01T00:00:00+00:00'; }")
    decide_about_all(page)


def show_the_whole_answer(page: Page) -> None:
    page.get_by_role("link", name="Show the whole answer").click()
    page.get_by_text("20. We measure").wait_for()


def to_the_last_page(page: Page) -> None:
    page.locator("#requests .pager").get_by_role("link", name="Next").click()
    page.locator("#requests .pager").get_by_role("link", name="Previous").wait_for()


def again_and_again(page: Page) -> None:
    """Until the server has enough of it."""
    for _ in range(6):
        sending("Save the password", Current_password="wrong")(page)


@dataclass(frozen=True)
class Row:
    name: str
    path: str
    who: str = ""
    status: int = 200
    act: Act | None = None


PAGES = [
    # Lists.
    Row("home", "/"),
    Row("home-signed-in", "/", "ada"),
    Row("home-menu", "/", LONG_USER, act=menu),
    Row("models", "/models", act=unfold),
    Row("models-second-page", "/models?page=2", "ada"),
    Row("models-search", "/models?search=research&author=lab&gated=yes&filter=license%3Aapache-2.0&filter=small"),
    Row("models-long", f"/models?author={LONG_ORG}&search={LONG_REPO}", LONG_USER, act=unfold),
    Row("models-nothing", f"/models?search={'nothing' * 20}&filter={'t' * 200}"),
    Row("datasets", "/datasets", "ada", act=unfold),
    Row("namespace-organization", "/lab"),
    Row("namespace-long", f"/{LONG_ORG}", LONG_USER),
    Row("namespace-person", "/ada", "ada"),
    Row("namespace-bare", "/nia"),
    Row("namespace-bare-organization", "/bare-org", "ada"),
    # The way in.
    Row("login", "/login?next=/new"),
    Row("login-refused", "/login", act=sending("Sign in", Username_or_email="nobody", Password="wrong")),
    Row("signup", "/signup"),
    Row("signup-refused", "/signup", act=sending("Create account", Username="a b", Email="x", Full_name="Z")),
    Row("sign-in-with", "/login/with/company?next=/new"),
    Row("sign-in-with-failed", "/login/with/company/back?code=1", status=401),
    Row("sign-in-with-nobody", "/login/with/nobody", status=404),
    Row("signup-finish", "/signup/finish", "newcomer"),
    Row("signup-finish-refused", "/signup/finish", "newcomer", act=sending("Create account", Username="settings")),
    Row("logout", "/logout", "ada"),
    Row("verify-sent", "/account/verify"),
    Row("verify", "/account/verify/{verify_key}"),
    Row("verify-broken-link", "/account/verify/x"),
    Row("inactive", "/account/inactive"),
    Row("confirm-it-is-you", "/account/confirm", "ada"),
    Row("second-factor", "/login?next=/new", act=first_step("stella")),
    Row("second-factor-refused", "/login", act=wrong_code("stella")),
    Row("confirm-code", "/account/confirm/code", "stella"),
    Row("confirm-key", "/account/confirm/key", "stella", act=without_a_key),
    Row("password-reset", "/password/reset"),
    Row("password-reset-refused", "/password/reset", act=sending("Send the link", Email="x")),
    Row("password-reset-sent", "/password/reset/sent"),
    Row("password-reset-form", "/password/reset/{una}-{reset_key}"),
    Row("password-reset-broken-link", "/password/reset/1-x"),
    Row("password-reset-done", "/password/reset/done"),
    Row("device", "/device", "ada"),
    Row("device-code", "/device?code={device_code}", "ada"),
    Row("device-wrong-code", "/device?code=XXXX-XXXX", "ada", 404),
    Row("device-approved", "/device?code={device_approved}", "ada", act=sending("Approve")),
    Row("device-denied", "/device?code={device_denied}", "ada", act=sending("Deny")),
    # My things.
    Row("profile", "/settings/profile", LONG_USER),
    Row("profile-refused", "/settings/profile", LONG_USER, 400, sending("Save", Full_name="\u200b\u202e")),
    Row("addresses", "/settings/addresses", "una"),
    Row("addresses-stopped", "/settings/addresses", LONG_USER),
    Row("addresses-refused", "/settings/addresses", "una", act=sending("Add", Email="x")),
    Row("mail-settings", "/settings/notifications", "ada"),
    Row("mail-settings-saved", "/settings/notifications", "wes", act=sending("Save")),
    Row("mail-settings-stopped", "/settings/notifications", LONG_USER),
    Row("password", "/settings/password", "ada"),
    Row("password-refused", "/settings/password", "ada", act=sending("Save the password", Current_password="wrong")),
    Row("password-first", "/settings/password/set", "pia"),
    Row("security", "/settings/security", "stella"),
    Row("connections", "/settings/connections", "pia"),
    Row("connections-none", "/settings/connections", "ada"),
    Row("security-none", "/settings/security", "ada"),
    Row("security-unverified", "/settings/security", "una"),
    Row("security-app", "/settings/security/app", "wes", act=confirmed(unfold)),
    Row(
        "security-app-refused",
        "/settings/security/app",
        "wes",
        act=confirmed(sending("Switch it on", Code_that_the_app_shows="1")),
    ),
    Row("security-app-remove", "/settings/security/app/remove", "stella-confirmed"),
    Row("security-key-add", "/settings/security/keys/add", "rea", act=confirmed()),
    Row("security-key-rename", "/settings/security/keys/{key}/rename", "stella-confirmed"),
    Row("security-key-remove", "/settings/security/keys/{key}/remove", "stella-confirmed"),
    Row("security-codes", "/settings/security/recovery-codes", "stella-confirmed"),
    Row("security-codes-new", "/settings/security/recovery-codes/new", "stella-confirmed"),
    Row("tokens", "/settings/tokens", "ada"),
    Row("tokens-fine-grained", "/settings/tokens", "ada", act=lambda page: page.get_by_label("Fine-grained").check()),
    Row("tokens-refused", "/settings/tokens", "ada", 400, sending("Create token", Name="laptop")),
    Row("tokens-made", "/settings/tokens", "rea", act=sending("Create token", Name="laptop")),
    Row("tokens-none", "/settings/tokens", "nia"),
    Row("my-requests", "/settings/requests", "jun"),
    Row("my-requests-pending", "/settings/requests", "noor"),
    Row("my-requests-accepted", "/settings/requests?status=accepted", "sam"),
    Row("my-requests-none", "/settings/requests", "nia"),
    Row("my-requests-none-of-this-state", "/settings/requests?status=rejected", "noor"),
    Row("my-organizations", "/settings/organizations", "ada", act=unfold),
    Row("my-organizations-long", "/settings/organizations", LONG_USER, act=unfold),
    Row("my-organizations-none", "/settings/organizations", "nia"),
    Row("new", "/new", "ada"),
    Row("new-refused", "/new?type=dataset", "ada", 400, sending("Create", Name="a b")),
    # Organizations.
    Row("organization-new", "/organizations/new", "ada"),
    Row("organization-new-refused", "/organizations/new", "ada", 400, sending("Create", Name="a b")),
    Row("members", "/organizations/lab/members"),
    Row("members-member", "/organizations/lab/members", "rea"),
    Row("members-admin", "/organizations/lab/members?user=re&role=write", "ada"),
    Row("members-nobody-found", "/organizations/lab/members?user=nobody-of-this-name", "ada"),
    Row(
        "members-not-added",
        "/organizations/lab/members",
        "ada",
        409,
        sending("Add member", "#add", **{"User name, or a part of their name": "wes"}),
    ),
    Row("members-long", f"/organizations/{LONG_ORG}/members?user=e", LONG_USER),
    Row("organization-settings", "/organizations/lab/settings", "ada"),
    Row("organization-settings-long", f"/organizations/{LONG_ORG}/settings", LONG_USER),
    Row("organization-not-deleted", "/organizations/bare-org/settings", "ada", 400, sending("Delete", "#delete")),
    Row("organization-not-allowed", "/organizations/lab/settings", "rea", 403),
    # A repo's card and gate.
    Row("card-stranger", RESEARCH),
    Row("card-form", RESEARCH, "nia", act=unfold),
    Row("card-form-refused", RESEARCH, "nia", 400, sending("Agree and send request", Affiliation="Université")),
    Row("card-form-changed", RESEARCH, "nia", 409, of_an_old_version),
    Row("card-pending", RESEARCH, "noor"),
    Row("card-accepted", RESEARCH, "sam", act=unfold),
    Row("card-rejected", RESEARCH, "jun"),
    Row("card-unverified", RESEARCH, "una"),
    Row("card-member", RESEARCH, "rea"),
    Row("card-owner", RESEARCH, "ada"),
    Row("wild-form", WILD, "nia", act=unfold),
    Row("wild-rejected", WILD, "jun"),
    Row("wild-owner", WILD, "ada"),
    Row("card-automatic", "/datasets/lab/automatic", "nia"),
    Row("card-open-dataset", "/datasets/lab/rows"),
    Row("card-empty-owner", "/lab/empty", "ada"),
    Row("card-empty", "/lab/empty"),
    Row("card-broken-owner", "/lab/broken", "ada"),
    Row("card-any-html", "/lab/any-html", "noor"),
    Row("card-any-html-owner", "/lab/any-html", "ada"),
    Row("card-disabled", "/lab/disabled"),
    Row("card-hidden-owner", "/lab/hidden", "ada"),
    # The editor of the card.
    Row("edit", f"{RESEARCH}/edit/main/README.md", "ada"),
    Row("edit-wild", f"{WILD}/edit/main/README.md", "ada"),
    Row("edit-first", "/lab/empty/edit/main/README.md", "ada"),
    Row("edit-broken", "/lab/broken/edit/main/README.md", "ada"),
    Row(
        "edit-refused",
        f"{RESEARCH}/edit/main/README.md",
        "ada",
        400,
        sending("Commit to main", **{"README.md": "---\nextra_gated_fields:\n  Company: nonsense\n---\n"}),
    ),
    Row("edit-meanwhile", f"{RESEARCH}/edit/main/README.md", "ada", 409, too_late),
    Row("edit-signed-out", f"{RESEARCH}/edit/main/README.md", "ada", act=preview_without_session),
    Row("edit-not-kept", f"{RESEARCH}/edit/main/README.md", "ada", 413, too_long_without_session),
    Row("edit-closed", "/lab/latin/edit/main/README.md", "ada"),
    # Files and versions.
    Row("files", "/lab/files/tree/main", "ada"),
    Row("files-menu", "/lab/files/tree/main/a%20folder%20with%20words", act=branches),
    Row("files-last", "/lab/files/tree/main?after=source.py"),
    Row("files-closed", f"{RESEARCH}/tree/main", "nia"),
    Row("file-card", "/lab/files/blob/main/README.md", "ada"),
    Row("file-source", "/lab/files/blob/main/source.py"),
    Row("file-picture", "/lab/files/blob/main/picture.svg"),
    Row("file-binary", "/lab/files/blob/main/noise.dat"),
    Row("file-large", "/lab/files/blob/main/weights.bin"),
    Row("file-empty", "/lab/files/blob/main/empty.txt"),
    Row("file-in-part", "/lab/kinds/blob/main/log.csv", act=only_the_first_lines),
    Row("file-by-a-guess", "/lab/kinds/blob/main/caf%C3%A9.txt"),
    Row("file-picture-too-large", "/lab/kinds/blob/main/scan.png"),
    Row("file-deep", "/lab/files/blob/main/a%20folder%20with%20words/and/another%20folder/deep.txt"),
    Row("commits", "/lab/files/commits/main"),
    Row("commits-of-a-file", "/lab/files/commits/main/source.py"),
    Row("commits-of-nothing", "/lab/files/commits/main/never.txt"),
    Row("commit", "/lab/files/commit/{commit}"),
    # Settings and review.
    Row("settings", f"{RESEARCH}/settings", "ada"),
    Row("settings-unfolded", f"{RESEARCH}/settings?q=reader-1&sort=newest&age=over-7d", "ada", act=unfold),
    Row("settings-accepted", f"{RESEARCH}/settings?status=accepted", "ada"),
    Row("settings-rejected", f"{RESEARCH}/settings?status=rejected", "ada", act=unfold),
    Row("settings-ticked", f"{RESEARCH}/settings?q=reader-1&show=answers", "ada", act=tick_and_give_a_reason),
    Row("settings-last-page", f"{RESEARCH}/settings?age=30d", "ada", act=to_the_last_page),
    Row("settings-long-answer", f"{RESEARCH}/settings?q=noor&show=answers", "ada"),
    Row("settings-whole-answer", f"{RESEARCH}/settings?q=noor&show=answers", "ada", act=show_the_whole_answer),
    Row("whole-answer", f"{RESEARCH}/settings/answers/{{long_answer}}/{{long_number}}?q=noor", "ada"),
    Row("whole-answer-wild", f"{WILD}/settings/answers/{{wild_answer}}/{{wild_number}}", "ada"),
    Row("whole-answer-none", f"{RESEARCH}/settings/answers/{{long_answer}}/99", "ada", 404),
    Row("settings-nothing-found", f"{RESEARCH}/settings?q=nothing&country=FR&user=reader", "ada"),
    Row("settings-wild", f"{WILD}/settings", "ada", act=unfold),
    Row("settings-wild-rejected", f"{WILD}/settings?status=rejected", "ada", act=unfold),
    Row("history", f"{RESEARCH}/settings/history", "ada"),
    Row("history-nothing-found", f"{RESEARCH}/settings/history?kind=repo&person=nobody", "ada"),
    Row("history-wild", f"{WILD}/settings/history", "ada"),
    Row("settings-quiet", "/lab/quiet/settings", "ada"),
    Row("settings-not-gated", "/lab/files/settings", "ada"),
    Row("settings-automatic", "/datasets/lab/automatic/settings", "ada"),
    Row("settings-broken-card", "/lab/broken/settings", "ada"),
    Row("settings-any-html", "/lab/any-html/settings", "ada", act=unfold),
    Row("settings-europe", "/lab/elsewhere/settings", "ada", act=unfold),
    Row("settings-disabled", "/lab/disabled/settings", "ada"),
    Row("settings-private", "/lab/hidden/settings", "ada"),
    Row("settings-queue", "/lab/queue/settings", "ada"),
    Row("settings-mail-not-sent", "/lab/unsent/settings", "ada"),
    Row("settings-bad-address", "/lab/quiet/settings", "ada", 400, sending("Save", Send_them_to="x")),
    Row("settings-bad-name", "/lab/quiet/settings", "ada", 400, sending("Move", "#move", Name="a b")),
    Row("settings-not-confirmed", "/lab/quiet/settings", "ada", 400, sending("Delete", "#delete")),
    Row("bulk-confirm", f"{RESEARCH}/settings?q=reader-1", "ada", act=decide_about_all),
    Row("bulk-running", "/lab/busy/settings/bulk/{bulk_running}", "ada"),
    Row("bulk-done", f"{RESEARCH}/settings/bulk/{{bulk_done}}", "ada"),
    Row("bulk-nobody", f"{RESEARCH}/settings?q=reader-1", "ada", act=decide_about_nobody),
    Row("bulk-stopped", "/lab/queue/settings/bulk/{bulk_stopped}", "ada"),
    # What the reader of an address for notifications is asked.
    Row("address-waiting", "/notifications/address/{address_waiting}"),
    Row("address-confirmed", "/notifications/address/{address_confirmed}"),
    Row("address-refused", "/notifications/address/{address_refused}", "ada"),
    Row("address-broken-link", "/notifications/address/x", status=404),
    Row("unsubscribe", "/notifications/unsubscribe/{unsubscribe_noor}"),
    Row("unsubscribe-long", "/notifications/unsubscribe/{unsubscribe_long}"),
    Row("unsubscribe-off", "/notifications/unsubscribe/{unsubscribe_pia}", act=sending("Switch these mails off")),
    Row("unsubscribe-address", "/notifications/unsubscribe/{unsubscribe_desk}"),
    Row("unsubscribe-address-off", "/notifications/unsubscribe/{unsubscribe_refused}"),
    Row("unsubscribe-broken-link", "/notifications/unsubscribe/x", status=404),
    # Refusals.
    Row("missing-page", "/lab/files/there/is/nothing", status=404),
    Row("missing-repo", f"/lab/{'missing' * 8}", "ada", 404),
    Row("missing-file", "/lab/files/blob/main/missing.txt", status=404),
    Row("missing-branch", "/lab/files/tree/nowhere", status=404),
    Row("missing-person", "/nobody-of-this-name", status=404),
    Row("gated-file", f"{RESEARCH}/blob/main/config.json", "nia", 403),
    Row("gated-file-stranger", f"{RESEARCH}/blob/main/config.json", status=401),
    Row("not-allowed", f"{RESEARCH}/settings", "nia", 403),
    Row("forms-only", f"{RESEARCH}/edit/preview", "ada", 405),
    Row("missing-long", f"/{LONG_ORG}/{LONG_REPO}s/tree/main/{'folder/' * 30}{'x' * 120}", LONG_USER, 404),
    Row("too-many-attempts", "/settings/password", "rea", 429, again_and_again),
    Row("server-error", "/lab/lost", "ada", 500),
    Row("form-without-its-cookie", "/settings/profile", "ada", 403, without_its_cookie),
    # The API.
    Row("api-reference", "/api/docs"),
]

IN_UNION = [
    # On a server within the European Union which knows countries, where nobody can sign up.
    Row("signup-closed", "/signup"),
    Row("card-not-in-this-region", "/lab/elsewhere", "nia"),
    Row("card-location", RESEARCH, "nia", act=unfold),
    Row("settings-in-the-union", "/lab/elsewhere/settings", "ada", act=unfold),
]
UNREADABLE_COUNTRIES = [
    # On the same one, whose database of countries cannot be read.
    Row("card-unreadable-countries", "/lab/elsewhere", "nia"),
    Row("settings-unreadable-countries", "/lab/elsewhere/settings", "ada", act=unfold),
]
