"""A JSON-LD context made ready for reading: which term a key is at each place of a document. Pure.

General processors work a scoped context out anew at every node, which costs more than all the rest. Here each scope is
worked out once. What our contexts do not use (``@import``, ``@base``, ``@language``, lists, indexes, addresses in
scoped contexts) is refused with the place named, so that no document means less here than elsewhere without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyoxigraph import NamedNode

from catalog.graph.values import named

PLAIN, IRI, WORD, DATATYPE = "plain", "iri", "word", "datatype"
PROPERTY, REVERSE, NEST, IDENTITY, NOTHING = "property", "reverse", "nest", "identity", "nothing"

_CONTEXT_KEYWORDS = frozenset({"@version", "@protected", "@vocab", "@propagate"})
_TERM_KEYWORDS = frozenset({"@id", "@type", "@container", "@context", "@protected", "@reverse"})
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_KEYWORD = re.compile(r"@[A-Za-z]+")
_ENDS_LIKE_PREFIX = (":", "/", "?", "#", "[", "]", "@")
_NONE: Final[Mapping[str, Any]] = {}


class ContextError(ValueError):
    """A context that cannot be used; the text says which, where and why."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a key means: a property, an alias of ``@id`` or ``@nest``, or nothing; ``node`` is a property's IRI."""

    key: str
    use: str
    iri: str = ""
    values: str = PLAIN
    datatype: NamedNode | None = None
    local: Mapping[str, Any] | None = None
    node: NamedNode | None = None


class Scope:
    """The terms in force at one place; ``outside`` is what is in force again in the nodes below, where that differs."""

    __slots__ = ("_below", "_typed", "_words", "aliases", "outside", "protected", "terms", "vocabulary")

    def __init__(
        self, terms: Mapping[str, Term], vocabulary: str, protected: frozenset[str], outside: Scope | None = None
    ) -> None:
        self.terms, self.vocabulary, self.protected, self.outside = terms, vocabulary, protected, outside
        self.aliases = tuple(key for key, term in terms.items() if term.use == IDENTITY)
        self._below: dict[str, Scope] = {}
        self._words: dict[str, Scope] = {}
        self._typed: dict[tuple[str, ...], tuple[Scope, tuple[NamedNode, ...]]] = {}

    def below(self, key: str) -> Scope:
        """What is in force in a node that stands under this key."""
        scope = self._below.get(key)
        if scope is None:
            scope = self._below[key] = _entered(self.outside or self, self.terms[key].local)
        return scope

    def at(self, key: str) -> Scope:
        """What is in force for a word or number that stands under this key."""
        scope = self._words.get(key)
        if scope is None:
            scope = self._words[key] = _entered(self, self.terms[key].local)
        return scope

    def typed(self, types: Sequence[str]) -> Scope:
        """What is in force in a node of these types."""
        return self._of(types)[0]

    def classes(self, types: Sequence[str]) -> tuple[NamedNode, ...]:
        """The classes these types name; those that name none are passed over."""
        return self._of(types)[1]

    def _of(self, types: Sequence[str]) -> tuple[Scope, tuple[NamedNode, ...]]:
        key = tuple(types)
        found = self._typed.get(key)
        if found is None:
            scope = self
            for name in sorted(key):
                local = self.terms[name].local if name in self.terms else None
                if local is not None:
                    scope = extended(scope, {"@propagate": False, **local}, f"of the type {name}")
            meant = (named(scope.expand(name, as_word=True)) for name in key)
            found = scope, tuple(each for each in meant if each is not None)
            if len(self._typed) < 1_000:
                self._typed[key] = found
        return found

    def expand(self, value: str, *, as_word: bool) -> str:
        """The IRI a value stands for; "" where it stands for none."""
        if value[:1] == "@" and _KEYWORD.fullmatch(value):
            return ""
        if as_word and (term := self.terms.get(value)) is not None:
            return term.iri if term.use in (PROPERTY, REVERSE) else ""
        if value.startswith(("https://", "http://")):
            return value
        prefix, colon, rest = value.partition(":")
        if colon and prefix:
            if not rest.startswith("//") and (term := self.terms.get(prefix)) is not None and _is_prefix(term):
                return term.iri + rest
            if _ABSOLUTE.match(value):
                return value
        return self.vocabulary + value if as_word and self.vocabulary else ""


def _is_prefix(term: Term) -> bool:
    return term.use == PROPERTY and term.values == PLAIN and term.local is None and term.iri.endswith(_ENDS_LIKE_PREFIX)


def _entered(scope: Scope, local: Mapping[str, Any] | None) -> Scope:
    return scope if local is None else extended(scope, local, "of a key", may_redefine=True)


def compiled(contexts: Sequence[Mapping[str, Any]]) -> Scope:
    """The scope of the top of a document, from what its ``@context`` says once addresses are replaced by their text.

    Raises:
        ContextError: for what cannot be used here.
    """
    scope = Scope(_NONE, "", frozenset())
    for number, context in enumerate(contexts, 1):
        # What an earlier one means stays, whether or not it says so: a later one may only add.
        scope = extended(Scope(scope.terms, scope.vocabulary, frozenset(scope.terms)), context, f"number {number}")
    return scope


def extended(scope: Scope, local: Mapping[str, Any], where: str, *, may_redefine: bool = False) -> Scope:
    """A scope with a context on top of it.

    Raises:
        ContextError: for what cannot be used here.
    """
    if not isinstance(local, Mapping):
        raise ContextError(f"The context {where} is {local!r}, which is no object.")
    vocabulary, propagate, protect = scope.vocabulary, True, False
    for key, value in local.items():
        if not key.startswith("@"):
            continue
        if key not in _CONTEXT_KEYWORDS:
            raise ContextError(f"The context {where} has {key}, which is not understood here; take it out.")
        if key == "@vocab":
            vocabulary = _text(value, key, where)
        elif key == "@propagate":
            propagate = bool(value)
        elif key == "@protected":
            protect = bool(value)
    defined = _Defining(scope, local, where).all()
    if not may_redefine:
        _refuse_redefinition(scope, defined, where)
    protected = scope.protected | {key for key in defined if _protects(local[key], protect)}
    outside = scope.outside if propagate else (scope.outside or scope)
    return Scope({**scope.terms, **defined}, vocabulary, protected, outside)


def _protects(said: Any, otherwise: bool) -> bool:
    return bool(said.get("@protected", otherwise)) if isinstance(said, Mapping) else otherwise


def _refuse_redefinition(scope: Scope, defined: Mapping[str, Term], where: str) -> None:
    for key, term in defined.items():
        if key in scope.protected and term != scope.terms[key]:
            raise ContextError(f"The context {where} gives {key} another meaning than ours; give it another name.")


class _Defining:
    """Works out the terms of one context, in whichever order they refer to each other."""

    def __init__(self, scope: Scope, local: Mapping[str, Any], where: str) -> None:
        self.scope, self.local, self.where = scope, local, where
        self.done: dict[str, Term] = {}
        self.under_way: set[str] = set()

    def all(self) -> dict[str, Term]:
        for key in self.local:
            if not key.startswith("@"):
                self._define(key)
        return self.done

    def _define(self, key: str) -> Term:
        if key in self.done:
            return self.done[key]
        self.under_way.add(key)
        self.done[key] = term = self._term(key, self.local[key])
        self.under_way.discard(key)
        return term

    def _term(self, key: str, said: Any) -> Term:
        if said is None:
            return Term(key, NOTHING)
        if isinstance(said, str):
            said = {"@id": said}
        place = f"{self.where}, term {key}"
        if not isinstance(said, Mapping):
            raise ContextError(f"The context {place}: {said!r} is no definition.")
        for part in said:
            if part not in _TERM_KEYWORDS:
                raise ContextError(f"The context {place} has {part}, which is not understood here; take it out.")
        if said.get("@container", "@set") != "@set":
            raise ContextError(f"The context {place}: only @set may be its @container.")
        local = said.get("@context")
        if local is not None and not isinstance(local, Mapping):
            raise ContextError(f"The context {place}: the context in it has to be an object.")
        if said.get("@id", key) is None:
            return Term(key, NOTHING)
        if "@reverse" in said:
            iri = self._iri(_text(said["@reverse"], "@reverse", place), place)
            return Term(key, REVERSE, iri, local=local, node=_node(iri, place))
        name = _text(said.get("@id", key), "@id", place)
        if name in ("@id", "@nest"):
            return Term(key, IDENTITY if name == "@id" else NEST, local=local)
        values, datatype = self._values(said.get("@type"), place)
        iri = self._iri(name, place)
        return Term(key, PROPERTY, iri, values, datatype, local, _node(iri, place))

    def _values(self, type_: Any, place: str) -> tuple[str, NamedNode | None]:
        if type_ is None:
            return PLAIN, None
        if type_ in ("@id", "@vocab"):
            return (IRI if type_ == "@id" else WORD), None
        return DATATYPE, _node(self._iri(_text(type_, "@type", place), place), place)

    def _iri(self, name: str, place: str) -> str:
        """A name in a definition, written out; terms of the same context count."""
        prefix, colon, rest = name.partition(":")
        if not colon and name in self.local and name not in self.under_way:
            return self._define(name).iri
        if colon and prefix in self.local and prefix not in self.under_way and not rest.startswith("//"):
            return self._define(prefix).iri + rest
        iri = self.scope.expand(name, as_word=True)
        if not _ABSOLUTE.match(iri):
            raise ContextError(f"The context {place}: {name!r} is no IRI.")
        return iri


def _node(iri: str, place: str) -> NamedNode:
    try:
        return NamedNode(iri)
    except ValueError as error:
        raise ContextError(f"The context {place}: {iri!r} is no IRI: {error}.") from error


def _text(value: Any, key: str, place: str) -> str:
    if not isinstance(value, str) or (_KEYWORD.fullmatch(value) and value not in ("@id", "@nest")):
        raise ContextError(f"The context {place}: {key} is {value!r}, which is not understood here.")
    return value
