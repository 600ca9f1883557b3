import { type ParleyError, retry } from "@parley/core";
import { Context, onGap } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Lasting } from "../lasting.ts";
import type { Scenario } from "../scenario.ts";
import { back, quick } from "./back.ts";
import { nextTurn, upTo } from "./expect.ts";
import { agentAtOwnBroker, holds } from "./own-broker.ts";
import { attempt, type Subscriber, subscribe } from "./subscriber.ts";

const needs = { kinds: ["request", "publish", "subscribe"], broker: true } as const;

/** BRK: brokers that end and begin again. */
export const brokerRestartScenarios: readonly Scenario[] = [
  {
    id: "BRK-01",
    group: "BRK",
    level: "must",
    title:
      "A publication resolves when the broker has acknowledged it, not before; of those that did, all arrive though the broker is killed twice on the way, but for what falls into a gap that the subscriber is told of.",
    needs,
    mutants: ["resolves-before-the-broker", "hides-gaps-at-brokers"],
    limit: 30,
    async run(env) {
      const { broker, url } = await agentAtOwnBroker(env, { persistent: true });
      await acknowledged(env, url);
      const [publisher, reader] = [await lastingTo(env, url), await lastingTo(env, url)];
      const listening = await gapped(env, reader, "brk1/topic");
      const publishing = { call: retry({ ...quick(env), maxAttempts: 1_000 })(publisher.connection.call) };
      const total = env.count(300, 10_000);
      const pids = new Set([broker.pid]);
      let restarting = Promise.resolve();
      for (const n of upTo(total)) {
        if (n === Math.floor(total / 3) || n === Math.floor(total / 2)) {
          await restarting;
          await env.until("the subscription to be back", () => listening.gaps.length === pids.size - 1, 4 * env.t);
          restarting = broker.restart("SIGKILL").then(() => void pids.add(broker.pid));
          restarting.catch(() => {});
        }
        const attributes = { subject: "brk1/topic", idempotencykey: `brk1-${n}` };
        const made = env.calls.make(publishing, "publish", "topics", { data: n, attributes });
        await env.within(`publication ${n}`, made.reply, 4 * env.t);
      }
      await restarting;
      await env.until("both gaps to be told", () => listening.gaps.length >= 2, 4 * env.t);
      await env.within("the last publication", attempt(env, reader.connection, "brk1/topic", total + 1).reply);
      await listening.subscriber.saw(total + 1);
      env.processes.equal("brokers that there were", pids.size, 3);
      env.caller.equal("gaps that were told", listening.gaps.length, 2);
      const silent = silentlyLost(listening.subscriber.received as number[], listening.gaps, total);
      env.caller.equal("publications that were acknowledged, and are missing without a word", silent, []);
    },
  },
  {
    id: "BRK-02",
    group: "BRK",
    level: "must",
    title:
      "A broker that comes back and remembers nothing is a loss that is told: what was under way ends as unavailable, subscriptions are made again with their gap, agents are served again, nothing is said to have gone on.",
    needs,
    mutants: ["forgets-subscriptions-at-brokers", "takes-lost-calls-for-held"],
    limit: 20,
    async run(env) {
      const { broker, url } = await agentAtOwnBroker(env);
      const lasting = await lastingTo(env, url);
      const { connection, changes } = lasting;
      const { subscriber, gaps } = await gapped(env, lasting, "brk2/topic");
      const before = broker.pid;
      for (const [round, signal] of (["SIGTERM", "SIGKILL"] as const).entries()) {
        const held = env.calls.make(connection, "request", "gate", { data: { gate: `brk2-${round}` } });
        await env.event(held.id, "gate");
        await broker.restart(signal);
        const error = await env.within("the end of a call under way", env.calls.error("it", held.reply));
        env.caller.equal("how a call under way ends", [error.code, error.outcome], ["unavailable", "unknown"]);
        await env.event(held.id, "aborted");
        await env.until("the subscription to be back", () => gaps.length > round, 4 * env.t);
        await back(env, connection);
        const data = `after ${round}`;
        await env.within("a publication", attempt(env, connection, "brk2/topic", data).reply);
        await subscriber.saw(data);
      }
      env.caller.equal(
        "its states",
        changes.map(({ state }) => state).filter((state, at, all) => state !== all[at - 1]),
        ["reconnecting", "open", "reconnecting", "open"],
      );
      env.caller.equal("gaps that were told", gaps.length, 2);
      for (const gap of gaps) env.caller.equal("how a gap is told", [gap.code, gap.outcome], ["data_loss", "unknown"]);
      env.processes.ok("the broker to be another process", broker.pid !== before, broker.pid);
      await holds(
        env,
        broker,
        "to hold the subscription that was made again",
        ({ subscriptions }) => subscriptions > 0,
      );
    },
  },
];

function lastingTo(env: Environment, url: URL): Promise<Lasting> {
  return env.lasting({ url, reconnect: { ...quick(env), waitMs: 4 * env.t } });
}

/** While the broker's answer is kept back, a publication is not taken for acknowledged. */
async function acknowledged(env: Environment, url: URL): Promise<void> {
  const connection = await env.connect({ url: await env.tap.through(url) });
  await env.sentinel(connection);
  env.tap.hold("listener");
  const before = env.tap.held("listener");
  const made = attempt(env, connection, "brk1/held", "held");
  let settled = false;
  const settling = made.reply.finally(() => {
    settled = true;
  });
  settling.catch(() => {});
  await env.until("the broker's answer", () => env.tap.held("listener") > before);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  env.wire.ok("a publication not to be acknowledged before the broker's answer has come", !settled);
  env.tap.release("listener");
  await env.within("the acknowledgement", made.reply);
}

interface Listening {
  readonly subscriber: Subscriber;
  /** For each gap: how much had arrived when it was told, and how. */
  readonly gaps: readonly (ParleyError & { readonly after: number })[];
}

/** A subscription that outlives cuts. */
async function gapped(env: Environment, { connection }: Lasting, topic: string): Promise<Listening> {
  const gaps: (ParleyError & { readonly after: number })[] = [];
  const context = new Context();
  let subscriber: Subscriber | undefined;
  context.set(onGap, (gap) => gaps.push(Object.assign(gap, { after: subscriber?.received.length ?? 0 })));
  subscriber = await subscribe(env, connection, topic, context);
  return { subscriber, gaps };
}

/** Numbers of 1 to `total` that never came, and were not missed where a gap was told. */
function silentlyLost(received: readonly number[], gaps: Listening["gaps"], total: number): readonly number[] {
  const came = new Set(received);
  const excused = new Set<number>();
  for (const { after } of gaps) {
    const last = Math.max(0, ...received.slice(0, after));
    const next = Math.min(total + 1, ...received.slice(after));
    for (let n = last + 1; n < next; n++) excused.add(n);
  }
  return upTo(total).filter((n) => !came.has(n) && !excused.has(n));
}
