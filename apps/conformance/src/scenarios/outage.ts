import { type ParleyError, retry } from "@parley/core";
import type { Environment } from "../environment.ts";
import type { Lasting } from "../lasting.ts";
import type { Scenario } from "../scenario.ts";
import { back, keepsCalls, leaves, quick } from "./back.ts";
import { nothingOpen } from "./expect.ts";
import { wayTo } from "./way.ts";

/** REC: what happens while a connection is away. */
export const outageScenarios: readonly Scenario[] = [
  {
    id: "REC-07",
    group: "REC",
    level: "must",
    title:
      "An answer to hello that is lost, or comes when the dialler has given up, costs one attempt: the next gets its own, and calls pass.",
    needs: { kinds: ["request"] },
    mutants: ["waits-for-lost-hello"],
    limit: 30,
    async run(env) {
      const way = await wayTo(env);
      const connectTimeoutMs = env.t / (env.children ? 1 : 4);
      const dialLimit = { url: way.url, connectTimeoutMs };
      // A process takes its time to start, and the first dial is not the one that is tried.
      const lasting = await env.lasting({ ...dialLimit, reconnect: quick(env) });
      for (const how of ["lost", "late"] as const) {
        const answers = env.tap.bytes("listener");
        if (how === "lost") way.deafen();
        else way.hold();
        way.cut("rst");
        if (await leaves(env, lasting)) {
          const before = lasting.dials;
          await env.until("a second attempt", () => lasting.dials >= before + 2, 4 * env.t);
        } else {
          const failed = env.calls.error("to dial who is not heard", env.dial(dialLimit));
          const { code, outcome } = await env.within("the end of dialling who is not heard", failed, 2 * env.t);
          env.caller.ok(`dialling to fail as such (${how})`, /^(unavailable|deadline_exceeded)$/.test(code), code);
          env.caller.equal(`the outcome of dialling (${how})`, outcome, "not-sent");
        }
        env.wire.ok(`an answer that is ${how}`, env.tap.bytes("listener") > answers, answers);
        if (how === "lost") way.clear();
        else way.release();
        await back(env, lasting.connection);
        await env.sentinel(lasting.connection);
      }
      env.caller.equal("the state", lasting.connection.state, "open");
      await nothingOpen(env, lasting.connection);
    },
  },
  {
    id: "REC-08",
    group: "REC",
    level: "must",
    title:
      "A call that is cancelled, or runs out of time, while its connection is away ends at once, not-sent, and never arrives.",
    needs: { kinds: ["request"] },
    mutants: ["sends-cancelled-calls"],
    limit: 20,
    async run(env) {
      const way = await wayTo(env);
      const lasting = await env.lasting({ url: way.url, reconnect: quick(env) });
      const { connection } = lasting;
      way.block();
      const away = await leaves(env, lasting);
      const [one, other] = ["cancelled", "late"].map((data, at) =>
        env.calls.make(connection, "request", "echo", { data, ...(at === 1 ? { timeoutMs: env.t / 20 } : {}) }),
      );
      if (!one || !other) throw new Error("two were made");
      env.calls.cancel(one);
      const cancelled = await env.within(
        "the end of a cancelled call",
        env.calls.error("a cancelled call", one.reply),
        env.t / 8,
      );
      const late = await env.within("the end of a late call", env.calls.error("a late call", other.reply), env.t / 2);
      env.caller.equal("the code of a cancelled call", cancelled.code, "cancelled");
      // One that stays open has found out by then that nobody is there.
      env.caller.ok(
        "a late call to end as such",
        [late.code, away].join() === "deadline_exceeded,true" || !away,
        late.code,
      );
      if (away) env.caller.equal("their outcomes", [cancelled.outcome, late.outcome], ["not-sent", "not-sent"]);
      way.clear();
      await back(env, connection);
      await env.sentinel(connection);
      for (const { id } of [one, other]) env.handler.equal("how often each arrived", env.events(id).length, 0);
      await nothingOpen(env, connection);
    },
  },
  {
    id: "REC-09",
    group: "REC",
    level: "must",
    title:
      "A connection that is closed while it is away ends at once: what waits fails, not-sent, and nobody dials any more.",
    needs: { kinds: ["request"] },
    mutants: ["waits-for-the-peer-to-close"],
    limit: 20,
    async run(env) {
      const way = await wayTo(env);
      const lasting = await env.lasting({ url: way.url, reconnect: quick(env) });
      way.block();
      const away = await leaves(env, lasting);
      const waiting = env.calls.make(lasting.connection, "request", "echo", { data: "waits" });
      await env.within("close() while nobody is there", lasting.connection.close({ graceMs: env.t / 4 }));
      const { dials } = lasting;
      const error = await env.within(
        "the end of what waited",
        env.calls.error("what waited", waiting.reply),
        env.t / 4,
      );
      env.caller.equal("the code of what waited", error.code, "unavailable");
      if (away) env.caller.equal("its outcome", error.outcome, "not-sent");
      env.caller.equal("the state", lasting.connection.state, "closed");
      way.clear();
      const after = await env.lasting({ url: way.url, reconnect: quick(env) });
      await env.sentinel(after.connection);
      env.caller.equal("how often it dialled after close()", lasting.dials - dials, 0);
      env.handler.equal("how often what waited arrived", env.events(waiting.id).length, 0);
    },
  },
  {
    id: "REC-10",
    group: "REC",
    level: "must",
    title:
      "A request with a key that is sent again after a cut is handled once, and not again by a server that was started anew and cannot know of it; one without a key is not sent again, and answered only where a session keeps it.",
    needs: { kinds: ["request"], process: true, reconnect: true, serving: ["dedupe"] },
    mutants: ["sends-without-key-again"],
    limit: 30,
    async run(env) {
      const request = { dedupe: {} };
      const way = await wayTo(env, request);
      const lasting = await env.lasting({ url: way.url, reconnect: quick(env) });
      await cutUnderWay(env, lasting, "rec10-cut", async () => way.cut("rst"));
      await cutUnderWay(env, lasting, "rec10-restart", async () => {
        await env.serving.kill("SIGKILL");
        await env.serving.start();
        await env.listen({ ...request, url: way.listener.href });
      });
    },
  },
];

/** A request with a key and one without are under way when something cuts the connection. */
async function cutUnderWay(env: Environment, { connection }: Lasting, name: string, cut: () => Promise<void>) {
  const restarted = name === "rec10-restart";
  const asking = { call: retry({ ...quick(env), maxAttempts: 1_000, codes: ["unavailable"] })(connection.call) };
  const data = { gate: name, value: name };
  const keyed = env.calls.make(asking, "request", "gate", { data, attributes: { idempotencykey: name } });
  const bare = env.calls.make(asking, "request", "gate", { data });
  for (const { id } of [keyed, bare]) await env.event(id, "gate");
  await cut();
  // A session keeps it, as long as there is a server that has it.
  if (restarted || !keepsCalls(env)) {
    const error = await env.within(
      "the end of a request without a key",
      env.calls.error("a request without a key", bare.reply),
      2 * env.t,
    );
    env.caller.equal("how it ends", [error.code, error.outcome], ["unavailable", "unknown"]);
  }
  await back(env, connection);
  await env.serving.release(name);
  const settled = keyed.reply.then(
    ({ message }) => message?.data,
    (error: ParleyError) => [error.code, error.outcome].join(),
  );
  const end = await env.within("the end of a request with a key", settled, 4 * env.t);
  // Where a cut cannot be told from a cancellation, the run may have been given up: it is not known what it has done.
  const ends = restarted ? ["aborted,unknown"] : [name, "aborted,unknown"];
  env.caller.ok(`a request with a key to end with one of ${ends.join(" or ")}`, ends.includes(String(end)), end);
  if (!restarted && keepsCalls(env))
    env.caller.equal("the answer to a request without a key", (await env.calls.message(bare)).data, name);
  env.handler.equal("runs of the request with a key", env.events(keyed.id, "called").length, 1);
  env.handler.equal("runs of the request without one", env.events(bare.id, "called").length, 1);
}
