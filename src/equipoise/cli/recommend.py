"""`equipoise recommend`."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import msgspec
from cyclopts import Parameter

from equipoise.cli.shared import (
    DEFAULT_CONFIG,
    Config,
    Json,
    one_line,
    opened,
    print_json,
    print_table,
    standard_input,
)
from equipoise.core import Decision, InputError, Request
from equipoise.engine import Engine, nearest

FIELDS = [field.name for field in fields(Request)]


def run(
    *,
    text: Annotated[
        str | None, Parameter(help="What the user asks; '-' reads it from standard input.")
    ] = None,
    user: Annotated[str | None, Parameter(help="The user_id; none is a stranger.")] = None,
    history: Annotated[str | None, Parameter(help="Liked item_ids, oldest first: i7,i9.")] = None,
    slots: Annotated[int, Parameter(help="How many items to show.")] = 10,
    attribute: Annotated[
        tuple[str, ...], Parameter(negative="", help="A fact of the moment: device=phone.")
    ] = (),
    filter: Annotated[  # noqa: A002
        tuple[str, ...], Parameter(negative="", help="An attribute items must have: category=shoes.")
    ] = (),
    items: Annotated[str | None, Parameter(help="Rank only these item_ids: i1,i2.")] = None,
    exclude: Annotated[str | None, Parameter(help="Never show these item_ids.")] = None,
    pin: Annotated[tuple[str, ...], Parameter(negative="", help="Fill a slot without dice: 0=i3.")] = (),
    request: Annotated[str | None, Parameter(help="A whole request as JSON; '-' reads it.")] = None,
    config: Config = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Answer one request with a slate, and journal it.

    Example: equipoise recommend --text "shoes for wet trails" --user u1 --history i7,i9 --slots 5
    """
    if request is not None:
        asked = _from_json(standard_input() if request == "-" else request)
    else:
        asked = Request(
            text=standard_input().strip() if text == "-" else text,
            user_id=user,
            history=_ids(history),
            attributes=dict(_pair(entry) for entry in attribute),
            filters=dict(_pair(entry) for entry in filter),
            items=_ids(items),
            exclude=_ids(exclude) or (),
            pinned=dict(_pin(entry) for entry in pin),
        )
    with opened(config) as engine:
        decision = engine.recommend(asked, slots=slots)
        if json:
            print_json(as_json(decision))
        else:
            show(engine, decision)


def as_json(decision: Decision) -> dict[str, Any]:
    """The decision's public shape: no candidate that was not shown."""
    slots = [
        {
            "slot": slot.slot,
            "item_id": slot.item_id,
            "propensity": slot.propensity,
            "probability": slot.probability,
            "source": slot.source,
        }
        for slot in decision.slots
    ]
    return {"decision_id": decision.decision_id, "policy": decision.policy, "slots": slots}


def show(engine: Engine, decision: Decision) -> None:
    """The slate as a table, each item with its text."""
    rows = [
        (
            str(slot.slot),
            slot.item_id,
            one_line(engine.text_of(slot.item_id)),
            f"{slot.propensity:.3f}",
            slot.source,
        )
        for slot in decision.slots
    ]
    title = f"decision {decision.decision_id} by {decision.policy}"
    print_table(title, ("slot", "item_id", "text", "propensity", "source"), rows)


def _from_json(text: str) -> Request:
    try:
        given = msgspec.json.decode(text, type=dict[str, Any])
        unknown = next((key for key in given if key not in FIELDS), None)
        if unknown is not None:
            raise InputError(f"a request has no '{unknown}'{nearest(unknown, FIELDS)}")
        return msgspec.convert(given, Request, strict=False)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(
            f'the request is not one ({error}): give a JSON object such as {{"text": "shoes"}}'
        ) from error


def _ids(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else tuple(part.strip() for part in text.split(",") if part.strip())


def _pair(entry: str) -> tuple[str, Any]:
    """`hour=21` to ("hour", 21.0); a value that is no number stays text."""
    name, separator, value = entry.partition("=")
    if not separator or not name:
        raise InputError(f"'{entry}' is not NAME=VALUE: write it as device=phone")
    if value in ("true", "false"):
        return name, value == "true"
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _pin(entry: str) -> tuple[int, str]:
    slot, separator, item_id = entry.partition("=")
    if not separator or not slot.isdecimal():
        raise InputError(f"'{entry}' is not SLOT=ITEM_ID: write it as 0=i3")
    return int(slot), item_id
