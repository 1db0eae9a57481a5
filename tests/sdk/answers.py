"""Answers that have every member the official SDK's models know, made from those models; values differ as far as their types allow."""

import inspect
import itertools
import types
import typing
from datetime import datetime

import pydantic
from openrouter.types.basemodel import Unset
from typing_extensions import TypeAliasType

from sdk import official

# What there is: the least arguments, and the status of success.
OPERATIONS = {
    "embeddings.generate": ({"input": "a", "model": "m"}, 200),
    "embeddings.list_models": ({}, 200),
    "models.list": ({}, 200),
    "models.count": ({}, 200),
    "models.list_for_user": ({"bearer": "b"}, 200),
    "models.get": ({"author": "a", "slug": "b"}, 200),
    "endpoints.list": ({"author": "a", "slug": "b"}, 200),
    "endpoints.list_zdr_endpoints": ({}, 200),
    "providers.list": ({}, 200),
    "api_keys.get_current_key_metadata": ({}, 200),
    "api_keys.list": ({}, 200),
    "api_keys.create": ({"name": "n"}, 201),
    "api_keys.get": ({"hash": "h"}, 200),
    "api_keys.update": ({"hash": "h", "name": "n"}, 200),
    "api_keys.delete": ({"hash": "h"}, 200),
    "credits.get_credits": ({}, 200),
    "generations.get_generation": ({"id": "g"}, 200),
    "analytics.get_user_activity": ({}, 200),
    "byok.list": ({}, 200),
    "byok.create": ({"provider": "openai", "key": "k"}, 201),
    "byok.get": ({"id": "i"}, 200),
    "byok.update": ({"id": "i", "name": "n"}, 200),
    "byok.delete": ({"id": "i"}, 200),
}


def choices(annotation) -> list:
    """What a value may be, without null and what stands for an absent one."""
    if isinstance(annotation, TypeAliasType):
        return choices(annotation.__value__)
    origin = typing.get_origin(annotation)
    if isinstance(origin, TypeAliasType):
        return choices(origin.__value__[typing.get_args(annotation)])
    if origin is typing.Annotated:
        return choices(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [choice for of in typing.get_args(annotation) for choice in choices(of)]
    return [] if annotation in (type(None), Unset) else [annotation]


class Filler:
    """`bits`: which bit of its number a bool shows, as a single answer cannot have all of them differ."""

    def __init__(self, bits: int = 0):
        self.bits = bits
        self.numbers = itertools.count(3)
        self.flags = itertools.count(1)

    def fill(self, annotation):
        # Of known values and any text or number, which the official SDK sometimes drops, the known ones come first.
        choice = choices(annotation)[0]
        origin, of = typing.get_origin(choice), typing.get_args(choice)
        if origin is typing.Literal:
            return of[next(self.numbers) % len(of)]
        if origin is list:
            return [self.fill(of[0])] + ([] if is_model(choices(of[0])[0]) else [self.fill(of[0])])
        if origin is dict:
            return {f"name{next(self.numbers)}": self.fill(of[1])}
        if is_model(choice):
            return {field.alias or name: self.fill(field.annotation) for name, field in choice.model_fields.items()}
        if choice is bool:
            return bool(next(self.flags) >> self.bits & 1)
        n = next(self.numbers)
        if choice is datetime:
            return f"2026-01-02T03:{n // 60:02}:{n % 60:02}Z"
        return str(n) if issubclass(choice, str) else n if issubclass(choice, int) else n + 0.5


def is_model(of) -> bool:
    return inspect.isclass(of) and issubclass(of, pydantic.BaseModel)


def model_of(name: str) -> type[pydantic.BaseModel]:
    """Of the body of the answer to an operation."""
    model = next(of for of in choices(typing.get_type_hints(official.method(name))["return"]) if is_model(of))
    return choices(model.model_fields["result"].annotation)[0] if "result" in model.model_fields else model


def answer_to(name: str, bits: int = 0) -> dict:
    return Filler(bits).fill(model_of(name))


def plain(value):
    """JSON without nulls, as absent and null say the same."""
    if isinstance(value, dict):
        return {key: plain(of) for key, of in value.items() if of is not None}
    return [plain(of) for of in value] if isinstance(value, list) else value


# Members whose names in C++ are others.
SPELLED = {"automatic": "auto", "models": "data", "keys": "data"}


def spelled(value):
    if isinstance(value, dict):
        return {SPELLED.get(key, key): spelled(of) for key, of in value.items()}
    return [spelled(of) for of in value] if isinstance(value, list) else value


def value_of(reply):
    """What the official SDK returned, as the driver prints it."""
    body = getattr(reply, "result", reply).model_dump(mode="json", by_alias=True, exclude_unset=True)
    if list(body) == ["data"]:
        body = body["data"]
    if list(body) in (["count"], ["deleted"]):
        return next(iter(body.values()))
    return plain(body)
