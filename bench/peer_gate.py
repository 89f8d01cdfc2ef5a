"""The peer of the gate: what one writes by hand with FastAPI, on the product's own tables, in one query.

    DATABASE_URL=postgres://… FILES=folder uvicorn bench.peer_gate:app --workers 2

It knows Bearer tokens, accepted requests, members, and files in one folder; nothing is logged, and nothing is counted.
Its packages are in `requirements-peers.txt`, and in no environment of the product.
"""

import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from fastapi import FastAPI, HTTPException, Request, Response

FILES = Path(os.environ["FILES"])
ASKED = """
SELECT r.head_sha, r.gated = 'no' AND NOT r.private
    OR n.user_id = t.user_id
    OR EXISTS (SELECT FROM accounts_membership m
               WHERE m.organization_id = n.organization_id AND m.user_id = t.user_id)
    OR EXISTS (SELECT FROM access_accessrequest a
               WHERE a.repo_id = r.id AND a.user_id = t.user_id AND a.status = 'accepted') AS may
FROM access_accesstoken t JOIN accounts_user u ON u.id = t.user_id,
     accounts_namespace n JOIN repos_repo r ON r.namespace_id = n.id
WHERE t.sha256 = $1 AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.is_active
  AND lower(n.name) = $2 AND lower(r.name) = $3 AND r.type = 'model' AND NOT r.disabled
"""
# The rule in WHERE would be tried on every user: PostgreSQL took 43 ms for that.


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=16) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.api_route("/{namespace}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
async def resolve(namespace: str, name: str, revision: str, path: str, request: Request) -> Response:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    digest = hashlib.sha256(token.encode()).hexdigest()
    repo = await app.state.pool.fetchrow(ASKED, digest, namespace.lower(), name.lower())
    if repo is None or not repo["may"]:
        raise HTTPException(403)
    file = (FILES / path).resolve()
    if FILES not in file.parents or not file.is_file():
        raise HTTPException(404)
    contents = file.read_bytes()
    headers = {
        "ETag": f'"{hashlib.sha1(contents).hexdigest()}"',  # noqa: S324 - as git names it.
        "X-Repo-Commit": repo["head_sha"],
        "Content-Length": str(len(contents)),
        "Content-Type": "application/octet-stream",
    }
    return Response(b"" if request.method == "HEAD" else contents, headers=headers)
