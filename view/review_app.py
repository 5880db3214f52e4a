"""The page on which one person reviews a bench; around it is the page over the dataset.

Verdicts come from this page alone: of its own origin, with a word that only it was told.
"""

import secrets
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.routing import Mount, Route

from tasks.errors import UserError
from tasks.reviewing.verdict import REASONS, Opinion
from view.app import HEADERS, LOOPBACK, WithHeaders
from view.app import application as dataset_pages
from view.desk import Desk, Standing
from view.looked_at import LookedAt
from view.wording import PAGES, page_templates

TOKEN_HEADER = "x-review-token"
MOST_SENT_BYTES = 4_096
_POLICY = "Content-Security-Policy"
_HEADERS = HEADERS | {_POLICY: f"{HEADERS[_POLICY]}; connect-src 'self'"}  # it sends verdicts


class Sent(Opinion):
    """What the page sends: an opinion, and of which item."""

    item: str


def application(desk: Desk, looked_at: LookedAt, host: str = "127.0.0.1") -> Starlette:
    """Return the web application of one reviewer, with a token of its own."""
    pages = _Pages(desk, looked_at)
    routes = [
        Route("/", pages.first),
        Route("/item/{item}", pages.item),
        Route("/verdict", pages.verdict, methods=["POST"]),
        Route("/review.css", lambda _: FileResponse(PAGES / "review.css")),
        Route("/review.js", lambda _: FileResponse(PAGES / "review.js")),
        Mount("/", dataset_pages(looked_at, host)),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(WithHeaders, headers=_HEADERS),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, host], www_redirect=False),
        ],
        exception_handlers=dict.fromkeys((UserError, OSError, pa.ArrowException), _failed),
    )


async def _failed(request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}", status_code=500)


class _Pages:
    """One method a page; a method without `async` runs in a thread of its own."""

    def __init__(self, desk: Desk, looked_at: LookedAt) -> None:
        self._desk, self._looked_at = desk, looked_at
        self._token = secrets.token_urlsafe()
        self._templates = page_templates()

    def first(self, request: Request) -> Response:
        standing = self._desk.standing()
        if standing.waiting:
            return RedirectResponse(f"/item/{quote(standing.waiting[0])}", status_code=303)
        return self._page("reviewed.html", standing, before=standing.before(""))

    def item(self, request: Request) -> Response:
        id_ = request.path_params["item"]
        known, place = self._desk.items.get(id_), self._looked_at.place(id_)
        if known is None or place is None:
            raise HTTPException(404, f"The bench has no item {id_!r}.")
        standing = self._desk.standing()
        own = standing.judged.get(id_)
        told = {
            "item": id_,
            "token": self._token,
            "letters": known.letters,
            "right": known.right,
            "reasons": REASONS,
            "masks": known.num_masks,
            "own": None if own is None else own.model_dump(mode="json"),
        }
        looked_at = self._looked_at.sample(place)
        before = standing.before(id_)
        return self._page("review.html", standing, told=told, looked_at=looked_at, before=before)

    async def verdict(self, request: Request) -> Response:
        self._check_sender(request)
        try:
            sent = Sent.model_validate_json(await _body(request))
            opinion = Opinion.model_validate(sent.model_dump(exclude={"item"}))
            if sent.item not in self._desk.items:
                raise HTTPException(404, f"The bench has no item {sent.item!r}.")
            await run_in_threadpool(self._desk.judge, sent.item, opinion)
        except ValidationError as error:
            raise HTTPException(400, f"No verdict: {error.errors()[0]['msg']}") from error
        except ValueError as error:
            raise HTTPException(400, f"{error}") from error
        return Response(status_code=204)

    def _check_sender(self, request: Request) -> None:
        """Raise HTTPException where a verdict does not come from this page."""
        own = f"http://{request.headers.get('host', '')}"
        if request.headers.get("origin") != own:
            raise HTTPException(403, "Verdicts are taken from the page alone.")
        token = request.headers.get(TOKEN_HEADER, "")
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            raise HTTPException(403, "The page is of another run: open it again.")
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            raise HTTPException(400, "A verdict is JSON.")

    def _page(self, name: str, standing: Standing, **shown: Any) -> Response:
        text = self._templates.get_template(name).render(
            manifest=self._looked_at.manifest,
            digest=self._looked_at.digest,
            index=self._looked_at.index,
            reviewer=self._desk.reviewer,
            standing=standing,
            **shown,
        )
        return HTMLResponse(text, headers={"Cache-Control": "no-store"})


async def _body(request: Request) -> bytes:
    """Return what was sent; HTTPException where that is more than a verdict can be."""
    sent = b""
    async for piece in request.stream():
        sent += piece
        if len(sent) > MOST_SENT_BYTES:
            raise HTTPException(400, f"A verdict has at most {MOST_SENT_BYTES:,} bytes.")
    return sent
