"""The HTML of a form's fields. A long form has hundreds of them, so they are written here and not by templates.

Whatever comes from a record, a schema or a person goes through :func:`_e`, :func:`_prose` or :func:`_plain`: nothing
else may be put between tags.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape as _e

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from catalog import names
from catalog.editing.drawn import Drawn, Row
from catalog.editing.fields import Kind

_NEEDED = ' <span class="needed">required</span>'
_LONGEST_KEPT = 500  # characters of a text whose HTML is kept: titles, hints and short answers come again and again


def field(drawn: Drawn, *, swap: bool = False) -> SafeString:
    """A field in its place; ``swap``: it takes the place it has in the page already."""
    asked = f'<input type="hidden" name="#show:{_e(drawn.name)}" value="1">' if drawn.is_asked_for else ""
    html = asked + (_shown(drawn) if drawn.is_shown else "")
    if drawn.is_conditional:
        html = f'<div id="{drawn.anchor}-place" class="place"{_swap(swap)}>{html}</div>'
    return mark_safe(html)  # noqa: S308 (every text in it was escaped)


def rows(drawn: Drawn) -> SafeString:
    """A list of groups, alone."""
    return mark_safe(_rows(drawn))  # noqa: S308


def choice(drawn: Drawn, *, swap: bool = False) -> SafeString:
    """A closed list of answers, alone."""
    return mark_safe(_choice(drawn, swap=swap))  # noqa: S308


def error(drawn: Drawn, *, swap: bool = False) -> SafeString:
    """What is wrong with a field, as it stands beside it."""
    return mark_safe(_error(drawn, swap=swap))  # noqa: S308


# --- texts ----------------------------------------------------------------------------------------------------------


def _prose(text: str) -> str:
    return _short_prose(text) if len(text) <= _LONGEST_KEPT else names.prose(text)


@lru_cache(maxsize=4_096)
def _short_prose(text: str) -> str:
    return names.prose(text)


def _plain(text: str) -> str:
    return _e(names.plain(text))


def _swap(swap: bool) -> str:
    return ' hx-swap-oob="true"' if swap else ""


def _invalid(drawn: Drawn) -> str:
    return ' aria-invalid="true"' if drawn.errors else ""


def _focus(drawn: Drawn) -> str:
    return " autofocus" if drawn.is_focus else ""


def _wrong(drawn: Drawn) -> str:
    return " wrong" if drawn.errors else ""


# --- a field ----------------------------------------------------------------------------------------------------------


def _shown(drawn: Drawn) -> str:
    if drawn.is_chosen:
        return _chosen(drawn)
    if drawn.field.kind is Kind.ROWS:
        return _rows(drawn)
    if drawn.field.kind in (Kind.GROUP, Kind.AGENT):
        return _group(drawn)
    return _line(drawn)


def _line(drawn: Drawn) -> str:
    needed = _NEEDED if drawn.is_needed else ""
    title = f'<label for="{drawn.anchor}">{_prose(drawn.field.title)}{needed}</label>'
    return f'<div class="field{_wrong(drawn)}">\n{title}\n{_around(drawn)}\n{_control(drawn)}\n{_picker(drawn)}</div>\n'


def _around(drawn: Drawn) -> str:
    """What stands between a field's name and its input."""
    hint = f'<p class="field-hint" id="{drawn.anchor}-hint">{_prose(drawn.hint)}</p>\n' if drawn.hint else ""
    return f"{hint}{_error(drawn)}{_kept(drawn)}{_offer(drawn)}"


def _error(drawn: Drawn, *, swap: bool = False) -> str:
    said = "".join(f"<p>{_prose(each)}</p>" for each in drawn.brief_errors) if drawn.errors else ""
    return f'<div id="{drawn.anchor}-error" class="field-error"{_swap(swap)}>{said}</div>'


def _kept(drawn: Drawn) -> str:
    if not drawn.kept or drawn.field.kind is Kind.OTHER:
        return ""
    held = f"The file holds <code>{_plain(drawn.kept)}</code> here, which this field cannot show."
    return f'<p class="field-kept">{held} It is kept until you enter something.</p>\n'


def _offer(drawn: Drawn) -> str:
    if drawn.offer is None:
        return ""
    words = _prose(drawn.offer.words)
    if drawn.offer.same:
        return f'<p class="offer"><span class="badge plain">inherited</span> {words}</p>\n'
    does = "Use this instead" if drawn.has_content else "Use this"
    about = f'<span class="out"> for {_plain(drawn.field.title)}</span>'
    button = (
        f'<button type="submit" name="do" value="inherit:{_e(drawn.name)}" class="text-button">{does}{about}</button>'
    )
    return f'<p class="offer">{words} {button}</p>\n'


def _control(drawn: Drawn) -> str:
    if drawn.field.kind in (Kind.CHOICE, Kind.YES_NO):
        return _choice(drawn)
    if drawn.field.kind is Kind.OTHER:
        held = f"The file holds <code>{_plain(drawn.kept)}</code> here. " if drawn.kept else ""
        about = "This field has no form; it can be changed in the file itself and is kept as it is."
        return f'<p class="field-kept" id="{drawn.anchor}">{held}{about}</p>\n'
    example = f' placeholder="{_e(drawn.example)}"' if drawn.example else ""
    described = f' aria-describedby="{drawn.described_by}"{_invalid(drawn)}{example}'
    start = f'id="{drawn.anchor}" name="{_e(drawn.name)}"'
    if drawn.is_long:  # a browser drops the first line break of what follows
        opening = f'<textarea {start} rows="{drawn.lines}"{described}{_focus(drawn)} data-live>'
        return f"{opening}\n{_e(drawn.text)}</textarea>\n"
    mode = f' inputmode="{drawn.mode}"' if drawn.mode else ""
    known = f' list="known-{drawn.suggestions}"' if drawn.suggestions else ""
    typed = f'type="{drawn.input_type}" value="{_e(drawn.text)}"'
    return f'<input {start} {typed}{described}{mode}{known}{_focus(drawn)} class="as-{drawn.kind}" data-live>\n'


def _choice(drawn: Drawn, *, swap: bool = False) -> str:
    options = "".join(
        f'<option value="{_e(each.value)}"{" selected" if each.is_chosen else ""}>{_plain(each.label)}</option>'
        for each in drawn.options
    )
    start = f'<select id="{drawn.anchor}" name="{_e(drawn.name)}" aria-describedby="{drawn.described_by}"'
    return (
        f"{start}{_invalid(drawn)}{_focus(drawn)} data-live{_swap(swap)}>"
        f'<option value="">Not chosen</option>{options}</select>\n'
    )


def _picker(drawn: Drawn) -> str:
    """A search among what is known; what was found comes from the template that also answers the browser's question."""
    picker = drawn.picker
    if picker is None:
        return ""
    id_, name = f"{drawn.anchor}-pick", _e(drawn.name)
    words = "Add one: search by name, model or serial number" if drawn.is_chosen else "Already known? Search by name"
    typed = f'name="{name}#pick" value="{_e(picker.query)}" data-pick="{_e(picker.address)}" data-for="{name}"'
    me = f'<button type="submit" name="do" value="take:{name}=me" class="quiet">That is me</button>'
    found = ""
    if picker.was_asked:
        context = {"for": drawn.name, "found": picker.found, "q": picker.query, "kind": picker.address}
        found = render_to_string("catalog/suggestions.html", context)
    return (
        f'<div class="picker"><label for="{id_}">{words}</label>\n'
        f'<div class="picker-line"><input type="text" id="{id_}" {typed}>'
        f'<button type="submit" name="do" value="find:{name}" class="quiet">Search</button>'
        f"{me if picker.offers_me else ''}</div>\n"
        f'<div id="{drawn.anchor}-found" class="picker-found" aria-live="polite">{found}</div></div>\n'
    )


# --- groups and lists -----------------------------------------------------------------------------------------------


def _box(drawn: Drawn, kind: str, inside: str) -> str:
    """A field that is a box with a heading."""
    described = f' aria-describedby="{drawn.described_by}"' if drawn.hint or drawn.errors else ""
    needed = _NEEDED if drawn.is_needed else ""
    return (
        f'<fieldset class="field {kind}{_wrong(drawn)}" id="{drawn.anchor}"{described}>\n'
        f"<legend>{_prose(drawn.field.title)}{needed}</legend>\n{_around(drawn)}\n{inside}\n</fieldset>\n"
    )


def _group(drawn: Drawn) -> str:
    inside = _inside(drawn)
    if drawn.is_closed:
        inside = f'<details class="optional"><summary>Fill in</summary>{inside}</details>'
    return _box(drawn, "group", inside)


def _inside(drawn: Drawn) -> str:
    """What stands in a group, or in an entry of a list: what is seldom needed is folded away."""
    identity = (
        f'<input type="hidden" name="{_e(drawn.name)}#id" value="{_e(drawn.identity)}">' if drawn.identity else ""
    )
    main = "".join(field(each) for each in drawn.main)
    behind = "".join(field(each) for each in drawn.behind)
    if behind:
        behind = f'<details class="behind"><summary>More</summary><div class="inside">{behind}</div></details>'
    return f'{identity}{_picker(drawn)}<div class="inside">{main}</div>\n{behind}\n'


def _rows(drawn: Drawn) -> str:
    entries = "".join(_row(drawn, each) for each in drawn.rows)
    entries = f'<ol class="entries">{entries}</ol>\n' if entries else ""
    add = (
        f'<button type="submit" name="do" value="add:{_e(drawn.name)}" class="quiet add"{_focus(drawn)} '
        f'data-rows="{drawn.anchor}">Add <span class="out">to {_plain(drawn.field.title)}</span></button>'
    )
    return _box(drawn, "rows", f'<input type="hidden" name="{_e(drawn.name)}#list" value="">\n{entries}{add}')


def _row(drawn: Drawn, row: Row) -> str:
    name, label = _e(row.name), _plain(row.label)
    buttons = "".join(
        f'<button type="submit" name="do" value="{verb}:{name}" class="icon" data-rows="{drawn.anchor}">'
        f'<span aria-hidden="true">{mark}</span><span class="out">{words}: {label}</span></button>'
        for verb, mark, words, is_there in (
            ("up", "↑", "Move up", not row.is_first),
            ("down", "↓", "Move down", not row.is_last),
            ("remove", "✕", "Remove", True),
        )
        if is_there
    )
    summary = _prose(row.summary) if row.summary else "New entry"
    return (
        f'<li class="entry-row{" wrong" if row.has_errors else ""}">\n'
        f'<details id="{row.anchor}"{" open" if row.is_open else ""}>'
        f'<summary{" autofocus" if row.is_focus else ""}><span class="entry-summary">{summary}</span></summary>\n'
        f'<input type="hidden" name="{name}#row" value="{_e(row.token)}">\n{_inside(row.group)}</details>\n'
        f'<div class="entry-doing">{buttons}</div>\n</li>'
    )


def _chosen(drawn: Drawn) -> str:
    """Things that are registered: each by its name, with a button to remove it, and a search to add one."""
    things = "".join(_thing(drawn, each.value, each.label) for each in drawn.chosen)
    things = f'<ul class="chosen-things">{things}</ul>\n' if things else ""
    label = _plain(drawn.field.title)
    values = f'<textarea name="{_e(drawn.name)}" hidden aria-label="{label}">\n{_e(drawn.text)}</textarea>\n'
    return _box(drawn, "chosen", f"{values}{things}{_picker(drawn)}")


def _thing(drawn: Drawn, value: str, label: str) -> str:
    if label:
        called = f'<a href="{reverse("instrument", args=[value])}">{_prose(label)}</a>'
    else:
        called = f'<span>{_prose(value)} <span class="soft">(not among the instruments here)</span></span>'
    return (
        f'<li>{called} <button type="submit" name="do" value="drop:{_e(drawn.name)}={_e(value)}" class="icon">'
        f'<span aria-hidden="true">✕</span><span class="out">Remove: {_plain(label or value)}</span></button></li>'
    )
