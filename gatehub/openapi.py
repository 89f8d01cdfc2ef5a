"""What drf-spectacular must be told to describe the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

# Operations by their ids, in the order of the reference, and what each does.
OPERATIONS = {
    "Access requests": {
        "post_ask_access_repo": "Ask for access to a model",
        "post_datasets_repo_ask_access": "Ask for access to a dataset",
        "post_repo_type_repo_user_access_request_cancel": "Take back a request of one's own",
        "get_repo_type_repo_user_access_request_status": "List requests",
        "post_repo_type_repo_user_access_request_handle": "Accept or reject a request, or put it back",
        "post_repo_type_repo_user_access_request_batch": "Accept or reject up to a hundred requests",
        "post_repo_type_repo_user_access_request_grant": "Give a person access",
        "get_user_access_report_repo": "Report of a model's requests",
        "get_datasets_repo_user_access_report": "Report of a dataset's requests",
    },
    "Repos": {
        "get_repo_type": "List and search models or datasets",
        "get_repo_type_repo": "Read about a repo",
        "get_repo_type_repo_revision_revision": "Read about a repo at a revision",
        "post_repos_create": "Create a repo",
        "put_repo_type_repo_settings": "Change visibility, gate and notifications",
        "post_repos_move": "Move or rename a repo",
        "delete_repos_delete": "Delete a repo",
        "get_settings_repositories": "List one's own repos with their sizes",
        "get_organizations_repo_settings_repositories": "List an organization's repos with their sizes",
    },
    "Files": {
        "get_repo_type_repo_auth_check": "Ask whether one may download",
        "get_repo_type_repo_auth_check_write": "Ask whether one may upload",
        "get_resolve_repo_rest": "Download a file of a model",
        "get_datasets_repo_resolve_rest": "Download a file of a dataset",
        "get_repo_type_repo_tree_rest": "List a folder",
        "post_repo_type_repo_paths_info_revision": "Read about named files and folders",
    },
    "Uploads": {
        "post_validate_yaml": "Check a card before it is uploaded",
        "post_repo_type_repo_preupload_revision": "Ask which way each file is uploaded",
        "post_repo_type_repo_commit_revision": "Commit files",
        "get_repo_type_repo_xet_write_token_revision": "Get a token for the Xet service",
    },
    "Branches, tags and history": {
        "get_repo_type_repo_refs": "List branches and tags",
        "get_repo_type_repo_commits_revision": "List commits",
        "post_repo_type_repo_branch_ref": "Create a branch",
        "delete_repo_type_repo_branch_ref": "Delete a branch",
        "post_repo_type_repo_tag_ref": "Create a tag",
        "delete_repo_type_repo_tag_ref": "Delete a tag",
        "post_repo_type_repo_super_squash_branch": "Make one commit of a branch's history",
    },
    "People, organizations and signing in": {
        "get_whoami_v2": "Ask whose token this is",
        "get_users_repo_overview": "Read about a person",
        "get_organizations_repo_overview": "Read about an organization",
        "post_oauth_device": "Begin to sign in a device",
        "post_oauth_token": "Get the token of a device, once it is approved",
    },
}
# Bodies of which no serializer tells the shape, and those that drf-spectacular leaves out: what one may send.
EXAMPLES: dict[str, dict[str, Any]] = {
    "post_ask_access_repo": {"Company": "Example Ltd", "I agree": "on"},
    "post_datasets_repo_ask_access": {"Company": "Example Ltd", "I agree": "on"},
    "post_repo_type_repo_user_access_request_handle": {"status": "accepted", "user": "jo"},
    "post_repo_type_repo_user_access_request_batch": {
        "status": "rejected", "rejectionReason": "For staff of universities only.", "requests": [{"user": "jo"}],
    },
    "post_repo_type_repo_user_access_request_grant": {"user": "jo"},
    "post_repos_create": {"name": "new-model", "organization": "lab", "type": "model", "visibility": "private"},
    "post_repos_move": {"fromRepo": "lab/model", "toRepo": "lab/new-name", "type": "model"},
    "delete_repos_delete": {"name": "model", "organization": "lab", "type": "model"},
    "put_repo_type_repo_settings": {"gated": "manual", "visibility": "public"},
    "post_repo_type_repo_paths_info_revision": {"paths": ["README.md"], "expand": True},
    "post_validate_yaml": {"content": "---\nlicense: apache-2.0\n---\n# Model", "repoType": "model"},
    "post_repo_type_repo_preupload_revision": {
        "files": [{"path": "config.json", "size": 3, "sample": "e30K"}],
    },
    "post_repo_type_repo_branch_ref": {"startingPoint": "main"},
    "post_repo_type_repo_tag_ref": {"tag": "v1", "message": "The first version"},
    "post_repo_type_repo_super_squash_branch": {"message": "All that was before"},
    "post_oauth_device": {"client_id": "my-tool"},
    "post_oauth_token": {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "my-tool", "device_code": "CODE",
    },
}  # fmt: skip
COMMIT_EXAMPLE = "\n".join(
    [
        '{"key": "header", "value": {"summary": "Add the configuration"}}',
        '{"key": "file", "value": {"path": "config.json", "content": "e30K", "encoding": "base64"}}',
    ]
)
PARAMETERS = {
    "repo_type": "`models` or `datasets`",
    "namespace": "a person or an organization",
    "name": "the repo",
    "revision": "a branch, a tag or a commit",
    "branch": "a branch",
    "status": "`pending`, `accepted` or `rejected`",
}
"""What the parts of an address mean, where the operation itself does not say."""
REST = {"resolve": "`{revision}/{path}` of the file", "tree": "`{revision}`, or `{revision}/{path}` of a folder"}
REF = {
    "post_repo_type_repo_branch_ref": "the branch to create",
    "delete_repo_type_repo_branch_ref": "the branch to delete",
    "post_repo_type_repo_tag_ref": "the revision that is tagged",
    "delete_repo_type_repo_tag_ref": "the tag to delete",
}
_REFUSAL = {
    "description": "Refused.  Nothing has changed.",
    "headers": {
        "X-Error-Code": {
            "description": "The kind of refusal, for programs: `GatedRepo`, `RepoNotFound`, `RevisionNotFound`, "
            "`EntryNotFound` and others.  Missing where the status says it all.",
            "schema": {"type": "string"},
        },
        "X-Error-Message": {"description": "The text of `error`.", "schema": {"type": "string"}},
    },
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"error": {"type": "string", "description": "The cause and the next step."}},
                "required": ["error"],
            }
        }
    },
}


class AccessTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer TOKEN`."""

    target_class = "gatehub.authentication.AccessTokenAuthentication"
    name = "accessToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A user access token, from /settings/tokens."}


class SessionCookieScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Of our class, which drf-spectacular would not know as one of Django REST framework's."""

    target_class = "gatehub.authentication.SessionAuthentication"


class HubSchema(AutoSchema):
    """Operations are named after their address, which no two share: `GET /api/{type}/{ns}/{name}/refs`."""

    def get_operation_id(self) -> str:
        words = [
            part.strip("{}") for part in self.path.strip("/").split("/") if part not in {"api", "{namespace}", "{name}"}
        ]
        if "{name}" in self.path:
            words.insert(1, "repo")
        return "_".join([str(self.method).lower(), *words]).replace("-", "_")


def arrange(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: groups, titles and refusals of all operations, in the order of OPERATIONS."""
    known = {key: (group, title) for group, titles in OPERATIONS.items() for key, title in titles.items()}
    order = list(known)
    for path, operation in _operations(result):
        group, title = known.get(operation["operationId"], ("Others", ""))
        operation["tags"] = [group]
        if title:
            operation["summary"] = title
        operation["responses"].setdefault("default", {"$ref": "#/components/responses/Refusal"})
        _show_body(operation)
        parameters = operation.get("parameters", [])
        in_path = path.replace("{", "/").replace("}", "/").split("/")
        parameters.sort(key=lambda one: in_path.index(one["name"]) if one["in"] == "path" else len(in_path))
        for parameter in parameters:
            _describe(parameter, path, operation["operationId"])

    def place(path: dict[str, Any]) -> int:
        return min(
            (order.index(one["operationId"]) for one in path.values() if one["operationId"] in known), default=99
        )

    result["paths"] = dict(sorted(result["paths"].items(), key=lambda entry: place(entry[1])))
    result["tags"] = [{"name": group} for group in OPERATIONS]
    result["components"].setdefault("responses", {})["Refusal"] = _REFUSAL
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in result["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def _show_body(operation: dict[str, Any]) -> None:
    key = operation["operationId"]
    if key == "post_repo_type_repo_commit_revision":
        content = {"application/x-ndjson": {"schema": {"type": "string"}, "example": COMMIT_EXAMPLE}}
        operation["requestBody"] = {"content": content, "required": True}
    elif key in EXAMPLES:
        body = operation.setdefault("requestBody", {"content": {}})
        body["content"].setdefault("application/json", {"schema": {"type": "object"}})["example"] = EXAMPLES[key]


def _describe(parameter: dict[str, Any], path: str, operation_id: str) -> None:
    """What a part of the address means."""
    if parameter["in"] != "path" or "description" in parameter:
        return
    name = parameter["name"]
    if name == "rest":
        text = next(text for part, text in REST.items() if f"/{part}/" in path)
    elif name == "ref":
        text = REF[operation_id]
    elif name == "name" and "{namespace}" not in path:
        text = "an organization" if "/organizations/" in path else "a person"
    else:
        text = PARAMETERS[name]
    parameter["description"] = text
