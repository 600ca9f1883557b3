import { type Code, type ParleyError, retry } from "@parley/core";
import { Context, onGap } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import type { Lasting } from "../lasting.ts";
import type { Scenario } from "../scenario.ts";
import type { Called } from "../serving/control.ts";
import { back, cutPolicies, leaves, quick } from "./back.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { attempt, subscribe } from "./subscriber.ts";
import { sessionTakenOver } from "./takeover.ts";
import { type Way, wayTo } from "./way.ts";

/** REC: what is there again when a connection is back, and when it must not come back. */
export const comebackScenarios: readonly Scenario[] = [
  {
    id: "REC-05",
    group: "REC",
    level: "must",
    title:
      "A subscription that outlives cuts is active again, and its gap told, before the connection is open again; calls that waited are made in their order, and one too many is refused.",
    needs: { kinds: ["request", "publish", "subscribe"] },
    mutants: ["forgets-subscriptions", "resubscribes-silently", "waits-without-bound", "flushes-out-of-order"],
    limit: 30,
    async run(env) {
      const way = await wayTo(env);
      for (const { onCut, resumed } of cutPolicies(env)) {
        const lasting = await env.lasting({ url: way.url, reconnect: { ...quick(env), maxWaiting: 8, onCut } });
        await subscriptionComesBack(env, way, lasting, { topic: `rec5/${onCut}`, resumed });
        await waitingCalls(env, way, lasting, onCut);
      }
    },
  },
  {
    id: "REC-06",
    group: "REC",
    level: "must",
    title:
      "After close(), or when the peer refuses who dials or what it speaks, a connection does not come back; and a session that another has resumed is not taken back.",
    needs: { kinds: ["request"] },
    mutants: ["reconnects-after-close", "reconnects-when-refused", "takes-sessions-back"],
    limit: 20,
    async run(env) {
      const way = await wayTo(env);
      const closed = await env.lasting({ url: way.url, reconnect: quick(env) });
      await env.sentinel(closed.connection);
      await env.within("close()", closed.connection.close({ graceMs: env.t / 4 }));
      const after = await env.lasting({ url: way.url, reconnect: quick(env) });
      await env.sentinel(after.connection);
      env.caller.equal("how often a connection was dialled that was closed", closed.dials, 1);
      env.caller.equal("its state", closed.connection.state, "closed");
      const late = await env.calls.error(
        "a request after close()",
        env.calls.request(closed.connection, "echo", { data: "too late" }),
      );
      env.caller.equal("how a request after close() ends", [late.code, late.outcome], ["unavailable", "not-sent"]);
      const arrived = env.events(undefined, "called").map(({ detail }) => (detail as Called).message.data);
      env.handler.equal("what arrived", arrived, ["sentinel", "sentinel"]);
      await after.connection.close({ graceMs: env.t / 4 });
      // Where each connection has a process of its own, whom that refuses is forgotten with it.
      if (env.children) return;
      for (const code of ["unauthenticated", "permission_denied", "failed_precondition"] as const)
        await refused(env, way, code);
      await sessionTakenOver(env);
    },
  },
];

async function subscriptionComesBack(
  env: Environment,
  way: Way,
  lasting: Lasting,
  { topic, resumed }: { readonly topic: string; readonly resumed: boolean },
): Promise<void> {
  const { connection } = lasting;
  const order: string[] = [];
  const gaps: ParleyError[] = [];
  const context = new Context();
  context.set(onGap, (gap) => {
    gaps.push(gap);
    order.push("gap");
  });
  const subscriber = await subscribe(env, connection, topic, context);
  const asking = { ...connection, call: retry({ ...quick(env), maxAttempts: 1_000 })(connection.call) };
  const publishing = async (data: string): Promise<void> => {
    const attributes = { subject: topic, idempotencykey: `rec5-${env.random.hex(8)}` };
    await env.within(
      `the publication of ${data}`,
      env.calls.make(asking, "publish", "topics", { data, attributes }).reply,
    );
  };
  for (const round of upTo(env.count(2, 10))) {
    order.length = 0;
    await publishing(`before ${round}`);
    await subscriber.saw(`before ${round}`);
    let opened: Made | undefined;
    lasting.onChange = ({ state }) => {
      if (state !== "open") return;
      order.push("open");
      // In the same turn: whatever the subscription still lacks, it lacks it now.
      opened = attempt(env, connection, topic, `opened ${round}`);
    };
    way.cut(round % 2 === 0 ? "fin" : "rst");
    // A session goes on without a gap, and without a word.
    if (!resumed) {
      await env.until("the subscription to be back", () => gaps.length >= round, (env.children ? 4 : 2) * env.t);
      if (order.length > 1 || connection.state !== "open")
        await env.until("the connection to be open", () => order.includes("open"));
    }
    await publishing(`after ${round}`);
    await subscriber.saw(`after ${round}`);
    if (opened) {
      await env.within("the publication as it opened", opened.reply);
      await subscriber.saw(`opened ${round}`);
      env.caller.equal("what came first", order.slice(0, 2), resumed ? ["open"] : ["gap", "open"]);
    }
    env.caller.equal("gaps that were told", gaps.length, resumed ? 0 : round);
  }
  for (const gap of gaps) env.caller.equal("how a gap is told", [gap.code, gap.outcome], ["data_loss", "unknown"]);
  lasting.onChange = undefined;
  await subscriber.unsubscribe();
  env.caller.equal("how the subscription ended", subscriber.ended instanceof Error, true);
  // Before the way is blocked: a cancellation that is lost is known to the peer only in the end.
  await nothingOpen(env, connection);
}

async function waitingCalls(env: Environment, way: Way, lasting: Lasting, name: string): Promise<void> {
  const { connection } = lasting;
  way.block();
  if (!(await leaves(env, lasting))) {
    way.clear();
    await back(env, connection);
    env.handler.ok("a request after it to have arrived", env.events(undefined, "called").length > 0);
    return;
  }
  const waiting = upTo(8).map((n) => env.calls.make(connection, "request", "echo", { data: `${name} waits ${n}` }));
  const one = env.calls.make(connection, "request", "echo", { data: `${name} one too many` });
  const refusal = await env.within("the refusal of one too many", env.calls.error("one too many", one.reply));
  env.caller.equal("how it is refused", [refusal.code, refusal.outcome], ["resource_exhausted", "not-sent"]);
  way.clear();
  const answers = await env.within(
    "the answers to what waited",
    Promise.all(waiting.map(({ reply }) => reply)),
    (env.children ? 4 : 2) * env.t,
  );
  const expected = upTo(8).map((n) => `${name} waits ${n}`);
  env.caller.equal(
    "the answers",
    answers.map(({ message }) => message?.data),
    expected,
  );
  const arrived = env.events(undefined, "called").map(({ detail }) => (detail as Called).message.data);
  const ours = arrived.filter((data) => typeof data === "string" && data.startsWith(name));
  const inOrder = env.manifest.ordering === "connection";
  env.handler.equal("what arrived", inOrder ? ours : [...ours].sort(), expected);
}

/** The next to dial is refused with this code. */
async function refused(env: Environment, way: Way, code: Code): Promise<void> {
  const lasting = await env.lasting({ url: way.url, reconnect: quick(env) });
  const { connection } = lasting;
  await env.within("the fixture's consent", env.calls.request(connection, "door", { data: { code } }));
  way.cut("rst");
  if (await leaves(env, lasting)) {
    const reason = await env.within("the end of a connection that is refused", connection.closed);
    env.caller.equal(`the reason of its end (${code})`, reason?.code, code);
    env.caller.equal("how often it dialled", lasting.dials, 2);
    const late = env.calls.request(connection, "echo", { data: "refused" });
    const error = await env.calls.error("a request to who refuses", late);
    env.caller.equal("how a request after it ends", [error.code, error.outcome], ["unavailable", "not-sent"]);
  } else {
    const error = await env.within("the refusal", env.calls.error("to dial who refuses", env.dial({ url: way.url })));
    env.caller.equal("the code of the refusal", error.code, code);
  }
  await env.sentinel(await env.connect({ url: way.url }));
}
