import { retry } from "@parley/core";
import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { back, type CutPolicy, cutPolicies, leaves, quick } from "./back.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { lostCalls, shortHeartbeatMs } from "./link.ts";
import { collecting } from "./under-way.ts";
import { type Cut, type Way, wayTo } from "./way.ts";

/** REC: connections that are lost. */
export const lostConnectionScenarios: readonly Scenario[] = [
  {
    id: "REC-01",
    group: "REC",
    level: "must",
    title:
      "While a peer is away, 50 clients try again after delays whose bounds grow up to a cap, drawn at random, a bounded number of times; when it is back, their next request succeeds.",
    needs: { kinds: ["request"] },
    mutants: ["reconnects-at-once", "reconnects-in-step", "never-gives-up"],
    limit: 30,
    async run(env) {
      const way = await wayTo(env);
      const backoff = { baseMs: env.t / 40, maxMs: env.t / 5 };
      // Where each attempt is a process, fifty would try the machine and not the wire.
      const clients = await inGroups(env.children ? 3 : 50, () => client(env, way, backoff));
      const began = way.attempts;
      const awayMs = env.count(0.75, 2.5) * env.t;
      way.block();
      const replies = clients.map(({ asking }, at) =>
        env.calls.make(asking, "request", "echo", { data: at, attributes: { idempotencykey: `rec1-${at}` } }),
      );
      await new Promise((resolve) => setTimeout(resolve, awayMs));
      const attempts = way.attempts - began;
      way.clear();
      const backMs = backoff.maxMs + 2 * env.t + (env.children ? 2 * env.t : 0);
      const answers = await env.within("the answers", Promise.all(replies.map(({ reply }) => reply)), backMs);
      env.caller.equal(
        "the answers when the peer was back",
        answers.map(({ message }) => message?.data),
        clients.map((_, at) => at),
      );
      const waits = clients.map(({ waits: own }) => own);
      judgeDelays(env, waits, backoff);
      const most = clients.length * (3 * meanAttempts(awayMs, backoff) + 5);
      env.wire.ok(`between 1 and ${most} attempts in ${awayMs} ms`, attempts >= 1 && attempts <= most, attempts);
      await boundedAttempts(env, way);
    },
  },
  {
    id: "REC-02",
    group: "REC",
    level: "must",
    title:
      "Whatever is under way when the connection is cut ends within T with unavailable, outcome unknown, and is not sent again; what a session takes up again may end by its deadline.",
    needs: { kinds: ["request"] },
    mutants: ["keeps-lost-calls", "sends-lost-calls-again"],
    limit: 20,
    async run(env) {
      // Behind a broker that does not tell who has gone, leases find out.
      const tuning = env.manifest.broker ? { heartbeatMs: shortHeartbeatMs(env) } : undefined;
      const way = await wayTo(env, { tuning });
      for (const policy of cutPolicies(env))
        for (const how of ["fin", "rst"] as const) await cutUnderWay(env, way, policy, how);
      const after = await env.dial({ url: way.url });
      await env.sentinel(after);
      await nothingOpen(env, after);
    },
  },
];

async function cutUnderWay(env: Environment, way: Way, { onCut, resumed }: CutPolicy, how: Cut): Promise<void> {
  const name = `rec2-${onCut}-${how}`;
  const { connection } = await env.lasting({ url: way.url, reconnect: { ...quick(env), onCut } });
  const { timeoutMs, codes } = resumed ? lostCalls(env, env.t / 2) : { timeoutMs: undefined, codes: ["unavailable"] };
  const going = await collecting(env, connection, name, timeoutMs);
  way.cut(how);
  const ends = await env.within(`the end of all ${going.length} calls that were under way`, settled(env, going));
  for (const [kind, error] of ends) {
    env.caller.ok(`a ${kind} that was cut (${how}) to be lost`, codes.includes(error.code), error.code);
    env.caller.equal(`the outcome of a ${kind} that was cut (${how})`, error.outcome, "unknown");
  }
  await back(env, connection);
  for (const { kind, made } of going) {
    if (kind === "subscribe") continue;
    env.handler.equal(`how often a ${kind} arrived`, env.events(made.id, "called").length, 1);
  }
  await env.serving.release(`${name}-stubborn`);
  await connection.close({ graceMs: env.t / 4 });
}

interface Backoff {
  readonly baseMs: number;
  readonly maxMs: number;
}

interface Client {
  readonly asking: Pick<Connection, "call">;
  /** The delay before each further attempt, ms: to dial, or where the connection stays open, to ask. */
  readonly waits: readonly Wait[];
}

interface Wait {
  /** Which one in a row, from 1. */
  readonly attempt: number;
  readonly delayMs: number;
}

async function client(env: Environment, way: Way, backoff: Backoff): Promise<Client> {
  const lasting = await env.lasting({ url: way.url, reconnect: { ...backoff, waitMs: 20 * env.t } });
  const [dials, requests]: [Wait[], Wait[]] = [[], []];
  lasting.onChange = ({ attempt, delayMs }) => {
    if (attempt !== undefined && delayMs !== undefined) dials.push({ attempt, delayMs });
  };
  const onRetry = ({ attempts, delayMs }: { attempts: number; delayMs: number }): void => {
    requests.push({ attempt: attempts, delayMs });
  };
  const call = retry({ ...backoff, maxAttempts: 10_000, onRetry })(lasting.connection.call);
  return {
    asking: { call },
    get waits() {
      return dials.length > 0 ? dials : requests;
    },
  };
}

function judgeDelays(env: Environment, waits: readonly Client["waits"][], { baseMs, maxMs }: Backoff): void {
  const all = waits.flat();
  // A session that a wire takes up again by itself has delays of its own, of which it tells nobody.
  if (all.length === 0 && env.manifest.resume === "session") return;
  env.caller.ok(
    "every client to try again",
    waits.every((own) => own.length > 0),
  );
  for (const { attempt, delayMs } of all) {
    const bound = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
    env.caller.ok(`delay ${attempt} within its bound of ${bound} ms`, delayMs >= 0 && delayMs <= bound, delayMs);
  }
  const late = all.filter(({ attempt }) => attempt >= 4).map(({ delayMs }) => delayMs);
  if (late.length >= 20) env.caller.ok("delays to grow", Math.max(...late) > baseMs, Math.max(...late));
  const first = all.filter(({ attempt }) => attempt === 1).map(({ delayMs }) => delayMs);
  const least = Math.min(5, first.length);
  const distinct = new Set(first).size;
  env.caller.ok(`${least} different first delays or more among ${first.length}`, distinct >= least, distinct);
}

/** How many attempts there are in a time when each delay is half its bound. */
function meanAttempts(ms: number, { baseMs, maxMs }: Backoff): number {
  let attempts = 0;
  for (let left = ms; left > 0; attempts++) left -= Math.min(maxMs, baseMs * 2 ** attempts) / 2;
  return attempts;
}

/** One that may try three times ends with the third; one that never leaves the state open has nothing to try. */
async function boundedAttempts(env: Environment, way: Way): Promise<void> {
  const reconnect = { ...quick(env), maxAttempts: 3 };
  const lasting = await env.lasting({ url: way.url, reconnect });
  way.block();
  if (await leaves(env, lasting)) {
    await env.within("the end of a connection that may try 3 times", lasting.connection.closed, 3 * env.t);
    const attempts = lasting.changes.filter(({ state }) => state === "reconnecting").map(({ attempt }) => attempt);
    env.caller.equal("attempts of a connection that may try 3 times", attempts, [1, 2, 3]);
    env.caller.equal("how often it dialled", lasting.dials, 4);
    const late = await env.calls.error(
      "a request after the last attempt",
      env.calls.request(lasting.connection, "echo", { data: "too late" }),
    );
    env.caller.equal("how a request after it ends", [late.code, late.outcome], ["unavailable", "not-sent"]);
  }
  way.clear();
}

async function inGroups<Value>(count: number, make: () => Promise<Value>): Promise<Value[]> {
  const made: Value[] = [];
  while (made.length < count) {
    made.push(...(await Promise.all(upTo(Math.min(10, count - made.length)).map(() => make()))));
  }
  return made;
}

/** How each ended. */
async function settled(env: Environment, going: Awaited<ReturnType<typeof collecting>>) {
  return Promise.all(
    going.map(async ({ kind, end }) => [kind, await env.calls.error(`a ${kind} that was cut`, end)] as const),
  );
}
