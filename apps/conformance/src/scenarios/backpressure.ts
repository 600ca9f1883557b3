import type { Connection } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import { residentBytes } from "../hygiene.ts";
import type { Scenario } from "../scenario.ts";
import { numbered, numberOf } from "../serving/numbered.ts";
import type { From } from "../tap/tap.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { publish, subscribe } from "./subscriber.ts";

const MIB = 1024 * 1024;
const ITEM_BYTES = 64 * 1024;
/** Items beyond the window that may have been made: with the reader, on their way to it, and one that the window does not take. */
const SLACK_ITEMS = 4;

/** BP: whoever reads slowly holds up its writer, and nobody else; nobody's memory pays for it. */
export const backpressureScenarios: readonly Scenario[] = [
  {
    id: "BP-01",
    group: "BP",
    level: "must",
    title:
      "While a reader stalls, a writer who has 128 MiB for it is held up at the window, in either direction, and neither side's memory grows by 32 MiB; then everything arrives in order.",
    needs: { kinds: ["request", "server-stream", "client-stream"], backpressure: "any", serving: ["snapshot"] },
    mutants: ["reads-ahead"],
    limit: 60,
    async run(env) {
      const { windowBytes, windowItems } = env.manifest.limits;
      const offered = Math.max(env.count(40 * MIB, 128 * MIB), 2 * windowBytes + 8 * MIB);
      const items = Math.ceil(offered / ITEM_BYTES);
      const most = Math.min(Math.ceil(windowBytes / ITEM_BYTES), windowItems) + SLACK_ITEMS;
      const url = await untapped(env);
      const connection = await env.connect({ url });
      const witness = env.children ? connection : await env.connect({ url });
      await warmUp(env, connection);

      const before = await memory(env);
      const down = env.calls.make(connection, "server-stream", "flood", { data: { items, bytes: ITEM_BYTES } });
      const output = (await env.within("the acceptance", env.calls.output(down)))[Symbol.asyncIterator]();
      const first = await env.within("the first item", output.next());
      const made = await settled(env, witness, () => env.events(down.id, "yielded").length, most);
      env.handler.ok(`at most ${most} of ${items} items to be made for a reader who stalls`, made <= most, made);
      await grewLittle(env, before, "for a reader who stalls");
      const numbers = [numberOf(first.value?.data)];
      for (let next = await env.within("an item", output.next()); !next.done; ) {
        numbers.push(numberOf(next.value.data));
        next = await env.within("an item", output.next());
      }
      env.caller.equal("the items, once they are read", firstOutOfOrder(numbers), undefined);
      env.caller.equal("how many items were read", numbers.length, items);

      const again = await memory(env);
      let pulled = 0;
      const input = (function* () {
        yield { gate: "bp-1" };
        for (let k = 1; k <= items; k++) {
          pulled = k;
          yield numbered(k, ITEM_BYTES);
        }
      })();
      const up = env.calls.make(connection, "client-stream", "intake", { input });
      await env.event(up.id, "gate");
      await settled(env, witness, () => pulled, most);
      env.caller.ok(`at most ${most} of ${items} items to be taken for a handler who stalls`, pulled <= most, pulled);
      await grewLittle(env, again, "for a handler who stalls");
      await env.serving.release("bp-1");
      const report = await env.within("the reply", env.calls.message(up), 20 * env.t);
      env.handler.equal("what the handler read in the end", report.data, {
        count: items,
        length: items * ITEM_BYTES,
        disordered: 0,
      });
      await nothingOpen(env, connection);
    },
  },
  {
    id: "BP-02",
    group: "BP",
    level: "must",
    title:
      "A stream whose reader stalls delays no other call of the connection by T; signs of life and cancellations pass as well.",
    needs: { kinds: ["request", "server-stream"], backpressure: "stream", cancel: true },
    mutants: ["blocks-behind-streams"],
    limit: 30,
    async run(env) {
      const { windowBytes } = env.manifest.limits;
      const connection = await env.connect({ url: await untapped(env) });
      const items = Math.ceil((1.5 * windowBytes + 4 * MIB) / ITEM_BYTES);
      const stalled = env.calls.make(connection, "server-stream", "flood", { data: { items, bytes: ITEM_BYTES } });
      const output = (await env.within("the acceptance", env.calls.output(stalled)))[Symbol.asyncIterator]();
      await env.within("the first item", output.next());
      let slowest = 0;
      for (const n of upTo(100)) {
        const start = performance.now();
        const reply = await env.within("a request beside it", env.calls.request(connection, "echo", { data: n }));
        slowest = Math.max(slowest, performance.now() - start);
        env.caller.equal("the reply to a request beside it", reply.data, n);
      }
      env.caller.ok(`each of 100 requests to take less than ${env.t} ms`, slowest < env.t, slowest);
      await env.within("a sign of life beside it", connection.ping());
      const given = env.calls.make(connection, "request", "gate", { data: { gate: "bp-2" } });
      await env.event(given.id, "gate");
      env.calls.cancel(given);
      env.handler.equal("why a handler was told to stop", (await env.event(given.id, "aborted")).detail, "cancelled");
      env.handler.ok("the stream to be held up", env.events(stalled.id, "finished").length === 0);
      let left = items - 1;
      for (let next = await env.within("an item", output.next()); !next.done; left--) {
        next = await env.within("an item", output.next());
      }
      env.caller.equal("items that did not come after all", left, 0);
      await nothingOpen(env, connection);
    },
  },
  {
    id: "BP-03",
    group: "BP",
    level: "must",
    title:
      "A subscriber who falls behind what a wire keeps is told what it lost, or loses nothing; others notice nothing.",
    needs: { kinds: ["request", "publish", "subscribe"] },
    mutants: ["drops-publications"],
    limit: 40,
    async run(env) {
      const { windowBytes, windowItems } = env.manifest.limits;
      const bytes = Math.min(ITEM_BYTES, Math.max(1024, Math.ceil(windowBytes / 256)));
      const total = Math.min(Math.ceil(windowBytes / bytes), windowItems) + QUEUED + 128;
      const connection = await env.connect();
      const slow = env.calls.make(await env.another(connection), "subscribe", "topics", {
        attributes: { subject: "overflow" },
      });
      const output = (await env.within("a subscription", env.calls.output(slow)))[Symbol.asyncIterator]();
      const quick = await subscribe(env, await env.another(connection), "overflow");
      for (const k of upTo(total)) {
        await publish(env, connection, "overflow", numbered(k, bytes));
        // The one who reads is not to be outrun.
        if (k % 64 === 0) await quick.count(k);
      }
      await quick.count(total);
      env.caller.equal("what a subscriber got who reads", firstOutOfOrder(quick.received.map(numberOf)), undefined);
      const numbers: number[] = [];
      const reading = (async () => {
        while (numbers.length < total) {
          const next = await output.next();
          if (next.done) throw new Error("it ended");
          numbers.push(numberOf(next.value.data));
        }
      })();
      const ended = await env.within(
        "what was kept for a subscriber who does not read, or word of what was lost",
        reading.then(
          () => undefined,
          (error: unknown) => error,
        ),
        4 * env.t,
      );
      env.caller.equal("what a subscriber got who did not read", firstOutOfOrder(numbers), undefined);
      if (ended !== undefined) {
        const error = await env.calls.error("a subscription that lost something", Promise.reject(ended));
        env.caller.ok(
          "the loss to be told as such",
          ["data_loss", "resource_exhausted"].includes(error.code),
          `${error.code}: ${error.message}`,
        );
        env.caller.ok("all that was kept to have come first", numbers.length > 0, numbers.length);
      }
      if (env.manifest.broker?.overflow === "block") env.caller.equal("what was lost", total - numbers.length, 0);
      env.calls.cancel(slow);
      await quick.unsubscribe();
      const published = env
        .events(undefined, "called")
        .filter(({ detail }) => (detail as { kind: string }).kind === "publish");
      env.wire.ok("the publications to have been on the wire", env.tap.bytes("dialler") >= total * bytes);
      // Where a broker stands between the two, publications are no calls of the handler's.
      if (env.manifest.broker === null) env.handler.equal("publications that arrived", published.length, total);
    },
  },
  {
    id: "BP-04",
    group: "BP",
    level: "must",
    title:
      "A peer that sends beyond its credit, in either direction, is stopped with resource_exhausted, and costs no 32 MiB.",
    needs: { kinds: ["request", "server-stream", "client-stream"], frames: true, backpressure: "any" },
    mutants: ["trusts-the-peer"],
    limit: 20,
    async run(env) {
      const down = await env.connect();
      await env.sentinel(down);
      const before = await memory(env);
      const genuine = nextItem(env, "listener");
      const stream = env.calls.make(down, "server-stream", "count", { data: { n: 2, gates: "bp-4-" } });
      const reader = (await env.within("the acceptance", env.calls.output(stream)))[Symbol.asyncIterator]();
      await env.serving.release("bp-4-1");
      await env.within("the true item", reader.next());
      await flood(
        env,
        "listener",
        await env.within("the true item's frame", genuine),
        () => down.stats().openCalls === 0,
      );
      const reading = (async () => {
        for (let next = await reader.next(); !next.done; ) next = await reader.next();
      })();
      const error = await env.within("the end of the stream", env.calls.error("a stream beyond its credit", reading));
      env.caller.equal("the code of a stream beyond its credit", error.code, "resource_exhausted");
      await grewLittle(env, before, "at a reader who is flooded");
      await down.close({ graceMs: 0 });

      const up = await env.connect();
      const input = (async function* () {
        yield { gate: "bp-4" };
        await new Promise(() => {});
      })();
      const opening = nextItem(env, "dialler");
      const made = env.calls.make(up, "client-stream", "intake", { input });
      await env.event(made.id, "gate");
      let over = false;
      made.reply
        .catch(() => {})
        .finally(() => {
          over = true;
        });
      await flood(env, "dialler", await env.within("the first item's frame", opening), () => over);
      const refused = await env.within("the end of the call", env.calls.error("a call beyond its credit", made.reply));
      env.caller.equal("the code of a call beyond its credit", refused.code, "resource_exhausted");
      await env.event(made.id, "aborted");
      env.handler.equal("replies that the handler gave", env.events(made.id, "returned").length, 0);
      await grewLittle(env, before, "at a handler who is flooded");
      await env.sentinel(await env.connect());
    },
  },
];

/** Publications that an agent keeps for one subscriber, unless told otherwise. */
const QUEUED = 256;

/** The address of a listener without the suite's tap, whose sockets would hold more, and which would keep what passes. */
async function untapped(env: Environment): Promise<URL> {
  return env.tapping === "in-process" ? env.url() : env.listen();
}

/** What both processes hold, bytes. */
async function memory(env: Environment): Promise<readonly number[]> {
  return [residentBytes(), await env.serving.residentBytes()];
}

async function grewLittle(env: Environment, before: readonly number[], where: string): Promise<void> {
  const growth = (await memory(env)).map((bytes, at) => Math.round((bytes - (before[at] ?? 0)) / MIB));
  env.history.note("process", `memory grew by ${growth.join(" and ")} MiB ${where}`);
  env.processes.ok(
    `memory to grow by less than 32 MiB ${where}`,
    growth.every((mib) => mib < 32),
    growth,
  );
}

/** Both processes have done once what they will do again. */
async function warmUp(env: Environment, connection: Connection): Promise<void> {
  const made = env.calls.make(connection, "server-stream", "flood", { data: { items: 32, bytes: ITEM_BYTES } });
  let count = 0;
  for await (const _ of await env.within("the acceptance", env.calls.output(made))) count++;
  env.caller.equal("items of a stream that is read", count, 32);
}

/** Waits until a count stands still while another connection is answered several times, or is over what it may be. */
async function settled(env: Environment, witness: Connection, count: () => number, most: number): Promise<number> {
  for (let [last, still] = [-1, 0]; still < 8 && count() <= most; ) {
    await env.sentinel(witness);
    await new Promise((resolve) => setTimeout(resolve, 10 * env.scale));
    still = count() === last ? still + 1 : 0;
    last = count();
  }
  return count();
}

/** The first number that is not the one after the one before it. */
function firstOutOfOrder(numbers: readonly number[]): number | undefined {
  return numbers.find((number, at) => number !== at + 1);
}

/** The next frame of one side that carries an item. */
function nextItem(env: Environment, from: From): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    env.tap.rewrite((frame, sender) => {
      if (sender === from && frame.includes('"kind":"item"')) resolve(JSON.parse(frame) as Record<string, unknown>);
      return undefined;
    });
  });
}

/** Sends up to 64 MiB of items in the name of one side, until it is stopped. */
async function flood(
  env: Environment,
  from: From,
  first: Record<string, unknown>,
  stopped: () => boolean,
): Promise<void> {
  const { seq: start = 1, count, ...rest } = first;
  for (let k = 1; k <= (64 * MIB) / ITEM_BYTES && !stopped(); k++) {
    const seq = Number(start) + Number(count ?? 1) - 1 + k;
    const id = String(rest["id"]).replace(/\d+$/, String(seq));
    env.tap.forge(JSON.stringify({ ...rest, id, seq, data: numbered(k, ITEM_BYTES) }), from);
    if (k % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  env.wire.ok("forged items to have been sent", env.tap.connections > 0);
}
