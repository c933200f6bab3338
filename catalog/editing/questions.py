"""The questions of a bulk change: which fields, what to do with each, which value; and how the answers are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from catalog.editing import guided
from catalog.editing.guided.agents import Agent
from catalog.editing.operations import Operation, Step
from catalog.editing.owned import Field, Shape
from catalog.models import PlannedChange
from ingest.minting import with_identities
from ingest.records import Value

PICKED = "field"  # name of the inputs that choose the fields
# Of an agent, in the order of its inputs: key, label, for which types.
AGENT_PARTS = (
    ("name", "Name", ("Person", "Organization")),
    ("given_name", "Given name", ("Person",)),
    ("family_name", "Family name", ("Person",)),
    ("orcid", "ORCID", ("Person",)),
    ("ror", "ROR", ("Organization",)),
    ("email", "E-mail", ("Person", "Organization")),
)


@dataclass(frozen=True)
class Input:
    """One input of a question."""

    name: str
    label: str
    value: str = ""


@dataclass(frozen=True)
class Choice:
    value: str
    chosen: bool


@dataclass(frozen=True)
class Question:
    """One field as the form asks for it, with what was answered so far and what is wrong with that."""

    field: Field
    operation: str = ""
    value: str = ""
    choices: tuple[Choice, ...] = ()
    parts: tuple[Input, ...] = ()
    type: str = ""
    known: str = ""
    problem: str = ""

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What can be done with it."""
        if self.field.shape.is_list:
            return tuple(Operation)
        return (Operation.SET, Operation.CLEAR)

    @property
    def suggestions(self) -> Sequence[guided.Choice]:
        """Values to pick from; others are taken too."""
        return guided.choices(self.field.guided) if self.field.guided else ()

    @property
    def kind(self) -> str:
        """Which inputs it has: text, pick, lines, choice, choices, agent."""
        match self.field.shape:
            case Shape.TEXTS:
                return "lines"
            case Shape.CHOICE | Shape.YES_NO:
                return "choice"
            case Shape.CHOICES:
                return "choices"
            case Shape.AGENT | Shape.AGENTS:
                return "agent"
            case Shape.TEXT if self.suggestions:
                return "pick"
            case _:
                return "text"


def offered(fields: Sequence[Field]) -> tuple[Field, ...]:
    """The fields whose value can be asked for in one line; the others are changed in a form or a spreadsheet."""
    return tuple(field for field in fields if field.shape != Shape.OTHER)


def question(field: Field, posted: QueryDict) -> Question:
    """A field's question as the form shows it, filled with what was posted."""
    accepted = ("yes", "no") if field.shape == Shape.YES_NO else field.choices
    chosen = set(posted.getlist(f"value:{field.key}"))
    return Question(
        field,
        operation=posted.get(f"operation:{field.key}", ""),
        value=posted.get(f"value:{field.key}", ""),
        choices=tuple(Choice(each, each in chosen) for each in accepted),
        parts=tuple(
            Input(f"{key}:{field.key}", label, posted.get(f"{key}:{field.key}", ""))
            for key, label, types in AGENT_PARTS
            if set(types) & set(field.kinds)
        ),
        type=posted.get(f"type:{field.key}", ""),
        known=posted.get(f"known:{field.key}", ""),
    )


def answers(change: PlannedChange) -> QueryDict:
    """What was ticked (``field``) and typed for a plan so far."""
    return QueryDict(change.answers)


def keep(change: PlannedChange, given: QueryDict) -> None:
    """Keeps what was ticked and typed; what was typed for a field that is not asked now stays for when it is again."""
    before = answers(change)
    shown = set(before.getlist(PICKED))
    kept = QueryDict(mutable=True)
    for name, texts in before.lists():
        if name != PICKED and name.partition(":")[2] not in shown:
            kept.setlist(name, texts)
    for name, texts in given.lists():
        if name == PICKED or ":" in name:
            kept.setlist(name, texts)
    PlannedChange.objects.filter(pk=change.pk).update(answers=kept.urlencode())
    change.refresh_from_db()


def fitting(field: Field, known: Iterable[Agent]) -> list[Agent]:
    """The known agents that may stand in a field."""
    return [each for each in known if each.type in ("", *field.kinds)]


class AnswerError(ValueError):
    """An answer that cannot be used; one sentence."""


def step(asked: Question, posted: QueryDict, known: Mapping[str, Agent]) -> Step:
    """What the answers to a question ask for.

    Raises:
        AnswerError: when something is missing or not accepted.
    """
    field = asked.field
    if asked.operation not in {each.value for each in asked.operations}:
        raise AnswerError(f"{field.title}: choose what to do with it.")
    operation = Operation(asked.operation)
    if operation == Operation.CLEAR:
        return Step(field.key, field.title, operation)
    if asked.kind == "agent":
        agent = _agent(asked, known)
        return Step(field.key, field.title, operation, [agent] if field.shape.is_list else agent)
    return Step(field.key, field.title, operation, _VALUES[field.shape](asked, posted))


def _text(asked: Question, posted: QueryDict) -> str:
    text = "\n".join(asked.value.strip().splitlines())
    if not text:
        raise AnswerError(f"{asked.field.title}: the value is empty; write one, or choose to clear the field.")
    return guided.normalised(asked.field.guided, text) if asked.field.guided else text


def _texts(asked: Question, posted: QueryDict) -> list[str]:
    lines = [line.strip() for line in asked.value.splitlines() if line.strip()]
    kind = asked.field.guided
    found = list(dict.fromkeys(guided.normalised(kind, line) if kind else line for line in lines))
    if not found:
        raise AnswerError(f"{asked.field.title}: the list is empty; write one value on each line.")
    return found


def _number(asked: Question, posted: QueryDict) -> int | float:
    text = asked.value.strip()
    for read in (int, float):
        try:
            number = read(text)
        except ValueError:
            continue
        if number == number and abs(number) != float("inf"):
            return number
    raise AnswerError(f"{asked.field.title}: {text[:40]!r} is no number; write it like 12.5.")


def _choice(asked: Question, posted: QueryDict) -> str:
    if not any(each.chosen for each in asked.choices):
        raise AnswerError(f"{asked.field.title}: choose one of {_listed(asked)}.")
    return next(each.value for each in asked.choices if each.chosen)


def _choices(asked: Question, posted: QueryDict) -> list[str]:
    found = [each.value for each in asked.choices if each.chosen]
    if not found:
        raise AnswerError(f"{asked.field.title}: tick at least one of {_listed(asked)}.")
    return found


def _yes_no(asked: Question, posted: QueryDict) -> bool:
    return _choice(asked, posted) == "yes"


def _listed(asked: Question) -> str:
    return ", ".join(each.value for each in asked.choices)


_VALUES = {
    Shape.TEXT: _text,
    Shape.TEXTS: _texts,
    Shape.NUMBER: _number,
    Shape.CHOICE: _choice,
    Shape.CHOICES: _choices,
    Shape.YES_NO: _yes_no,
}


def _agent(asked: Question, known: Mapping[str, Agent]) -> Value:
    """The agent that was picked, or typed; with its identity from the start, so that it is one in all records."""
    if asked.known in known:
        return _typed(dict(known[asked.known].value), asked)
    parts: dict[str, Any] = {
        (key := part.name.partition(":")[0]): _normalised(key, part.value.strip())
        for part in asked.parts
        if part.value.strip()
    }
    if "name" not in parts:
        raise AnswerError(f"{asked.field.title}: pick someone from the list, or write a name.")
    return _typed(parts, asked)


def _normalised(key: str, text: str) -> str:
    return guided.normalised(key, text) if key in ("orcid", "ror", "email") else text


def _typed(parts: Value, asked: Question) -> Value:
    """An agent with its type and its identity.

    Raises:
        AnswerError: when nothing tells whether it is a person or an organization.
    """
    types = asked.field.kinds
    told = parts.get("@type") or asked.type
    type_ = told if told in types else types[0] if len(types) == 1 else ""
    if not type_:
        raise AnswerError(f"{asked.field.title}: say whether {parts['name'][:60]!r} is a person or an organization.")
    agent = with_identities({"agent": {**parts, "@type": type_}})["agent"]
    assert isinstance(agent, dict)
    return agent
