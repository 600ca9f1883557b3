import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import type { Tally } from "../serving/deliveries.ts";
import { sides } from "../tap/tap.ts";
import { upTo } from "./expect.ts";
import { type Link, linkTo } from "./link.ts";
import { Persistent } from "./persistent.ts";

/** Messages of which all may be on their way together. */
const WINDOW = 16;

/** FLT: links that come and go under callers who send again until they are answered. */
export const returningLinkScenarios: readonly Scenario[] = [
  {
    id: "FLT-07",
    group: "FLT",
    level: "must",
    title:
      "Through ten times down and up again every message that was acknowledged has arrived, none is reported that did not, and what arrives again bears the same id.",
    needs: { kinds: ["request"], tcp: true, reconnect: true },
    mutants: ["acknowledges-early"],
    limit: 60,
    async run(env) {
      const link = await linkTo(env);
      const [flaps, halfMs] = [env.count(5, 10), env.count(env.t / 10, 1_000)];
      const caller = new Persistent(env, link.dial, (2 * flaps + 2) * halfMs + 4 * env.t);
      const acknowledged: string[] = [];
      let over = false;
      const traffic = Promise.all(
        upTo(4).map(async (lane) => {
          for (let n = 1; !over; n++) {
            const key = `flap-${lane}-${n}`;
            const reply = await caller.request("echo", { key, data: key });
            env.caller.equal(`the answer to ${key}`, reply.data, key);
            acknowledged.push(key);
            await new Promise((resolve) => setTimeout(resolve, halfMs / 20));
          }
        }),
      );
      traffic.catch(() => {});
      for (let flap = 0; flap < flaps; flap++) {
        await new Promise((resolve) => setTimeout(resolve, halfMs));
        await link.proxy.down();
        await new Promise((resolve) => setTimeout(resolve, halfMs));
        await link.proxy.up();
      }
      over = true;
      await env.within("the last answers", traffic, 4 * env.t);
      const arrived = Map.groupBy(env.events(undefined, "called"), ({ detail }) => {
        return String((detail as { message: { idempotencykey?: unknown } }).message.idempotencykey);
      });
      const missing = acknowledged.filter((key) => !arrived.has(key));
      env.handler.equal("messages that were acknowledged and did not arrive", missing, []);
      const unasked = [...arrived.keys()].filter((key) => !key.startsWith("flap-"));
      env.handler.equal("messages that nobody sent", unasked, []);
      const changed = [...arrived.values()].filter((runs) => new Set(runs.map(({ call }) => call)).size > 1);
      env.handler.equal("messages that came again under another id", changed.length, 0);
      env.wire.ok("the link to have been lost again and again", link.proxy.cuts >= flaps, link.proxy.cuts);
      await caller.close();
    },
  },
  {
    id: "FLT-09",
    group: "FLT",
    level: "must",
    title:
      "Cut in the middle of frames again and again, at random, a wire loses nothing, doubles nothing that has a key, and keeps the order of windows.",
    needs: { kinds: ["request"], tcp: true, reconnect: true },
    mutants: ["loses-under-cuts"],
    limit: 300,
    async run(env) {
      await survivesCuts(env, await linkTo(env), { messages: env.count(2_000, 100_000), cuts: env.count(20, 100) });
    },
  },
];

/** Sends numbered messages in windows over a link that is cut at random, and asks at the end what arrived. */
export async function survivesCuts(
  env: Environment,
  link: Link,
  { messages, cuts }: { readonly messages: number; readonly cuts: number },
): Promise<void> {
  const caller = new Persistent(env, link.dial, 100 * env.t + messages);
  // A message and its answer take some 200 bytes each at least; with half of what that makes between the cuts, all of them come in time.
  const between = Math.max(200, Math.floor((0.5 * 200 * messages) / cuts));
  link.proxy.set(() => {
    if (link.proxy.cuts >= cuts) return {};
    const [from, cut] = [env.random.pick(sides), env.random.pick(["fin", "rst"] as const)];
    return { [from]: { cutAfterBytes: 1 + env.random.int(2 * between), cut } };
  });
  const box = `cuts-${env.random.hex(8)}`;
  for (let window = 0; window * WINDOW < messages; window++) {
    const numbers = upTo(Math.min(WINDOW, messages - window * WINDOW)).map((k) => window * WINDOW + k);
    await Promise.all(numbers.map((n) => caller.request("deliver", { key: `${box}-${n}`, data: { box, n, window } })));
  }
  env.wire.ok(`the link to have been cut ${cuts} times`, link.proxy.cuts >= cuts, link.proxy.cuts);
  link.proxy.set({});
  const { data } = await caller.request("tally", { key: `${box}-tally`, data: { box } });
  const { distinct, repeated, disordered, conflicting } = data as Tally;
  env.handler.equal(
    "messages that arrived, out of order, or under the key of another",
    { distinct, disordered, conflicting },
    { distinct: messages, disordered: 0, conflicting: 0 },
  );
  env.caller.ok("no more arrivals than attempts", distinct + repeated <= caller.attempts, {
    arrivals: distinct + repeated,
    attempts: caller.attempts,
  });
  env.history.note(
    "suite",
    `${messages} messages, ${caller.attempts} attempts, ${repeated} repeated, ${link.proxy.cuts} cuts`,
  );
  await caller.close();
}
