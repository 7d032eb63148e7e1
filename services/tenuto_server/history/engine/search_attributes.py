"""The rules for search attributes in decisions: registered keys, values of their types, within the limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenuto_api import api
from tenuto_server.visibility.attributes import AttributeRules
from tenuto_server.visibility.attributes import fault as attributes_fault

_CAUSES = {
    "upsert_workflow_search_attributes_decision_attributes": api.DECISION_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
    "start_child_workflow_execution_decision_attributes": (
        api.DECISION_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES
    ),
    "continue_as_new_workflow_execution_decision_attributes": (
        api.DECISION_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES
    ),
}


def names(decisions: Iterable[api.Decision]) -> set[str]:
    """The keys that decisions set."""
    return {name for _, given in _given(decisions) for name in given.indexed_fields}


def fault(decisions: Iterable[api.Decision], rules: AttributeRules) -> tuple[api.DecisionTaskFailedCause, str] | None:
    """The first search attributes that break a rule, as cause and message; None where none do."""
    for cause, given in _given(decisions):
        message = attributes_fault(given, rules.types, rules.limits)
        if message:
            return cause, message
    return None


def _given(decisions: Iterable[api.Decision]) -> Iterator[tuple[api.DecisionTaskFailedCause, api.SearchAttributes]]:
    for wanted in decisions:
        name = wanted.WhichOneof("attributes")
        cause = _CAUSES.get(name) if name is not None else None
        if name is not None and cause is not None and getattr(wanted, name).HasField("search_attributes"):
            yield cause, getattr(wanted, name).search_attributes
