"""Finding the workflows and activities that a module defines, for hosts that are given modules by name."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from tenuto._replay.definition import definition_of


def definitions_in(module: ModuleType) -> tuple[list[Any], list[Any]]:
    """The workflows (classes and functions) and activities (functions) that stand in the module by a name of their own,
    made there or imported, each once and in the order they stand."""
    workflows: dict[int, Any] = {}
    activities: dict[int, Any] = {}
    for found in vars(module).values():
        if isinstance(getattr(found, "__tenuto_activity__", None), str):
            activities[id(found)] = found
        elif _is_workflow(found):
            workflows[id(found)] = found
    return list(workflows.values()), list(activities.values())


def _is_workflow(found: Any) -> bool:
    if not callable(found):
        return False
    try:
        definition_of(found)
    except TypeError:
        return False
    return True
