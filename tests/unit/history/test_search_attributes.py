"""The rules for search attributes in decisions."""

from __future__ import annotations

from tenuto_api import api
from tenuto_server.history.engine import search_attributes
from tenuto_server.visibility.attributes import AttributeLimits, AttributeRules


def given(**values: bytes) -> api.SearchAttributes:
    return api.SearchAttributes(indexed_fields={key: api.Payload(data=data) for key, data in values.items()})


def decisions(**values: bytes) -> list[api.Decision]:
    """One of each kind that sets search attributes, after one that does not."""
    made = [api.Decision() for _ in range(4)]
    made[0].start_timer_decision_attributes.timer_id = "t"
    made[1].upsert_workflow_search_attributes_decision_attributes.search_attributes.CopyFrom(given(**values))
    made[2].start_child_workflow_execution_decision_attributes.search_attributes.CopyFrom(given(**values))
    made[3].continue_as_new_workflow_execution_decision_attributes.search_attributes.CopyFrom(given(**values))
    return made


def test_keys_that_decisions_set_are_named() -> None:
    assert search_attributes.names(decisions(A=b"1", B=b"2")) == {"A", "B"}
    assert search_attributes.names([]) == set()


def test_each_kind_of_decision_fails_with_its_cause() -> None:
    rules = AttributeRules(limits=AttributeLimits(keys_max=2))
    assert search_attributes.fault(decisions(CustomIntField=b"1", CadenceChangeVersion=b'["a-1"]'), rules) is None
    causes = []
    for one in decisions(Unknown=b"1"):
        fault = search_attributes.fault([one], rules)
        if fault is not None:
            causes.append(fault[0])
            assert fault[1] == "Unknown is not a valid search attribute key"
    assert causes == [
        api.DECISION_TASK_FAILED_CAUSE_BAD_SEARCH_ATTRIBUTES,
        api.DECISION_TASK_FAILED_CAUSE_BAD_START_CHILD_EXECUTION_ATTRIBUTES,
        api.DECISION_TASK_FAILED_CAUSE_BAD_CONTINUE_AS_NEW_ATTRIBUTES,
    ]
