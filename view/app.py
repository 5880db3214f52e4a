"""The pages, and which address shows which: read-only, and nothing in an address is a path."""

from typing import Any

import duckdb
import pyarrow as pa
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tasks.drawing import inline_image
from tasks.errors import UserError
from tasks.inspect_dataset import left_out, size_text
from tasks.shown import PAGES as REPORT_PAGES
from view.asked import BadFilter
from view.counts import answer_charts, charts
from view.filters import Filters, read_filters
from view.footprints import HEIGHT, WIDTH, footprint_map
from view.index import Place, first_line
from view.looked_at import LookedAt
from view.refused import refused_page
from view.wording import PAGES, page_templates

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")  # what a browser on this machine may call us
MOST_IMAGE_PX, MOST_IMAGE_BYTES = 4_096, 1 << 26
HEADERS = {
    # no script but our own file, nothing from elsewhere, in no frame
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; "
    "script-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def application(looked_at: LookedAt, host: str = "127.0.0.1") -> Starlette:
    """Return the web application over a dataset; it answers under `host` and names of loopback."""
    pages = _Pages(looked_at)
    routes = [
        Route("/", pages.samples),
        Route("/sample/{sample_id}", pages.sample),
        Route("/image/{version}/{sample_id}/{number:int}", pages.image),
        Route("/thumb/{version}/{sample_id}", pages.thumb),
        Route("/counts", pages.counts),
        Route("/map", pages.map),
        Route("/refused", pages.refused),
        Route("/about", pages.about),
        Route("/changes", pages.changes),
        Route("/change/{sample_id}", pages.change),
        Route("/view.css", pages.style),
        Route("/view.js", pages.script),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(WithHeaders, headers=HEADERS),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, host], www_redirect=False),
        ],
        exception_handlers={
            HTTPException: pages.failed,
            BadFilter: pages.failed,
            UserError: pages.failed,
            OSError: pages.failed,
            pa.ArrowException: pages.failed,
            duckdb.Error: pages.failed,
        },
    )


class WithHeaders:
    """Says in every answer, in place of whatever it says itself, what a browser may do with it."""

    def __init__(self, app: Any, headers: dict[str, str]) -> None:
        self._app = app
        self._said = [(k.lower().encode(), v.encode()) for k, v in headers.items()]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on, and put the headers into the answer."""

        async def with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in self._said}
                kept = [(name, value) for name, value in message["headers"] if name not in names]
                message = {**message, "headers": [*kept, *self._said]}
            await send(message)

        await self._app(scope, receive, with_headers)


class _Pages:
    """One method a page; a method without `async` runs in a thread of its own."""

    def __init__(self, looked_at: LookedAt) -> None:
        self._looked_at = looked_at
        self._templates = page_templates()
        self._style = _style()
        self._script = (PAGES / "view.js").read_text(encoding="utf-8")

    def samples(self, request: Request) -> Response:
        filters, page, allowed = self._asked(request)
        listed = self._looked_at.listed(filters, page)
        return self._page(
            "samples.html", filters=filters, allowed=allowed, listed=listed, here="samples"
        )

    def sample(self, request: Request) -> Response:
        filters, _, _ = self._asked(request)
        place = self._place(request)
        return self._page(
            "sample.html",
            filters=filters,
            looked_at=self._looked_at.sample(place),
            near=self._looked_at.neighbours(place, filters),
            here="samples",
        )

    def image(self, request: Request) -> Response:
        place = self._place_in_version(request)
        stored = self._looked_at.image(place, request.path_params["number"])
        if stored is None:
            raise HTTPException(404, "The sample has not so many images.")
        kind, content = inline_image(stored, MOST_IMAGE_PX, MOST_IMAGE_BYTES)
        return _kept(content, kind)

    def thumb(self, request: Request) -> Response:
        place = self._place_in_version(request)
        kind, content = self._looked_at.thumb(place)
        return _kept(content, kind)

    def counts(self, request: Request) -> Response:
        filters, _, allowed = self._asked(request)
        index = self._looked_at.index
        return self._page(
            "counts.html",
            filters=filters,
            allowed=allowed,
            charts=[*charts(index, filters)],
            answers=[*answer_charts(index, filters)],
            here="counts",
        )

    def map(self, request: Request) -> Response:
        filters, _, allowed = self._asked(request)
        drawn = footprint_map(self._looked_at.index, filters)
        return self._page(
            "map.html",
            filters=filters,
            allowed=allowed,
            map=drawn,
            width=WIDTH,
            height=HEIGHT,
            here="map",
        )

    def refused(self, request: Request) -> Response:
        shown = refused_page(self._looked_at.index, request.query_params.multi_items())
        left = left_out(self._looked_at.manifest.counts)
        return self._page("refused.html", shown=shown, left=left, here="refused")

    def about(self, request: Request) -> Response:
        return self._page("about.html", lines=self._looked_at.lineage(), here="about")

    def changes(self, request: Request) -> Response:
        if self._looked_at.compared is None:
            raise HTTPException(404, "Nothing to compare with: terrascope view DIR@1 DIR@2")
        shown = self._looked_at.compared.page(request.query_params.multi_items())
        return self._page("changes.html", shown=shown, here="changes")

    def change(self, request: Request) -> Response:
        sample_id = request.path_params["sample_id"]
        compared = self._looked_at.compared
        found = None if compared is None else compared.change(sample_id)
        if found is None:
            raise HTTPException(404, f"{sample_id!r} does not differ between two versions here.")
        view, differing = found
        return self._page("change_page.html", view=view, differing=differing, here="changes")

    async def style(self, request: Request) -> Response:
        return Response(self._style, media_type="text/css")

    async def script(self, request: Request) -> Response:
        return Response(self._script, media_type="text/javascript")

    async def failed(self, request: Request, error: Exception) -> Response:
        """Say what is wrong: 404 of what is not there, 400 of what is asked wrongly, else 500."""
        status, words = 500, str(error)
        if isinstance(error, HTTPException):
            status, words = error.status_code, error.detail
        elif isinstance(error, BadFilter):
            status = 400
        elif isinstance(error, duckdb.Error):
            words = f"The index cannot be asked: {first_line(error)}"
        return self._page("failed.html", status=status, words=words, here="")

    def _asked(self, request: Request) -> tuple[Filters, int, dict[str, list[str]]]:
        """Return an address's filters and page, and what values the filters may have."""
        allowed = self._looked_at.allowed()
        return *read_filters(request.query_params.multi_items(), allowed), allowed

    def _place_in_version(self, request: Request) -> Place:
        version = request.path_params["version"]
        if version != self._looked_at.digest:
            raise HTTPException(404, f"This page shows no version {version!r}.")
        return self._place(request)

    def _place(self, request: Request) -> Place:
        sample_id = request.path_params["sample_id"]
        place = self._looked_at.place(sample_id)
        if place is None:
            waiting = "" if self._looked_at.index.complete else " so far; shards are still read"
            raise HTTPException(404, f"There is no sample {sample_id!r}{waiting}.")
        return place

    def _page(self, name: str, status: int = 200, **shown: Any) -> Response:
        looked_at = self._looked_at
        manifest = looked_at.manifest
        text = self._templates.get_template(name).render(
            manifest=manifest,
            num_samples=sum(file.rows for file in manifest.files),
            num_refused=sum(file.rows for file in manifest.quarantine),
            size=size_text(sum(file.bytes for file in manifest.files)),
            digest=looked_at.digest,
            index=looked_at.index,
            comparing=looked_at.compared is not None,
            status=status,
            **{"filters": Filters(), **shown},
        )
        return HTMLResponse(text, status_code=status)


def _kept(content: bytes, kind: str) -> Response:
    """A picture that a browser may keep for good: its address names the version that it is of."""
    kept = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(content, media_type=kind, headers=kept)


def _style() -> str:
    sheets = (REPORT_PAGES / "style.css", PAGES / "view.css")
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets)
