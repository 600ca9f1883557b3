import type { Connection } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import { bothWays, type DirectionFaults } from "../faults/faults.ts";
import type { Scenario } from "../scenario.ts";
import { sides } from "../tap/tap.ts";
import { upTo } from "./expect.ts";
import { linkTo, lostCalls, shortHeartbeatMs } from "./link.ts";

/** FLT: links and peers that fall silent. */
export const silentLinkScenarios: readonly Scenario[] = [
  {
    id: "FLT-04",
    group: "FLT",
    level: "must",
    title:
      "A link that drops everything of one side, either of them, without a word is found within two keepalives: what is lost ends as unavailable, and nothing waits for ever.",
    needs: { kinds: ["request", "server-stream"], tcp: true },
    mutants: ["waits-for-fin"],
    limit: 16,
    async run(env) {
      const heartbeatMs = shortHeartbeatMs(env);
      const link = await linkTo(env, { tuning: { heartbeatMs } });
      for (const from of sides) {
        link.proxy.set({});
        const connection = await link.connect();
        const { cuts } = link.proxy;
        const delivered = await pendingCalls(env, connection, `flt4-${from}`, 2 * heartbeatMs);
        link.proxy.set({ [from]: { drop: true } });
        const where = `behind a link that drops what the ${from} sends`;
        const { timeoutMs } = lostCalls(env, 2 * heartbeatMs);
        const late = env.calls.make(connection, "request", "echo", { data: "into the void", timeoutMs });
        const pending = { ...delivered, lost: [late, ...(from === "listener" ? [delivered.request] : [])] };
        await endsUnavailable(env, pending, 2 * heartbeatMs, where);
        env.handler.ok("what was lost to have arrived at most once", env.events(late.id, "called").length <= 1);
        // Where each call has a way of its own, what had arrived before may still be answered the other way.
        await env.serving.release(`flt4-${from}-request`, delivered.gate, `flt4-${from}-3`);
        const settled = Promise.allSettled([delivered.request.reply, delivered.stream]);
        await env.within(`the end of what had arrived before ${where}`, settled);
        env.wire.ok("the link not to have ended by itself", link.proxy.cuts === cuts, link.proxy.cuts);
        link.proxy.cut("rst");
        await env.until(
          "the handler of what had arrived to be done",
          () => env.events(delivered.request.id).length >= 3,
        );
      }
      link.proxy.set({});
      await env.sentinel(await link.connect());
    },
  },
  {
    id: "FLT-06",
    group: "FLT",
    level: "must",
    title: "A peer that ends its side 5 s late, or never, does not hold up close() beyond its grace.",
    needs: { kinds: ["request"], tcp: true },
    mutants: ["waits-for-the-peer"],
    limit: 20,
    async run(env) {
      const graceMs = env.t / 4;
      const late: readonly (readonly [string, DirectionFaults])[] = [
        ["ends 5 s late", { endDelayMs: 2.5 * env.t }],
        ["never ends", { endDelayMs: Number.POSITIVE_INFINITY }],
        ["says nothing any more", { drop: true }],
      ];
      const first = await linkTo(env);
      await Promise.all(
        late.map(async ([what, faults]) => {
          const { proxy, connect } = await first.beside();
          const connection = await connect();
          const gate = { gate: `flt6 ${what}`, stubborn: true };
          const made = env.calls.make(connection, "request", "gate", { data: gate });
          await env.event(made.id, "gate");
          proxy.set(bothWays(faults));
          await env.within(`close() beside a peer that ${what}`, connection.close({ graceMs }), graceMs + env.t / 2);
          const error = await env.within("the call under way", env.calls.error("it", made.reply), env.t / 4);
          env.caller.equal("the code of a call under way", error.code, "unavailable");
          env.handler.equal("runs of the call under way", env.events(made.id, "called").length, 1);
          env.wire.ok("the link to be as it was", proxy.cuts === 0, proxy.cuts);
          proxy.cut("rst");
        }),
      );
      const idle = await Promise.all(
        late.map(async ([, faults]) => {
          const { proxy, connect } = await first.beside();
          const connection = await connect();
          await env.sentinel(connection);
          proxy.set(bothWays(faults));
          return { proxy, connection };
        }),
      );
      await env.within("close() of a listener beside such callers", env.serving.close(graceMs), graceMs + env.t / 2);
      for (const { proxy, connection } of idle) {
        proxy.cut("rst");
        await connection.close({ graceMs: 0 });
      }
    },
  },
  {
    id: "FLT-08",
    group: "FLT",
    level: "must",
    title:
      "A peer that stands still for less than a keepalive costs nothing, not even order; one that stands still for longer is taken for gone.",
    needs: { kinds: ["request", "server-stream"], process: true },
    mutants: ["resets-the-slow"],
    limit: 20,
    async run(env) {
      const patient = { heartbeatMs: env.count(1, 2) * env.t };
      const short = await env.connect({
        url: await env.tap.through(await env.listen({ tuning: patient })),
        tuning: patient,
      });
      const stream = env.calls.make(short, "server-stream", "count", { data: { n: 500 } });
      const reading = (async () => {
        const items: unknown[] = [];
        for await (const item of await env.calls.output(stream)) items.push(item.data);
        return items;
      })();
      reading.catch(() => {});
      await env.sentinel(short);
      await env.serving.kill("SIGSTOP");
      const made = upTo(20).map((n) => env.calls.make(short, "request", "echo", { data: n }));
      await new Promise((resolve) => setTimeout(resolve, env.count(0.75, 1.5) * env.t));
      env.processes.ok("the connection to be open while the peer stands still", short.state === "open", short.state);
      await env.serving.kill("SIGCONT");
      const replies = await env.within("20 replies", Promise.all(made.map((one) => env.calls.message(one))));
      env.caller.equal(
        "the replies",
        replies.map(({ data }) => data),
        upTo(20),
      );
      env.caller.equal("the items of a stream", await env.within("the stream", reading), upTo(500));
      if (env.manifest.ordering === "connection") {
        const ids = new Set(made.map(({ id }) => id));
        const order = env
          .events(undefined, "called")
          .filter(({ call }) => ids.has(call))
          .map(({ call }) => call);
        env.handler.equal(
          "the order in which they arrived",
          order,
          made.map(({ id }) => id),
        );
      }

      const hasty = { heartbeatMs: shortHeartbeatMs(env) };
      const long = await env.connect({
        url: await env.tap.through(await env.listen({ tuning: hasty })),
        tuning: hasty,
      });
      const pending = await pendingCalls(env, long, "flt8", 2 * hasty.heartbeatMs);
      await env.serving.kill("SIGSTOP");
      try {
        await endsUnavailable(env, pending, 2 * hasty.heartbeatMs, "on a peer that stands still");
        const { error } = await env.within("the end of a stream on a peer that stands still", pending.stream);
        const ended = await env.calls.error("a stream on a peer that stands still", Promise.reject(error));
        const { codes } = lostCalls(env, 0);
        env.caller.ok("a stream on a peer that stands still to be lost", codes.includes(ended.code), ended.code);
      } finally {
        await env.serving.kill("SIGCONT");
      }
      await env.event(pending.request.id, "aborted");
      await env.sentinel(await env.connect({ url: await env.url() }));
    },
  },
];

interface Pending {
  readonly request: Made;
  /** Resolves with how its second item came, or did not. */
  readonly stream: Promise<{ readonly error?: unknown }>;
  /** Lets the second item go. */
  readonly gate: string;
  /** What must end in time. */
  readonly lost: readonly Made[];
}

/** A request and a stream that are under way. */
async function pendingCalls(env: Environment, connection: Connection, name: string, limitMs: number): Promise<Pending> {
  const { timeoutMs } = lostCalls(env, limitMs);
  const request = env.calls.make(connection, "request", "gate", { data: { gate: `${name}-request` }, timeoutMs });
  const data = { n: 3, gates: `${name}-` };
  const stream = env.calls.make(connection, "server-stream", "count", { data, timeoutMs });
  const items = (await env.within("the acceptance", env.calls.output(stream)))[Symbol.asyncIterator]();
  await env.serving.release(`${name}-1`);
  await env.within("an item", items.next());
  await env.event(request.id, "gate");
  const second = items.next().then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
  return { request, stream: second, gate: `${name}-2`, lost: [request] };
}

/** What is lost ends as unavailable in time. */
async function endsUnavailable(env: Environment, { lost }: Pending, limitMs: number, where: string): Promise<void> {
  const until = performance.now() + limitMs + env.t / 4;
  for (const made of lost) {
    const what = `a request ${where}`;
    const left = Math.max(0, until - performance.now());
    const error = await env.within(`the end of ${what}`, env.calls.error(what, made.reply), left);
    env.caller.ok(`${what} to be lost`, lostCalls(env, 0).codes.includes(error.code), error.code);
    env.caller.equal(`the outcome of ${what}`, error.outcome, "unknown");
  }
}
