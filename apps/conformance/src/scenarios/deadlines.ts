import { ParleyError } from "@parley/core";
import type { Scenario } from "../scenario.ts";
import { nextTurn, nothingOpen, refusedHere, upTo, watchStalls } from "./expect.ts";

const request = { kinds: ["request"] } as const;
const cancellable = { ...request, cancel: true } as const;

/** DL: nothing takes longer than allowed, and whoever works on it learns that it is over. */
export const deadlineScenarios: readonly Scenario[] = [
  {
    id: "DL-01",
    group: "DL",
    level: "must",
    title:
      "With a deadline of 300 ms and a handler of 5 s the caller is told between 300 and 550 ms, and the handler within T after.",
    needs: cancellable,
    mutants: ["keeps-deadline-to-itself"],
    async run(env) {
      const connection = await env.connect();
      const stalls = watchStalls();
      const start = performance.now();
      const made = env.calls.make(connection, "request", "gate", { data: { gate: "dl-1" }, timeoutMs: 300 });
      const error = await env.within("the deadline", env.calls.error("a call past its deadline", made.reply));
      const took = performance.now() - start;
      const latest = Math.ceil(300 + 250 * env.scale + stalls());
      env.caller.equal("the code", error.code, "deadline_exceeded");
      env.caller.ok(`an end between 300 and ${latest} ms`, took >= 299.5 && took <= latest, took);
      const aborted = await env.event(made.id, "aborted");
      // Where closing the connection is how one cancels (HTTP/1.1), the caller's end can be noticed first.
      env.handler.ok(
        "the handler to be told to stop",
        ["deadline_exceeded", "cancelled"].includes(String(aborted.detail)),
        aborted.detail,
      );
      await nothingOpen(env, connection);
    },
  },
  {
    id: "DL-02",
    group: "DL",
    level: "must",
    title:
      "The handler sees what is left of the time, less behind a relay, and a wall clock an hour off on either side changes nothing.",
    needs: { ...request, serving: ["relay", "clock"] },
    mutants: ["sends-instants"],
    limit: 14,
    async run(env) {
      const timeoutMs = 5 * env.t;
      for (const clockSkewMs of [0, 3_600_000, -3_600_000]) {
        await env.serving.close(0);
        const listener = await env.listen({ clockSkewMs });
        const connection = await env.connect({ url: await env.tap.through(listener) });
        const made = env.calls.make(connection, "request", "echo", { data: clockSkewMs, timeoutMs });
        await env.within(`the reply of a peer ${clockSkewMs} ms off`, env.calls.message(made));
        const { remainingMs = 0 } = await env.called(made.id);
        env.handler.ok(`0 < the time left <= ${timeoutMs}`, remainingMs > 0 && remainingMs <= timeoutMs, remainingMs);
        env.handler.ok("nearly all of the time to be left", remainingMs > timeoutMs - 2 * env.t, remainingMs);
        env.caller.ok("the caller's time to run on", made.call.aborted === undefined);
        const none = env.calls.make(connection, "request", "echo", { data: "no deadline" });
        await env.within("the reply to a call without a deadline", env.calls.message(none));
        env.handler.equal(
          "the time left of a call without a deadline",
          (await env.called(none.id)).remainingMs,
          undefined,
        );
      }
      await env.serving.close(0);
      const relayed = await env.connect({ url: await env.tap.through(await env.listen({ relay: true })) });
      env.tap.hold("dialler");
      const made = env.calls.make(relayed, "request", "echo", { data: "relayed", timeoutMs });
      await env.until("the request at the tap", () => env.tap.held("dialler") > 0);
      const heldMs = 60;
      await new Promise((resolve) => setTimeout(resolve, heldMs));
      env.tap.release("dialler");
      await env.within("the reply through a relay", env.calls.message(made));
      const { remainingMs = 0 } = await env.called(made.id);
      env.handler.ok(
        `0 < the time left behind a relay < ${timeoutMs}`,
        remainingMs > 0 && remainingMs < timeoutMs,
        remainingMs,
      );
    },
  },
  {
    id: "DL-03",
    group: "DL",
    level: "must",
    title: "A call whose deadline has passed, or that was cancelled already, fails here, and nothing of it is sent.",
    needs: request,
    mutants: ["sends-late-calls"],
    async run(env) {
      const connection = await env.connect();
      await env.sentinel(connection);
      await refusedHere(
        env,
        "a call past its deadline",
        () => env.calls.make(connection, "request", "echo", { data: 1, timeoutMs: -1 }),
        {
          code: "deadline_exceeded",
          outcome: "not-sent",
        },
      );
      const cancelled = () => env.calls.make(connection, "request", "echo", { data: 1, cancelled: true });
      await refusedHere(env, "a call that was cancelled before", cancelled, { code: "cancelled" });
      await env.sentinel(connection);
      env.handler.equal("calls that ran", env.events(undefined, "called").length, 2);
    },
  },
  {
    id: "DL-04",
    group: "DL",
    level: "must",
    title:
      "Cancelling settles the caller in the same turn and tells the handler within T; what it still answers is ignored.",
    needs: cancellable,
    mutants: ["waits-after-cancel"],
    async run(env) {
      const connection = await env.connect();
      const made = env.calls.make(connection, "request", "gate", {
        data: { gate: "dl-4", stubborn: true, value: "late" },
      });
      await env.event(made.id, "gate");
      let settled: unknown;
      made.reply.then(
        () => (settled = "resolved"),
        (error: unknown) => (settled = error),
      );
      env.calls.cancel(made);
      await nextTurn();
      env.caller.ok(
        "the caller to be told in the same turn",
        settled instanceof ParleyError && settled.code === "cancelled",
        settled,
      );
      env.handler.equal("why the handler was told to stop", (await env.event(made.id, "aborted")).detail, "cancelled");
      await env.serving.release("dl-4");
      await env.event(made.id, "returned");
      await env.sentinel(connection);
      env.caller.ok(
        "the caller's answer to stand",
        settled instanceof ParleyError && settled.code === "cancelled",
        settled,
      );
      await nothingOpen(env, connection);
    },
  },
  {
    id: "DL-05",
    group: "DL",
    level: "must",
    title: "Cancelling one of 50 concurrent calls touches no other; cancelling one that is over does nothing.",
    needs: cancellable,
    mutants: ["closes-on-cancel"],
    async run(env) {
      const connection = await env.connect();
      const made = upTo(50).map((n) =>
        env.calls.make(connection, "request", "gate", { data: { gate: `c${n}`, value: n } }),
      );
      await env.until("50 calls at their gates", () => env.events(undefined, "gate").length === 50);
      const one = made[env.random.int(50)] as (typeof made)[0];
      env.calls.cancel(one);
      const error = await env.within("the end of the cancelled call", env.calls.error("the cancelled call", one.reply));
      env.caller.equal("the code", error.code, "cancelled");
      await env.event(one.id, "aborted");
      await env.serving.release(...upTo(50).map((n) => `c${n}`));
      const others = made.filter((other) => other !== one);
      const replies = await env.within("the 49 others", Promise.all(others.map((other) => env.calls.message(other))));
      env.caller.equal(
        "the replies of the 49 others",
        replies.map(({ data }) => data),
        upTo(50).filter((n) => made[n - 1] !== one),
      );
      env.handler.equal(
        "handlers that were told to stop",
        env.events(undefined, "aborted").map(({ call }) => call),
        [one.id],
      );
      for (const over of [one, others[0]]) if (over) env.calls.cancel(over);
      await env.sentinel(connection);
      env.caller.equal("the state of the connection", connection.state, "open");
      await nothingOpen(env, connection);
    },
  },
  {
    id: "DL-06",
    group: "DL",
    level: "must",
    title:
      "500 calls whose handlers take their deadline, give or take 5 ms, each settle exactly once, and every counter returns to 0.",
    needs: request,
    mutants: ["settles-twice"],
    limit: 14,
    async run(env) {
      const connection = await env.connect();
      const deadlineMs = 200 * env.scale;
      const settled = new Map<string, string[]>();
      const made = upTo(500).map(() => {
        const data = { ms: deadlineMs - 5 + env.random.int(11) };
        const one = env.calls.make(connection, "request", "delay", { data, timeoutMs: deadlineMs });
        settled.set(one.id, []);
        one.reply.then(
          () => settled.get(one.id)?.push("answered"),
          (error: unknown) => settled.get(one.id)?.push(error instanceof ParleyError ? error.code : String(error)),
        );
        return one;
      });
      await env.within("500 ends", Promise.allSettled(made.map(({ reply }) => reply)), 3 * env.t);
      await nothingOpen(env, connection);
      const ends = [...settled.values()];
      env.caller.equal("calls that did not settle exactly once", ends.filter(({ length }) => length !== 1).length, 0);
      const odd = ends.flat().filter((end) => end !== "answered" && end !== "deadline_exceeded");
      env.caller.equal("ends that are neither an answer nor the deadline", odd, []);
      const runs = env.events(undefined, "called").filter(({ operation }) => operation === "delay");
      env.handler.ok(
        "at most one run of each call",
        new Set(runs.map(({ call }) => call)).size === runs.length,
        runs.length,
      );
      await env.sentinel(connection);
    },
  },
];
