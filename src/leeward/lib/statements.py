"""Statements that are asked often: built by the query builder once, then only filled in.

Putting a queryset together and turning it into SQL costs ten times what SQLite needs to answer it. A `Statement` does
that on its first use and keeps the text; each further use fills in its values and makes rows of the answer, which are
the same instances the queryset would give. What is asked, and how often, stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.query import ModelIterable, QuerySet, get_related_populators

Row = TypeVar("Row", bound=models.Model)
Value = str | datetime


class CannotKeep(Exception):
    """The queryset depends on its values in a way that cannot be kept as text: pass the derived value instead."""


@dataclass(frozen=True)
class _Kept:
    """The text, its parameters with the places of each value, and how rows are made of an answer."""

    sql: str
    parameters: tuple[Any, ...]
    places: dict[str, tuple[int, ...]]
    model: type[models.Model]
    fields: slice
    names: list[str]
    related: Sequence[Any]
    annotations: tuple[tuple[str, int], ...]
    converters: tuple[tuple[int, Sequence[Callable[..., Any]], Any], ...]


class Statement(Generic[Row]):
    """`build` makes the queryset of its named values, which are text or moments and stand in it as they are."""

    def __init__(self, build: Callable[..., QuerySet[Row]]) -> None:
        self.build = build
        self._kept: dict[str, _Kept] = {}

    def rows(self, **values: Value) -> list[Row]:
        connection = connections[DEFAULT_DB_ALIAS]
        kept = self._kept.get(connection.vendor)
        if kept is None:
            kept = self._kept[connection.vendor] = _keep(self.build, values, connection)
        parameters = list(kept.parameters)
        for name, value in values.items():
            filled = _as_parameter(value, connection)
            for place in kept.places[name]:
                parameters[place] = filled
        with connection.cursor() as cursor:
            cursor.execute(kept.sql, parameters)
            answer = cursor.fetchall()
        return [_made(kept, list(line), connection) for line in answer]

    def first(self, **values: Value) -> Row | None:
        """The first row of a statement that is ordered and limited, or None."""
        found = self.rows(**values)
        return found[0] if found else None


def _made(kept: _Kept, line: list[Any], connection: Any) -> Any:
    for place, converters, expression in kept.converters:
        for convert in converters:
            line[place] = convert(line[place], expression, connection)
    row = kept.model.from_db(DEFAULT_DB_ALIAS, kept.names, line[kept.fields])
    for related in kept.related:
        related.populate(line, row)
    for name, place in kept.annotations:
        setattr(row, name, line[place])
    return row


def _as_parameter(value: Value, connection: Any) -> Any:
    return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _mark(number: int, value: Value) -> Value:
    """A value that nobody passes, by which a place in the parameters is found again."""
    if isinstance(value, datetime):
        return datetime(1800, 1, 1, tzinfo=UTC) + timedelta(days=number)
    return f"\N{OBJECT REPLACEMENT CHARACTER}{number}"


def _keep(build: Callable[..., QuerySet[Any]], values: dict[str, Value], connection: Any) -> _Kept:
    marks = {name: _mark(number, value) for number, (name, value) in enumerate(values.items())}
    asked: Any = build(**marks)
    if asked._iterable_class is not ModelIterable or asked._prefetch_related_lookups:
        raise CannotKeep("only plain rows, without prefetching")
    compiler = asked.query.get_compiler(connection=connection)
    sql, parameters = compiler.as_sql()
    places = {
        name: tuple(place for place, found in enumerate(parameters) if found == _as_parameter(mark, connection))
        for name, mark in marks.items()
    }
    missing = [name for name, found in places.items() if not found]
    if missing:
        raise CannotKeep(f"not in the statement: {', '.join(missing)}")
    chosen = compiler.klass_info["select_fields"]
    fields = slice(chosen[0], chosen[-1] + 1)
    converters = compiler.get_converters([column for column, _sql, _alias in compiler.select])
    return _Kept(
        sql=sql,
        parameters=tuple(parameters),
        places=places,
        model=compiler.klass_info["model"],
        fields=fields,
        names=[column.target.attname for column, _sql, _alias in compiler.select[fields]],
        related=get_related_populators(compiler.klass_info, compiler.select, DEFAULT_DB_ALIAS),  # type: ignore[call-arg]
        annotations=tuple(compiler.annotation_col_map.items()),
        converters=tuple((place, found, expression) for place, (found, expression) in converters.items()),
    )
