package foreign;

import com.google.gson.Gson;
import com.uber.cadence.CountWorkflowExecutionsRequest;
import com.uber.cadence.DescribeWorkflowExecutionRequest;
import com.uber.cadence.EventType;
import com.uber.cadence.GetWorkflowExecutionHistoryRequest;
import com.uber.cadence.GetWorkflowExecutionHistoryResponse;
import com.uber.cadence.HistoryEvent;
import com.uber.cadence.ListWorkflowExecutionsRequest;
import com.uber.cadence.RegisterDomainRequest;
import com.uber.cadence.ResetWorkflowExecutionRequest;
import com.uber.cadence.StartWorkflowExecutionRequest;
import com.uber.cadence.TaskList;
import com.uber.cadence.TerminateWorkflowExecutionRequest;
import com.uber.cadence.WorkflowExecution;
import com.uber.cadence.WorkflowIdReusePolicy;
import com.uber.cadence.WorkflowType;
import com.uber.cadence.client.WorkflowClient;
import com.uber.cadence.client.WorkflowClientOptions;
import com.uber.cadence.client.WorkflowOptions;
import com.uber.cadence.client.WorkflowStub;
import com.uber.cadence.common.WorkflowExecutionHistory;
import com.uber.cadence.internal.compatibility.Thrift2ProtoAdapter;
import com.uber.cadence.internal.compatibility.proto.serviceclient.IGrpcServiceStubs;
import com.uber.cadence.serviceclient.ClientOptions;
import com.uber.cadence.serviceclient.IWorkflowService;
import com.uber.cadence.worker.Worker;
import com.uber.cadence.worker.WorkerFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A program of the official Java client: it knows nothing of this project. Arguments: port, domain. Registers the domain, serves
 * a task list, plays the scenarios at the same time and prints what came of each as one JSON object.
 */
public final class Main {
  private static final String TASK_LIST = "foreign";
  private static final int WAIT_SECONDS = 60;

  private static IWorkflowService service;
  private static WorkflowClient client;
  private static String domain;

  private interface Scenario {
    Object play() throws Exception;
  }

  private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    domain = arguments[1];
    ClientOptions target =
        ClientOptions.newBuilder().setHost("127.0.0.1").setPort(Integer.parseInt(arguments[0])).build();
    service = new Thrift2ProtoAdapter(IGrpcServiceStubs.newInstance(target));
    client =
        WorkflowClient.newInstance(service, WorkflowClientOptions.newBuilder().setDomain(domain).build());
    service.RegisterDomain(
        new RegisterDomainRequest().setName(domain).setWorkflowExecutionRetentionPeriodInDays(1));
    WorkerFactory factory = WorkerFactory.newInstance(client);
    Worker worker = factory.newWorker(TASK_LIST);
    worker.registerWorkflowImplementationTypes(Types.ParentImpl.class, Types.ChildImpl.class);
    worker.registerActivitiesImplementations(new Types.ActivitiesImpl(), new Types.LocalActivitiesImpl());
    factory.start();
    define();
    System.out.println(new Gson().toJson(playAll()));
    System.exit(0);
  }

  private static Map<String, Object> playAll() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(8);
    Map<String, Future<Object>> playing = new LinkedHashMap<>();
    SCENARIOS.forEach((name, scenario) -> playing.put(name, pool.submit(() -> outcome(scenario))));
    Map<String, Object> found = new LinkedHashMap<>();
    for (Map.Entry<String, Future<Object>> entry : playing.entrySet()) {
      found.put(entry.getKey(), entry.getValue().get(150, TimeUnit.SECONDS));
    }
    return found;
  }

  /** What a scenario returned, or the names and last message of what it threw. */
  private static Object outcome(Scenario scenario) {
    try {
      return scenario.play();
    } catch (Throwable thrown) {
      Throwable error = thrown instanceof ExecutionException ? thrown.getCause() : thrown;
      StringBuilder names = new StringBuilder(error.getClass().getSimpleName());
      while (error.getCause() != null && error.getCause() != error) {
        error = error.getCause();
        names.append(" < ").append(error.getClass().getSimpleName());
      }
      if (error instanceof RuntimeException && error.getMessage() == null) {
        return names + ": " + error.getMessage() + " at " + error.getStackTrace()[0];
      }
      return names + ": " + error.getMessage();
    }
  }

  private static void define() {
    for (String kind : new String[] {"greeting", "beating", "giving up", "timing out", "child", "failing child",
        "cancelled scope", "effects", "failing"}) {
      SCENARIOS.put(kind, () -> result(start(kind, 0)));
    }
    SCENARIOS.put("stubborn", () -> result(start("stubborn", 2)));
    SCENARIOS.put("continuing", () -> result(start("continuing", 3)));
    SCENARIOS.put("locals", () -> result(start("locals", 5)));
    SCENARIOS.put("sticky steps", Main::stickySteps);
    SCENARIOS.put("signals and queries", Main::signalsAndQueries);
    SCENARIOS.put("signal with start", Main::signalWithStart);
    SCENARIOS.put("cron", Main::cron);
    SCENARIOS.put("cancelled", () -> cancel("cancelled"));
    SCENARIOS.put("cancelled activity", Main::cancelledActivity);
    SCENARIOS.put("parent close policy", Main::parentClosePolicy);
    SCENARIOS.put("external signal", Main::externalSignal);
    SCENARIOS.put("terminated", Main::terminated);
    SCENARIOS.put("reuse", Main::reuse);
    SCENARIOS.put("search", Main::search);
    SCENARIOS.put("reset", Main::reset);
    SCENARIOS.put("no such workflow", () -> result(client.newUntypedWorkflowStub("java-nothing", Optional.empty(), Optional.empty())));
  }

  private static WorkflowOptions.Builder options(String id) {
    return new WorkflowOptions.Builder()
        .setWorkflowId("java-" + id.replace(' ', '-'))
        .setTaskList(TASK_LIST)
        .setExecutionStartToCloseTimeout(Duration.ofSeconds(120))
        .setTaskStartToCloseTimeout(Duration.ofSeconds(10));
  }

  private static WorkflowStub stub(String id) {
    return client.newUntypedWorkflowStub("Foreign", options(id).build());
  }

  private static WorkflowStub start(String id, String kind, int number) {
    WorkflowStub stub = stub(id);
    stub.start(kind, number);
    return stub;
  }

  private static WorkflowStub start(String kind, int number) {
    return start(kind, kind, number);
  }

  private static String result(WorkflowStub stub) throws Exception {
    return stub.getResult(WAIT_SECONDS, TimeUnit.SECONDS, String.class);
  }

  private static <T> T eventually(java.util.concurrent.Callable<T> look, Predicate<T> enough) throws Exception {
    long end = System.currentTimeMillis() + 30_000;
    T found = look.call();
    while (!enough.test(found)) {
      if (System.currentTimeMillis() > end) {
        throw new IllegalStateException("still " + found);
      }
      Types.pause(100);
      found = look.call();
    }
    return found;
  }

  private static List<HistoryEvent> history(WorkflowExecution execution) throws Exception {
    List<HistoryEvent> events = new ArrayList<>();
    byte[] token = null;
    do {
      GetWorkflowExecutionHistoryRequest request =
          new GetWorkflowExecutionHistoryRequest().setDomain(domain).setExecution(execution);
      if (token != null) {
        request.setNextPageToken(token);
      }
      GetWorkflowExecutionHistoryResponse page = service.GetWorkflowExecutionHistory(request);
      events.addAll(page.getHistory().getEvents());
      token = page.getNextPageToken();
    } while (token != null && token.length > 0);
    return events;
  }

  private static long countOf(List<HistoryEvent> events, EventType kind) {
    return events.stream().filter(event -> event.getEventType() == kind).count();
  }

  /** Many decisions in a row by a worker that caches; then its history is replayed by a worker that never saw it. */
  private static Object stickySteps() throws Exception {
    WorkflowStub stub = start("steps", 12);
    String result = result(stub);
    Worker replayer = WorkerFactory.newInstance(client).newWorker("replay");
    replayer.registerWorkflowImplementationTypes(Types.ParentImpl.class);
    replayer.replayWorkflowExecution(new WorkflowExecutionHistory(history(stub.getExecution())));
    return result + ", replayed";
  }

  private static Object signalsAndQueries() throws Exception {
    WorkflowStub stub = start("words", 3);
    eventually(() -> stub.query("words", String.class), ""::equals);
    stub.signal("add", "one");
    stub.signal("add", "two");
    String open = eventually(() -> stub.query("words", String.class), "one,two"::equals);
    stub.signal("add", "three");
    String result = result(stub);
    return open + " then " + result + " and closed " + stub.query("words", String.class);
  }

  private static Object signalWithStart() throws Exception {
    WorkflowExecution first =
        stub("both").signalWithStart("add", new Object[] {"a"}, new Object[] {"words", 2});
    WorkflowStub again = stub("both");
    WorkflowExecution second = again.signalWithStart("add", new Object[] {"b"}, new Object[] {"words", 2});
    return first.getRunId().equals(second.getRunId()) + " " + result(again);
  }

  private static Object cron() throws Exception {
    StartWorkflowExecutionRequest request =
        new StartWorkflowExecutionRequest()
            .setDomain(domain)
            .setWorkflowId("java-cron")
            .setWorkflowType(new WorkflowType().setName("Foreign"))
            .setTaskList(new TaskList().setName(TASK_LIST))
            .setInput("[\"tick\",0]".getBytes(StandardCharsets.UTF_8))
            .setExecutionStartToCloseTimeoutSeconds(60)
            .setTaskStartToCloseTimeoutSeconds(10)
            .setRequestId(UUID.randomUUID().toString())
            .setCronSchedule("@every 1s");
    service.StartWorkflowExecution(request);
    eventually(() -> Types.COUNTS.containsKey("tick") ? Types.COUNTS.get("tick").get() : 0, ticks -> ticks >= 3);
    service.TerminateWorkflowExecution(
        new TerminateWorkflowExecutionRequest()
            .setDomain(domain)
            .setWorkflowExecution(new WorkflowExecution().setWorkflowId("java-cron"))
            .setReason("enough"));
    return "ticked";
  }

  private static Object cancel(String kind) throws Exception {
    WorkflowStub stub = start(kind, 0);
    eventually(() -> countOf(history(stub.getExecution()), EventType.TimerStarted), timers -> timers == 1);
    stub.cancel();
    return outcome(() -> result(stub));
  }

  private static Object cancelledActivity() throws Exception {
    WorkflowStub stub = start("cancelled activity", 0);
    eventually(() -> Types.SEEN.get("beating java-cancelled-activity"), "yes"::equals);
    stub.cancel();
    Object outcome = outcome(() -> result(stub));
    eventually(() -> Types.SEEN.get("cancelled java-cancelled-activity"), "yes"::equals);
    return outcome;
  }

  private static Object parentClosePolicy() throws Exception {
    WorkflowStub stub = start("waiting child", 1);
    WorkflowExecution child = new WorkflowExecution().setWorkflowId("java-waiting-child-child");
    eventually(
        () -> countOf(history(stub.getExecution()), EventType.ChildWorkflowExecutionStarted), started -> started == 1);
    stub.signal("add", "leave");
    String result = result(stub);
    eventually(() -> countOf(history(child), EventType.WorkflowExecutionTerminated), ended -> ended == 1);
    return result + ", which was terminated";
  }

  private static Object externalSignal() throws Exception {
    WorkflowStub waiting = start("words by another", "words", 1);
    return result(start("signal another", 0)) + " " + result(waiting);
  }

  private static Object terminated() throws Exception {
    WorkflowStub stub = start("terminated", "forever", 0);
    TerminateWorkflowExecutionRequest request =
        new TerminateWorkflowExecutionRequest()
            .setDomain(domain)
            .setWorkflowExecution(stub.getExecution())
            .setReason("enough");
    service.TerminateWorkflowExecution(request);
    Object outcome = outcome(() -> result(stub));
    Object again =
        outcome(
            () -> {
              service.TerminateWorkflowExecution(request);
              return "no error";
            });
    return List.of(outcome, again);
  }

  private static Object reuse() throws Exception {
    WorkflowStub running = start("reused", "words", 1);
    Object whileRunning = outcome(() -> start("reused", "greeting", 0));
    running.signal("add", "done");
    result(running);
    Object afterSuccess = outcome(() -> start("reused", "greeting", 0));
    WorkflowOptions allowed =
        options("reused").setWorkflowIdReusePolicy(WorkflowIdReusePolicy.AllowDuplicate).build();
    WorkflowStub second = client.newUntypedWorkflowStub("Foreign", allowed);
    second.start("greeting", 0);
    return List.of(first(whileRunning), first(afterSuccess), result(second));
  }

  private static String first(Object outcome) {
    return outcome.toString().split("[ :]")[0];
  }

  private static Object search() throws Exception {
    WorkflowStub stub = start("searchable", 1);
    String query = "CustomKeywordField = 'java-keyword' AND CustomIntField = 7 AND CloseTime = missing";
    int open =
        eventually(
            () ->
                service
                    .ListWorkflowExecutions(
                        new ListWorkflowExecutionsRequest().setDomain(domain).setQuery(query).setPageSize(10))
                    .getExecutionsSize(),
            size -> size == 1);
    stub.signal("add", "enough");
    result(stub);
    String closed = "WorkflowID = 'java-searchable' AND CloseStatus = 0";
    long count =
        eventually(
            () ->
                service
                    .CountWorkflowExecutions(new CountWorkflowExecutionsRequest().setDomain(domain).setQuery(closed))
                    .getCount(),
            found -> found == 1);
    return open + " open, " + count + " closed";
  }

  /** Resets a completed run to its first decision: it runs again and its signal is applied again. */
  private static Object reset() throws Exception {
    WorkflowStub stub = start("reset", "words", 1);
    eventually(() -> stub.query("words", String.class), ""::equals);
    stub.signal("add", "kept");
    result(stub);
    long completed =
        history(stub.getExecution()).stream()
            .filter(event -> event.getEventType() == EventType.DecisionTaskCompleted)
            .findFirst()
            .get()
            .getEventId();
    String runId =
        service
            .ResetWorkflowExecution(
                new ResetWorkflowExecutionRequest()
                    .setDomain(domain)
                    .setWorkflowExecution(stub.getExecution())
                    .setReason("again")
                    .setDecisionFinishEventId(completed)
                    .setRequestId(UUID.randomUUID().toString()))
            .getRunId();
    WorkflowExecution execution =
        new WorkflowExecution().setWorkflowId(stub.getExecution().getWorkflowId()).setRunId(runId);
    String result = result(client.newUntypedWorkflowStub(execution, Optional.empty()));
    boolean isOther = !runId.equals(stub.getExecution().getRunId());
    long status =
        service
            .DescribeWorkflowExecution(
                new DescribeWorkflowExecutionRequest().setDomain(domain).setExecution(execution))
            .getWorkflowExecutionInfo()
            .getCloseStatus()
            .getValue();
    return result + (isOther ? " in another run, status " : " in the same run, status ") + status;
  }
}
