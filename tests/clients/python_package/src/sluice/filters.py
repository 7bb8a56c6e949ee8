"""Conditions on metadata, written as Python's own comparisons.

    where = sluice.all_of(sluice.field("year") >= 2000, sluice.field("genre").one_of("essay", "novel"))
    where = {"genre": "essay"}          # the same as field("genre") == "essay"
"""

from __future__ import annotations

from typing import Any, Iterable, Mapping, Union

from sluice.v1 import filter_pb2

from .model import Value, value_message

Where = Union[filter_pb2.Filter, filter_pb2.Condition, Mapping[str, Any], None]


class field:
    """A metadata field, to be compared."""

    def __init__(self, name: str):
        self._name = name

    def _condition(self, **test) -> filter_pb2.Condition:
        return filter_pb2.Condition(field=self._name, **test)

    def __eq__(self, value: Value) -> filter_pb2.Condition:  # type: ignore[override]
        return self._condition(equal_to=value_message(value))

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, value: Value) -> filter_pb2.Condition:
        return self._condition(range=filter_pb2.ValueRange(lt=value_message(value)))

    def __le__(self, value: Value) -> filter_pb2.Condition:
        return self._condition(range=filter_pb2.ValueRange(lte=value_message(value)))

    def __gt__(self, value: Value) -> filter_pb2.Condition:
        return self._condition(range=filter_pb2.ValueRange(gt=value_message(value)))

    def __ge__(self, value: Value) -> filter_pb2.Condition:
        return self._condition(range=filter_pb2.ValueRange(gte=value_message(value)))

    def one_of(self, *values: Value) -> filter_pb2.Condition:
        messages = [value_message(value) for value in values]
        return self._condition(one_of=filter_pb2.ValueSet(values=messages))

    def prefix(self, text: str) -> filter_pb2.Condition:
        return self._condition(prefix=text)

    def exists(self, wanted: bool = True) -> filter_pb2.Condition:
        return self._condition(exists=wanted)


def _conditions(where: Iterable[Where]) -> list:
    found = []
    for each in where:
        if isinstance(each, Mapping):
            found += [field(name) == value for name, value in each.items()]
        else:
            found.append(each)
    return found


def all_of(*where: Where, documents: Iterable[str] = ()) -> filter_pb2.Filter:
    """Chunks for which all of these hold; documents: of these documents alone."""
    made = filter_pb2.Filter(all_of=_conditions(where))
    ids = list(documents)
    if ids:
        made.document_ids.ids.extend(ids)
    return made


def any_of(*where: Where) -> filter_pb2.Filter:
    return filter_pb2.Filter(any_of=filter_pb2.Conditions(conditions=_conditions(where)))


def none_of(*where: Where) -> filter_pb2.Filter:
    return filter_pb2.Filter(none_of=_conditions(where))


def filter_message(where: Where) -> filter_pb2.Filter | None:
    if where is None or isinstance(where, filter_pb2.Filter):
        return where
    return all_of(where)
