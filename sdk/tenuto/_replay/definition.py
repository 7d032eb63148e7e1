"""What `workflow.defn`, `run`, `signal` and `query` make of a class or function: a definition that can be run by name."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

F = TypeVar("F", bound=Callable[..., Any])
W = TypeVar("W", bound=Callable[..., Any])  # a class or a function

_RUN = "__tenuto_run__"
_SIGNAL = "__tenuto_signal__"
_QUERY = "__tenuto_query__"
_DEFINITION = "__tenuto_workflow__"


@dataclass(frozen=True, slots=True)
class Signature:
    """The types of a function's positional parameters, and of what it returns (Any where not annotated)."""

    parameters: tuple[Any, ...]
    returns: Any

    @classmethod
    def of(cls, function: Callable[..., Any], *, method: bool = False) -> Signature:
        """Reads annotations; `method` drops the first parameter. Names that cannot be resolved count as Any."""
        try:
            hints = typing.get_type_hints(function, include_extras=False)
        except (NameError, TypeError):  # a name of another scope; an object with __call__
            hints = {}
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [name for name, parameter in inspect.signature(function).parameters.items() if parameter.kind in kinds]
        types = tuple(hints.get(name, Any) for name in (names[1:] if method else names))
        return cls(types, hints.get("return", Any))


@dataclass(frozen=True, slots=True)
class Handler:
    """A signal or query handler: called with the decoded arguments."""

    function: Callable[..., Any]
    parameters: tuple[Any, ...]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Handler:
        """A handler of a plain function or bound method."""
        return cls(function, Signature.of(function).parameters)


@dataclass(frozen=True, slots=True)
class WorkflowDefinition:
    """A workflow type: its name, the class (None for a function), what to run, and its handlers by name."""

    name: str
    cls: type | None
    run: Callable[..., Any]
    signature: Signature
    signals: dict[str, Handler] = field(default_factory=dict)
    queries: dict[str, Handler] = field(default_factory=dict)


def _mark(attribute: str, function: F | None, name: str | None) -> Any:
    def decorate(target: F) -> F:
        setattr(target, attribute, name or target.__name__)
        return target

    return decorate if function is None else decorate(function)


def run(function: F) -> F:
    """Marks the method that is the workflow: `async def run(self, ...)`."""
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{function.__qualname__}: the run method of a workflow must be async")
    setattr(function, _RUN, True)
    return function


@overload
def signal(function: F) -> F: ...
@overload
def signal(*, name: str | None = None) -> Callable[[F], F]: ...
def signal(function: F | None = None, *, name: str | None = None) -> Any:
    """Marks a method, plain or async, as the handler of a signal (named as the method, or `name`)."""
    return _mark(_SIGNAL, function, name)


@overload
def query(function: F) -> F: ...
@overload
def query(*, name: str | None = None) -> Callable[[F], F]: ...
def query(function: F | None = None, *, name: str | None = None) -> Any:
    """Marks a plain method as the handler of a query: it answers from state and must change nothing."""
    if function is not None and inspect.iscoroutinefunction(function):
        raise TypeError(f"{function.__qualname__}: a query handler must be a plain function")
    return _mark(_QUERY, function, name)


@overload
def defn(target: W) -> W: ...
@overload
def defn(*, name: str | None = None) -> Callable[[W], W]: ...
def defn(target: W | None = None, *, name: str | None = None) -> Any:
    """Makes a workflow of a class with one `@workflow.run` method, or of an async function. `name` is its type's name."""

    def decorate(subject: W) -> W:
        definition = _of_class(subject, name) if isinstance(subject, type) else _of_function(subject, name)
        setattr(subject, _DEFINITION, definition)
        if definition.cls is not None:
            setattr(definition.run, _DEFINITION, definition)
        return subject

    return decorate if target is None else decorate(target)


def _of_class(cls: type, name: str | None) -> WorkflowDefinition:
    members = [member for _, member in inspect.getmembers(cls, inspect.isfunction)]
    runs = [member for member in members if getattr(member, _RUN, False)]
    if len(runs) != 1:
        raise TypeError(f"workflow {cls.__qualname__} must have exactly one method marked @workflow.run, it has {len(runs)}")

    def handlers(mark: str) -> dict[str, Handler]:
        marked = [member for member in members if hasattr(member, mark)]
        return {getattr(m, mark): Handler(m, Signature.of(m, method=True).parameters) for m in marked}

    signature = Signature.of(runs[0], method=True)
    return WorkflowDefinition(name or cls.__name__, cls, runs[0], signature, handlers(_SIGNAL), handlers(_QUERY))


def _of_function(function: Callable[..., Any], name: str | None) -> WorkflowDefinition:
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{function.__qualname__}: a workflow function must be async")
    return WorkflowDefinition(name or function.__name__, None, function, Signature.of(function))


def definition_of(target: Any) -> WorkflowDefinition:
    """The definition of a workflow class, its run method, or a workflow function. Raises TypeError for anything else."""
    found = getattr(target, _DEFINITION, None)
    if not isinstance(found, WorkflowDefinition):
        raise TypeError(f"{target!r} is no workflow: decorate it with @workflow.defn")
    if isinstance(target, type) and found.cls is not target:
        raise TypeError(f"{target.__qualname__} inherits from a workflow but is not decorated with @workflow.defn itself")
    return found


def workflow_name(target: Any) -> str:
    """The type's name for whatever a caller may pass for a workflow: a name, class, run method or function."""
    return target if isinstance(target, str) else definition_of(target).name


def workflow_result_type(target: Any) -> Any:
    """The type of a workflow's result; Any for a workflow given by name."""
    return Any if isinstance(target, str) else definition_of(target).signature.returns


def activity_name(target: Any) -> str:
    """The type's name for whatever a caller may pass for an activity: a name, or a function or method."""
    if isinstance(target, str):
        return target
    return str(getattr(target, "__tenuto_activity__", None) or target.__name__)
