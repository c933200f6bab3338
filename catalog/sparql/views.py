"""``/sparql``: queries by the SPARQL 1.1 protocol, from anybody, of what is public; ``/sparql/internal`` for curators.

Both only read, take no cookie into account, and answer scripts of any site: there is nothing that a forged request
could change or see more of. That is why neither asks for a CSRF token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt

from catalog import attempts, rights, tokens
from catalog.graph import asking
from catalog.graph.asking import INTERNAL, PUBLIC, Answer, NoAnswerError, Question
from catalog.publishing.site import site
from catalog.sparql import answering, negotiating, page, protocol
from catalog.sparql.negotiating import Form
from catalog.sparql.places import PLACES_HERE
from catalog.sparql.presence import absence
from catalog.sparql.protocol import Asked

METHODS = ("GET", "HEAD", "POST", "OPTIONS")
STATUS = {
    asking.SYNTAX: 400, asking.REFUSED: 400, asking.UNFIT: 400, asking.UNACCEPTABLE: 406, asking.LARGE: 413,
    protocol.WRONG_TYPE: 415, asking.OFF: 404,
}  # fmt: skip
_UNANSWERED = 503
_EXPOSED = "Fairfolder-Partial, Link, Retry-After"
_PIECE = 1 << 16
_WORDS = (
    "Every record of this catalog that is public, each in a named graph of its own; the default graph is their union."
)
_WORDS_INTERNAL = "Every record of this service, published or not, each in a named graph of its own."

View = Callable[[HttpRequest], HttpResponseBase]


def _of_the_protocol(view: View) -> View:
    """What every answer has in common: open to all origins, without a cookie, by the methods of the protocol."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponseBase:
        if request.method == "OPTIONS":
            response: HttpResponseBase = HttpResponse(status=204, headers={"Allow": ", ".join(METHODS)})
            response["Access-Control-Allow-Methods"] = ", ".join(METHODS)
            response["Access-Control-Allow-Headers"] = "Accept, Content-Type, Authorization"
            response["Access-Control-Max-Age"] = "86400"
        elif request.method not in METHODS:
            response = _said(405, f"{request.method} is not a method of this address; send GET or POST.")
            response["Allow"] = ", ".join(METHODS)
        else:
            response = view(request)
        if response.status_code >= 500:
            answering.is_told_of(response)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = _EXPOSED
        response.headers.setdefault("Cache-Control", "no-cache")
        patch_vary_headers(response, ("Accept",))
        return response

    return csrf_exempt(login_not_required(answered))


@_of_the_protocol
def public(request: HttpRequest) -> HttpResponseBase:
    """What is public, for anybody."""
    return _answered(request, PUBLIC)


@_of_the_protocol
def internal(request: HttpRequest) -> HttpResponseBase:
    """All records, for a curator who shows a token; who is signed in in a browser must show one too."""
    response = (_let_in(request) if answering.is_on() else None) or _answered(request, INTERNAL)
    response["Cache-Control"] = "private, no-store"
    patch_vary_headers(response, ("Authorization",))
    return response


def _let_in(request: HttpRequest) -> HttpResponse | None:
    """Why a request is not answered; None when it may be."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    user = tokens.account_of(token.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        refused = _said(401, "This graph needs a token, as Authorization: Bearer …; /profile/tokens/ makes one.")
        refused["WWW-Authenticate"] = 'Bearer realm="Fairfolder"'
        return refused
    if not rights.of(user).asks_every_record:
        return _said(403, "This graph holds every record; only curators and administrators may ask it.")
    return None


def _answered(request: HttpRequest, graph: str) -> HttpResponseBase:
    asked: Asked | None = None
    try:
        asked = protocol.read(request)
        if not answering.is_on():
            raise NoAnswerError(asking.OFF, answering.OFF)
        if asked.wanted.is_page and graph == PUBLIC:
            return page.page(request, asked, _in_place(request))
        if asked.query is None:
            return _described(request, asked, graph)
        return _found(request, asked, graph)
    except NoAnswerError as error:
        if asked is not None and asked.wanted.is_page and graph == PUBLIC:
            return page.failed(request, asked, str(error), STATUS.get(error.reason, _UNANSWERED))
        return _refused(error)


def _described(request: HttpRequest, asked: Asked, graph: str) -> HttpResponse:
    """What the service says of itself."""
    if request.method == "POST":
        raise NoAnswerError(asking.REFUSED, "The request holds no query; send one as the parameter query.")
    if not asked.wanted.rdf.name:
        raise NoAnswerError(asking.UNACCEPTABLE, asking.GRAPH)
    from catalog.graph.describing import service_description  # loads the RDF engine, which nothing else here needs

    words = _WORDS if graph == PUBLIC else _WORDS_INTERNAL
    body = service_description(_address(graph), site().title, words, asked.wanted.rdf.name)
    response = HttpResponse(b"" if request.method == "HEAD" else body, content_type=asked.wanted.rdf.content_type)
    response["Content-Length"] = str(len(body))
    return response


def _address(graph: str) -> str:
    return f"{settings.FAIRFOLDER_BASE_URL}/sparql{'' if graph == PUBLIC else '/internal'}"


def _found(request: HttpRequest, asked: Asked, graph: str) -> HttpResponseBase:
    question = Question(
        asked.query or "",
        graph,
        asked.default_graphs,
        asked.named_graphs,
        asked.wanted.results.name,
        asked.wanted.rdf.name,
        base=f"{settings.FAIRFOLDER_BASE_URL}/",
        note=f"{_address(PUBLIC)}#partial",
    )
    ask = _in_place(request)
    found, leave = ask(question)
    form = asked.wanted.rdf if found.kind == asking.GRAPH else asked.wanted.results
    return _streamed(request, found, form, leave)


def _in_place(request: HttpRequest) -> Callable[[Question], tuple[Answer, Callable[[], None]]]:
    """Asks with one of this process's places, which is given back once the answer was read, or there is none."""
    address = attempts.address(request) or ""

    def ask(question: Question) -> tuple[Answer, Callable[[], None]]:
        if not PLACES_HERE.take(address):
            raise NoAnswerError(asking.BUSY, "Too many queries are asked at once; ask again in a few seconds.", 0, 0, 5)
        try:
            return answering.answer(question, absence(request.META), address), lambda: PLACES_HERE.give_back(address)
        except BaseException:
            PLACES_HERE.give_back(address)
            raise

    return ask


class _Pieces:
    """The answer piece by piece; closes its file and gives the place back at the end, and when nobody reads on."""

    def __init__(self, found: Answer, leave: Callable[[], None]) -> None:
        self._stream, self._leave, self._is_open = found.stream, leave, True

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._stream.read(_PIECE):
            yield piece

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._stream.close()
            self._leave()


def _streamed(request: HttpRequest, found: Answer, form: Form, leave: Callable[[], None]) -> HttpResponseBase:
    pieces = _Pieces(found, leave)
    headers: dict[str, Any] = {"Content-Length": str(found.size), "X-Content-Type-Options": "nosniff"}
    headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    if found.partial:
        limit = {"rows": answering.limits().rows, "bytes": answering.limits().bytes}[found.partial]
        headers["Fairfolder-Partial"] = f"{found.partial}; limit={limit}"
        headers["Link"] = f'<{_address(PUBLIC)}#partial>; rel="help"'
    if request.method == "HEAD":
        pieces.close()
        return HttpResponse(content_type=form.content_type, headers=headers)
    return StreamingHttpResponse(pieces, content_type=form.content_type, headers=headers)


def _refused(error: NoAnswerError) -> HttpResponse:
    sentence = str(error)
    if error.reason == asking.UNACCEPTABLE:
        sentence = f"None of the accepted media types fits this kind of answer; there are {negotiating.offered()}."
    response = _said(STATUS.get(error.reason, _UNANSWERED), sentence)
    if error.retry_seconds:
        response["Retry-After"] = str(error.retry_seconds)
    return response


def _said(status: int, sentence: str) -> HttpResponse:
    response = HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response
