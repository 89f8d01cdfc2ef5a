"""Addresses of pages.  Fixed ones first; repo ids and namespaces, which match anything, last."""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.webauthn import views as webauthn
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.generic import RedirectView

from gatehub.hub.base import web_repo_paths
from gatehub.sign_in import GITHUB
from gatehub.web import (
    addresses,
    bulk,
    connections,
    device,
    editor,
    files,
    history,
    lists,
    me,
    new,
    notification_address,
    notifications,
    organizations,
    repo,
    review,
    security,
    settings,
)
from gatehub.web.account_trail import kept_together

_ACCOUNT: list[URLPattern] = [
    # django-allauth's views under addresses of ours; it finds them by these names.
    path("login", account.login, name="account_login"),
    path("signup", account.signup, name="account_signup"),
    path("join", RedirectView.as_view(pattern_name="account_signup", query_string=True)),
    path("logout", account.logout, name="account_logout"),
    path("account/inactive", account.account_inactive, name="account_inactive"),
    path("account/confirm", account.reauthenticate, name="account_reauthenticate"),
    path("account/verify", account.email_verification_sent, name="account_email_verification_sent"),
    re_path(
        r"^account/verify/(?P<key>[-:\w]+)$",
        kept_together(addresses.ConfirmPage.as_view()),
        name="account_confirm_email",
    ),
    path("account/code", account.confirm_login_code, name="account_confirm_login_code"),
    path("settings/addresses", kept_together(addresses.AddressesPage.as_view()), name="account_email"),
    path("settings/addresses/use-again", addresses.use_again, name="use_address_again"),
    path("settings/password", kept_together(account.password_change), name="account_change_password"),
    path("settings/password/set", kept_together(account.password_set), name="account_set_password"),
    path("password/reset", account.password_reset, name="account_reset_password"),
    path("password/reset/sent", account.password_reset_done, name="account_reset_password_done"),
    path("password/reset/done", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    re_path(
        r"^password/reset/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        kept_together(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
]

_ELSEWHERE: list[URLPattern] = [
    # Under the names by which django-allauth finds them.
    path("login/with/<slug:provider_id>", connections.start, name="sign_in_with"),
    path("login/with/github/back", connections.back, {"provider_id": GITHUB}, name="github_callback"),
    path("login/with/<slug:provider_id>/back", connections.back, name="openid_connect_callback"),
    path("signup/finish", connections.sign_up, name="socialaccount_signup"),
    path("settings/connections", connections.page, name="socialaccount_connections"),
    path("settings/connections/<int:key>/remove", connections.remove, name="remove_connection"),
]

_SECOND_FACTORS: list[URLPattern] = [
    path("login/factor", mfa.authenticate, name="mfa_authenticate"),
    path("account/confirm/code", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("account/confirm/key", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("settings/security", security.index, name="mfa_index"),
    path("settings/security/app", security.add_app, name="mfa_activate_totp"),
    path("settings/security/app/remove", security.remove_app, name="mfa_deactivate_totp"),
    path("settings/security/recovery-codes", security.recovery_codes, name="mfa_view_recovery_codes"),
    path("settings/security/recovery-codes/new", security.new_recovery_codes, name="mfa_generate_recovery_codes"),
    path("settings/security/keys", RedirectView.as_view(pattern_name="mfa_index"), name="mfa_list_webauthn"),
    path("settings/security/keys/add", security.add_key, name="mfa_add_webauthn"),
    path("settings/security/keys/<int:pk>/rename", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
    path("settings/security/keys/<int:pk>/remove", security.remove_key, name="mfa_remove_webauthn"),
]

_MINE: list[URLPattern] = [
    path("settings", RedirectView.as_view(pattern_name="profile")),
    path("settings/profile", me.profile, name="profile"),
    path("settings/tokens", me.token_list, name="tokens"),
    path("settings/tokens/<int:key>/revoke", me.revoke_token, name="revoke_token"),
    path("settings/requests", me.my_requests, name="my_requests"),
    path("settings/organizations", organizations.mine, name="my_organizations"),
    path("settings/notifications", notifications.settings_page, name="mail_settings"),
    path("new", new.new, name="new"),
    path("device", device.device_page, name="device"),
    path("notifications/address/<segment:token>", notification_address.confirm, name="confirm_notification_address"),
    path("notifications/unsubscribe/<segment:token>", notifications.unsubscribe, name="unsubscribe"),
]

_ORGANIZATIONS: list[URLPattern] = [
    path("organizations", RedirectView.as_view(pattern_name="my_organizations")),
    path("organizations/new", organizations.new, name="new_organization"),
    path("organizations/<segment:name>", RedirectView.as_view(pattern_name="namespace")),
    path("organizations/<segment:name>/settings", organizations.settings, name="organization_settings"),
    path("organizations/<segment:name>/settings/delete", organizations.delete, name="delete_organization"),
    path("organizations/<segment:name>/members", organizations.members, name="organization_members"),
    path("organizations/<segment:name>/members/people", organizations.people, name="people_to_add"),
    path("organizations/<segment:name>/members/add", organizations.add, name="add_member"),
    path("organizations/<segment:name>/members/role", organizations.change_role, name="change_role"),
    path("organizations/<segment:name>/members/remove", organizations.remove, name="remove_member"),
    path("organizations/<segment:name>/leave", organizations.leave, name="leave_organization"),
]

dataset_card, model_card = web_repo_paths("", repo.card, name="repo")
"""`/datasets/{ns}/{name}` comes before all others: a dataset may be called as what follows a model's id, such as
`lab/settings`, and no model is in a namespace `datasets`."""

urlpatterns: list[URLPattern | URLResolver] = [
    path("", lists.home, name="home"),
    path("models", lists.repos, {"repo_type": "model"}, name="models"),
    path("datasets", lists.repos, {"repo_type": "dataset"}, name="datasets"),
    *_ACCOUNT,
    *_ELSEWHERE,
    *_SECOND_FACTORS,
    *_MINE,
    *_ORGANIZATIONS,
    *web_repo_paths("tree/<rest:rest>", files.tree, name="tree"),
    *web_repo_paths("blob/<rest:rest>", files.blob, name="blob"),
    *web_repo_paths("commits/<rest:rest>", files.commits, name="commits"),
    *web_repo_paths("commit/<segment:sha>", files.commit, name="commit"),
    *web_repo_paths("edit/main/README.md", editor.edit, name="edit_card"),
    *web_repo_paths("edit/preview", editor.preview),
    *web_repo_paths("withdraw-request", repo.withdraw, name="withdraw"),
    *web_repo_paths("settings", settings.page, name="repo_settings"),
    *web_repo_paths("settings/change", settings.change),
    *web_repo_paths("settings/confirm-address", settings.confirm_address),
    *web_repo_paths("settings/history", history.page, name="repo_history"),
    *web_repo_paths("settings/history/download", history.download),
    *web_repo_paths("settings/move", settings.move),
    *web_repo_paths("settings/delete", settings.delete),
    *web_repo_paths("settings/review", review.decide),
    *web_repo_paths("settings/answers/<segment:request_id>/<int:number>", review.answer),
    *web_repo_paths("settings/grant", review.grant),
    *web_repo_paths("settings/people", review.people),
    *web_repo_paths("settings/accept-queue", bulk.accept_queue),
    *web_repo_paths("settings/bulk", bulk.decide),
    *web_repo_paths("settings/bulk/<int:key>", bulk.progress),
    *web_repo_paths("settings/bulk/<int:key>/stop", bulk.stop),
    model_card,
    *web_repo_paths("tree", files.at_main, extra={"what": "tree"}),
    *web_repo_paths("commits", files.at_main, extra={"what": "commits"}),
    path("<segment:name>", lists.namespace, name="namespace"),
]
