"""All transitions of the engine's state machines, as `arrows` names them: the scenarios must draw each, and no other.

A new transition belongs here, with a scenario that draws it. "(numbered)" is a buffered event getting its id. Within a turn a
machine may pass through a status that no command finds it in. "owed": the run has closed, and a call is still to be made.
"""

from __future__ import annotations

TRANSITIONS = """
run: delayed --DecisionTaskScheduled--> open
run: delayed --WorkflowExecutionCancelRequested--> delayed, to cancel
run: delayed --WorkflowExecutionTerminated--> terminated
run: delayed, to cancel --DecisionTaskScheduled--> open, to cancel
run: none --Forked--> delayed
run: none --Forked--> open
run: none --Forked--> open, to cancel
run: none --WorkflowExecutionStarted--> delayed
run: none --WorkflowExecutionStarted--> open
run: open --WorkflowExecutionCancelRequested--> open, to cancel
run: open --WorkflowExecutionCanceled--> canceled
run: open --WorkflowExecutionCompleted--> completed
run: open --WorkflowExecutionContinuedAsNew--> continued as new
run: open --WorkflowExecutionFailed--> failed
run: open --WorkflowExecutionTerminated--> terminated
run: open --WorkflowExecutionTimedOut--> timed out
run: open, to cancel --WorkflowExecutionCanceled--> canceled
run: open, to cancel --WorkflowExecutionCompleted--> completed
run: open, to cancel --WorkflowExecutionTerminated--> terminated
run: open, to cancel --WorkflowExecutionTimedOut--> timed out

decision: none --DecisionScheduled--> scheduled, transient
decision: none --DecisionTaskScheduled--> scheduled
decision: none --DecisionTaskScheduled--> scheduled, sticky
decision: scheduled --(the run closes)--> none
decision: scheduled --DecisionContinued--> scheduled
decision: scheduled --DecisionTaskStarted--> started
decision: scheduled, sticky --(the run closes)--> none
decision: scheduled, sticky --DecisionContinued--> scheduled, sticky
decision: scheduled, sticky --DecisionMoved--> scheduled
decision: scheduled --DecisionMoved--> scheduled
decision: scheduled, sticky --DecisionTaskStarted--> started
decision: scheduled, sticky --DecisionTaskTimedOut:SCHEDULE_TO_START--> none
decision: scheduled --DecisionTaskTimedOut:SCHEDULE_TO_START--> none
decision: scheduled, transient --(the run closes)--> none
decision: scheduled, transient --DecisionStarted--> started, transient
decision: scheduled, transient --DecisionTaskScheduled--> scheduled
decision: started --DecisionTaskCompleted--> none
decision: started --DecisionTaskFailed--> none
decision: started --DecisionTaskTimedOut:START_TO_CLOSE--> none
decision: started, transient --DecisionDropped--> none
decision: started, transient --DecisionTaskScheduled--> scheduled

activity: none --ActivityTaskScheduled--> scheduled
activity: none --Forked--> scheduled
activity: none --Forked--> scheduled, to cancel
activity: retrying --(the run closes)--> none
activity: retrying --ActivityTaskCancelRequested--> retrying, to cancel
activity: retrying --ActivityTaskTimedOut:SCHEDULE_TO_CLOSE--> none
activity: retrying --ActivityTaskTimedOut:SCHEDULE_TO_START--> none
activity: retrying --AttemptFailed--> retrying
activity: retrying --AttemptStarted--> started
activity: retrying, to cancel --ActivityTaskCanceled--> none
activity: scheduled --(the run closes)--> none
activity: scheduled --ActivityTaskCancelRequested--> scheduled, to cancel
activity: scheduled --ActivityTaskStarted--> started
activity: scheduled --ActivityTaskTimedOut:SCHEDULE_TO_CLOSE--> none
activity: scheduled --ActivityTaskTimedOut:SCHEDULE_TO_START--> none
activity: scheduled --AttemptFailed--> retrying
activity: scheduled --AttemptStarted--> started
activity: scheduled, to cancel --ActivityTaskCanceled--> none
activity: scheduled, to cancel --AttemptStarted--> started, to cancel
activity: started --(the run closes)--> none
activity: started --ActivityTaskCancelRequested--> started, to cancel
activity: started --ActivityTaskCompleted--> none
activity: started --ActivityTaskFailed--> none
activity: started --ActivityTaskStarted--> started
activity: started --ActivityTaskStarted (numbered)--> started
activity: started --ActivityTaskTimedOut:HEARTBEAT--> none
activity: started --ActivityTaskTimedOut:SCHEDULE_TO_CLOSE--> none
activity: started --ActivityTaskTimedOut:START_TO_CLOSE--> none
activity: started --AttemptFailed--> retrying
activity: started --Heartbeat--> started
activity: started, to cancel --(the run closes)--> none
activity: started, to cancel --ActivityTaskCanceled--> none
activity: started, to cancel --ActivityTaskCompleted--> none
activity: started, to cancel --ActivityTaskFailed--> none
activity: started, to cancel --ActivityTaskStarted--> started, to cancel
activity: started, to cancel --ActivityTaskStarted (numbered)--> started, to cancel
activity: started, to cancel --ActivityTaskTimedOut:HEARTBEAT--> none
activity: started, to cancel --ActivityTaskTimedOut:SCHEDULE_TO_CLOSE--> none
activity: started, to cancel --ActivityTaskTimedOut:START_TO_CLOSE--> none
activity: started, to cancel --Heartbeat--> started, to cancel

timer: fired, unseen --TimerCanceled--> none
timer: fired, unseen --TimerFired (numbered)--> none
timer: none --Forked--> running
timer: none --TimerStarted--> running
timer: running --(the run closes)--> none
timer: running --TimerCanceled--> none
timer: running --TimerFired--> fired, unseen
timer: running --TimerFired--> none

child: initiated --(the run closes)--> initiated, owed
child: initiated --(the run closes)--> none
child: initiated --ChildWorkflowExecutionStarted--> started
child: initiated --StartChildWorkflowExecutionFailed--> none
child: initiated, owed --CallSettled--> none
child: initiated, owed --CallSettled--> started, owed
child: none --StartChildWorkflowExecutionInitiated--> initiated
child: started --(the run closes)--> none
child: started --(the run closes)--> started, owed
child: started --ChildWorkflowExecutionCanceled--> none
child: started --ChildWorkflowExecutionCompleted--> none
child: started --ChildWorkflowExecutionFailed--> none
child: started --ChildWorkflowExecutionStarted (numbered)--> started
child: started --ChildWorkflowExecutionTerminated--> none
child: started --ChildWorkflowExecutionTimedOut:START_TO_CLOSE--> none
child: started, owed --CallSettled--> none

signal: initiated --(the run closes)--> initiated, owed
signal: initiated --ExternalWorkflowExecutionSignaled--> none
signal: initiated --SignalExternalWorkflowExecutionFailed--> none
signal: initiated, owed --CallSettled--> none
signal: none --SignalExternalWorkflowExecutionInitiated--> initiated

cancel: initiated --(the run closes)--> initiated, owed
cancel: initiated --ExternalWorkflowExecutionCancelRequested--> none
cancel: initiated --RequestCancelExternalWorkflowExecutionFailed--> none
cancel: initiated, owed --CallSettled--> none
cancel: none --RequestCancelExternalWorkflowExecutionInitiated--> initiated

parent: none --(the run closes)--> to be told
parent: to be told --CallSettled--> none
"""
