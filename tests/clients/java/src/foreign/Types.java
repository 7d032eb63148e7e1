package foreign;

import com.uber.cadence.activity.Activity;
import com.uber.cadence.activity.ActivityOptions;
import com.uber.cadence.activity.LocalActivityOptions;
import com.uber.cadence.client.ActivityCompletionException;
import com.uber.cadence.common.RetryOptions;
import com.uber.cadence.workflow.ActivityFailureException;
import com.uber.cadence.workflow.ActivityTimeoutException;
import com.uber.cadence.workflow.Async;
import com.uber.cadence.workflow.CancellationScope;
import com.uber.cadence.workflow.ChildWorkflowFailureException;
import com.uber.cadence.workflow.ChildWorkflowOptions;
import com.uber.cadence.workflow.Promise;
import com.uber.cadence.workflow.QueryMethod;
import com.uber.cadence.workflow.SignalMethod;
import com.uber.cadence.workflow.Workflow;
import com.uber.cadence.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;

/** Workflows and activities of the foreign program. One workflow type, whose first argument says what it is to do. */
final class Types {
  private Types() {}

  /** How often something ran in this process, and what activities saw: workers and the checks share them. */
  static final ConcurrentMap<String, AtomicInteger> COUNTS = new ConcurrentHashMap<>();

  static final ConcurrentMap<String, String> SEEN = new ConcurrentHashMap<>();

  static int count(String key) {
    return COUNTS.computeIfAbsent(key, k -> new AtomicInteger()).incrementAndGet();
  }

  public interface Activities {
    String greet(String name);

    /** Fails at its first attempts; says at which it succeeded. */
    int stubborn(int failures);

    /** Beats with 41 and fails; the next attempt finds it. */
    int beating();

    String beatUntilCancelled(String key);

    String slow(long millis);
  }

  public static final class ActivitiesImpl implements Activities {
    @Override
    public String greet(String name) {
      return "hello " + name;
    }

    @Override
    public int stubborn(int failures) {
      int attempt = Activity.getTask().getAttempt();
      if (attempt < failures) {
        throw new IllegalStateException("not at attempt " + attempt);
      }
      return attempt;
    }

    @Override
    public int beating() {
      Optional<Integer> details = Activity.getHeartbeatDetails(Integer.class);
      if (!details.isPresent()) {
        Activity.heartbeat(41);
        throw new IllegalStateException("the first attempt");
      }
      return details.get();
    }

    @Override
    public String beatUntilCancelled(String key) {
      long end = System.currentTimeMillis() + 30_000;
      try {
        while (System.currentTimeMillis() < end) {
          Activity.heartbeat("alive");
          SEEN.put("beating " + key, "yes");
          pause(100);
        }
      } catch (ActivityCompletionException gone) {
        SEEN.put("cancelled " + key, "yes");
        throw gone;
      }
      return "never cancelled";
    }

    @Override
    public String slow(long millis) {
      pause(millis);
      return "slow";
    }
  }

  public interface LocalActivities {
    String local(String key, int failures);
  }

  public static final class LocalActivitiesImpl implements LocalActivities {
    @Override
    public String local(String key, int failures) {
      if (count("local " + key) <= failures) {
        throw new IllegalStateException("not yet");
      }
      return "local " + key;
    }
  }

  public interface Child {
    @WorkflowMethod(name = "ForeignChild")
    String run(String kind);
  }

  public static final class ChildImpl implements Child {
    @Override
    public String run(String kind) {
      switch (kind) {
        case "fail":
          throw new IllegalArgumentException("the child says no");
        case "wait":
          Workflow.await(() -> false);
          return "";
        default:
          return "child of " + Workflow.getWorkflowInfo().getParentWorkflowId();
      }
    }
  }

  public interface Parent {
    @WorkflowMethod(name = "Foreign")
    String run(String kind, int number);

    @SignalMethod(name = "add")
    void add(String word);

    @QueryMethod(name = "words")
    String words();

    @QueryMethod(name = "broken")
    String broken();
  }

  public static final class ParentImpl implements Parent {
    private final List<String> words = new ArrayList<>();

    @Override
    public void add(String word) {
      words.add(word);
    }

    @Override
    public String words() {
      return String.join(",", words);
    }

    @Override
    public String broken() {
      throw new IllegalStateException("this query fails");
    }

    @Override
    public String run(String kind, int number) {
      switch (kind) {
        case "greeting":
          return activities(null).greet("Java");
        case "stubborn":
          return "attempt " + activities(retry(5)).stubborn(number);
        case "beating":
          return "details " + activities(retry(3)).beating();
        case "giving up":
          try {
            return "attempt " + activities(retry(2)).stubborn(9);
          } catch (ActivityFailureException failed) {
            return failed.getCause().getClass().getSimpleName() + ": " + failed.getCause().getMessage();
          }
        case "timing out":
          return timingOut();
        case "words":
          Workflow.await(() -> words.size() >= number);
          return words();
        case "child":
          return child().run("answer");
        case "failing child":
          try {
            return child().run("fail");
          } catch (ChildWorkflowFailureException failed) {
            return failed.getCause().getClass().getSimpleName() + ": " + failed.getCause().getMessage();
          }
        case "waiting child":
          Async.function(child()::run, "wait");
          Workflow.await(() -> words.size() >= number);
          return "left its child";
        case "signal another":
          Workflow.newUntypedExternalWorkflowStub("java-words-by-another").signal("add", "from another");
          return "signalled";
        case "continuing":
          if (number > 0) {
            Workflow.newContinueAsNewStub(Parent.class).run("continuing", number - 1);
          }
          return "continued";
        case "cancelled":
          return cleanUpWhenCancelled();
        case "cancelled activity":
          return activities(null).beatUntilCancelled(Workflow.getWorkflowInfo().getWorkflowId());
        case "cancelled scope":
          return cancelledScope();
        case "locals":
          return locals(number);
        case "effects":
          return effects();
        case "steps":
          for (int step = 0; step < number; step++) {
            activities(null).greet("step " + step);
          }
          return number + " steps";
        case "searchable":
          Map<String, Object> attributes = new HashMap<>();
          attributes.put("CustomKeywordField", "java-keyword");
          attributes.put("CustomIntField", 7);
          Workflow.upsertSearchAttributes(attributes);
          Workflow.await(() -> words.size() >= number);
          return "found";
        case "forever":
          Workflow.await(() -> false);
          return "";
        case "failing":
          throw new IllegalStateException("as it was made to");
        case "tick":
          return "tick " + count("tick");
        default:
          throw new IllegalArgumentException(kind);
      }
    }

    private static String timingOut() {
      ActivityOptions options =
          new ActivityOptions.Builder()
              .setScheduleToStartTimeout(Duration.ofSeconds(10))
              .setStartToCloseTimeout(Duration.ofSeconds(1))
              .setScheduleToCloseTimeout(Duration.ofSeconds(20))
              .build();
      try {
        return Workflow.newActivityStub(Activities.class, options).slow(2_500);
      } catch (ActivityTimeoutException timeout) {
        return timeout.getTimeoutType().name();
      }
    }

    private static String cleanUpWhenCancelled() {
      try {
        Workflow.sleep(Duration.ofMinutes(5));
        return "not cancelled";
      } catch (CancellationException cancelled) {
        Workflow.newDetachedCancellationScope(() -> activities(null).greet("the cleaner")).run();
        throw cancelled;
      }
    }

    @SuppressWarnings("unchecked")
    private static String cancelledScope() {
      Promise<Void>[] timer = new Promise[1];
      CancellationScope scope =
          Workflow.newCancellationScope(() -> timer[0] = Workflow.newTimer(Duration.ofMinutes(5)));
      scope.run();
      scope.cancel();
      try {
        timer[0].get();
        return "fired";
      } catch (CancellationException cancelled) {
        return "timer cancelled";
      }
    }

    private static String locals(int number) {
      LocalActivityOptions options =
          new LocalActivityOptions.Builder()
              .setScheduleToCloseTimeout(Duration.ofSeconds(30))
              .setRetryOptions(retry(5))
              .build();
      LocalActivities locals = Workflow.newLocalActivityStub(LocalActivities.class, options);
      String last = "";
      for (int local = 0; local < number; local++) {
        last = locals.local("" + local, local == 0 ? 2 : 0);
      }
      return last;
    }

    private static String effects() {
      String id = Workflow.getWorkflowInfo().getWorkflowId();
      int once = Workflow.sideEffect(Integer.class, () -> count("effect " + id));
      Workflow.sleep(Duration.ofSeconds(1));
      int same = Workflow.mutableSideEffect("mutable", Integer.class, (a, b) -> !a.equals(b), () -> 5);
      int again = Workflow.mutableSideEffect("mutable", Integer.class, (a, b) -> !a.equals(b), () -> 5);
      int version = Workflow.getVersion("a change", Workflow.DEFAULT_VERSION, 3);
      activities(null).greet("between");
      return once + " " + same + " " + again + " " + version + " "
          + Workflow.getVersion("a change", Workflow.DEFAULT_VERSION, 3);
    }
  }

  static RetryOptions retry(int attempts) {
    return new RetryOptions.Builder()
        .setInitialInterval(Duration.ofSeconds(1))
        .setBackoffCoefficient(1.0)
        .setMaximumAttempts(attempts)
        .setExpiration(Duration.ofSeconds(60))
        .build();
  }

  private static Activities activities(RetryOptions retry) {
    ActivityOptions.Builder options =
        new ActivityOptions.Builder()
            .setScheduleToCloseTimeout(Duration.ofSeconds(60))
            .setHeartbeatTimeout(Duration.ofSeconds(5));
    if (retry != null) {
      options.setRetryOptions(retry);
    }
    return Workflow.newActivityStub(Activities.class, options.build());
  }

  private static Child child() {
    ChildWorkflowOptions options =
        new ChildWorkflowOptions.Builder()
            .setWorkflowId(Workflow.getWorkflowInfo().getWorkflowId() + "-child")
            .setExecutionStartToCloseTimeout(Duration.ofSeconds(60))
            .setTaskStartToCloseTimeout(Duration.ofSeconds(10))
            .build();
    return Workflow.newChildWorkflowStub(Child.class, options);
  }

  static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }
}
