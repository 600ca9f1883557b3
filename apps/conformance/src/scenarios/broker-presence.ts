import { type RawClient, rawClient } from "../brokers/raw-client.ts";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { collect } from "./expect.ts";
import { agentAtOwnBroker } from "./own-broker.ts";
import { publish } from "./subscriber.ts";

/** Under this topic a broker of MQTT tells of processes that have vanished. */
const GONE = "parley/gone/";

/** In a run's own topics. */
const MARKERS = "+/brk3/marker";

/** BRK: brokers that tell who has vanished. */
export const brokerPresenceScenarios: readonly Scenario[] = [
  {
    id: "BRK-03",
    group: "BRK",
    level: "must",
    title:
      "A process that is killed is noticed by those who wait for it within T, and sooner than by its silence; one that closes in good order is not reported as lost.",
    needs: { kinds: ["request", "server-stream", "publish", "subscribe"], broker: true, process: true },
    mutants: ["misses-the-dead", "leaves-without-a-word"],
    limit: 20,
    async run(env) {
      const { broker, url } = await agentAtOwnBroker(env);
      const witness = env.tapping === "mqtt" ? await rawClient(broker.url) : undefined;
      try {
        for (const filter of [`${GONE}#`, MARKERS]) await witness?.subscribe(filter);
        await killed(env, url, witness);
        await closed(env, url, witness);
      } finally {
        witness?.close();
      }
    },
  },
];

/** Who is killed is missed by those who wait, and reported as lost. */
async function killed(env: Environment, url: URL, witness: RawClient | undefined): Promise<void> {
  const connection = await env.connect({ url: await env.tap.through(url) });
  const request = env.calls.make(connection, "request", "gate", { data: { gate: "brk3-request" } });
  const stream = env.calls.make(connection, "server-stream", "count", { data: { n: 3, gates: "brk3-" } });
  const items = (await env.within("the acceptance", env.calls.output(stream)))[Symbol.asyncIterator]();
  await env.serving.release("brk3-1");
  await env.within("an item", items.next());
  const second = items.next();
  second.catch(() => {});
  // A request that takes its time is accepted, and then watched.
  await env.event(request.id, "gate");
  const quiet = env.tap.bytes("listener");
  await env.until("the acceptance of the request", () => env.tap.bytes("listener") > quiet);
  await env.serving.kill("SIGKILL");
  for (const [what, ended] of [
    ["a request", request.reply],
    ["a stream", second],
  ] as const) {
    const error = await env.within(`the end of ${what} of the dead`, env.calls.error(what, ended));
    env.caller.equal(`how ${what} of the dead ends`, [error.code, error.outcome], ["unavailable", "unknown"]);
  }
  if (!witness) return;
  env.wire.ok("the will to have come to who waits", env.tap.contains("listener", GONE));
  await env.within("an answer of the broker", witness.ping());
  env.wire.equal("who is reported as lost", witness.heard.filter(isGone).length, 1);
}

/** Whoever closes in good order, serving or calling, is not. */
async function closed(env: Environment, url: URL, witness: RawClient | undefined): Promise<void> {
  await env.serving.start();
  const again = await env.listen({ url: url.href });
  const [calling, leaving] = [await env.connect({ url: again }), await env.connect({ url: again })];
  for (const one of [calling, leaving]) {
    const short = env.calls.make(one, "server-stream", "count", { data: { n: 3 } });
    env.caller.equal("the items", await env.within("a stream", collect(await env.calls.output(short))), [1, 2, 3]);
  }
  const before = witness?.heard.filter(isGone).length;
  await env.within("close() of a connection", leaving.close({ graceMs: env.t / 4 }));
  await env.within("close() of the listener", env.serving.close(env.t / 4));
  await publish(env, calling, "brk3/marker", "after");
  if (witness) {
    // What the broker had to say of either came before it.
    await env.until("the marker", () => witness.heard.some(({ topic }) => topic.endsWith("brk3/marker")));
    env.wire.equal("who is reported as lost then", witness.heard.filter(isGone).length, before);
  }
  env.processes.equal("the end of the serving process", env.serving.exited, undefined);
}

function isGone({ topic }: { readonly topic: string }): boolean {
  return topic.startsWith(GONE);
}
