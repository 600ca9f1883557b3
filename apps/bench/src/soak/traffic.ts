import { setTimeout as pause } from "node:timers/promises";
import { connect, type Remote, resilience, type Transport } from "@parley/core";
import { type Soak, soak } from "./contract.ts";
import type { Gate } from "./gate.ts";
import type { Tally } from "./tally.ts";

/** What a client's traffic is made from. */
export interface TrafficInit {
  readonly wire: string;
  readonly url: URL;
  readonly transport: Transport;
  readonly tally: Tally;
  /** What each call passes. */
  readonly gate: Gate;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Loops of calls that a client makes side by side. */
const LOOPS = 4;

/** A client is closed and connects anew after so long, at random up to this, ms. */
const LIFE_MS = 10_000;

/** Share of the calls that are cancelled, within so many milliseconds. */
const CANCELLED = 0.25;
const CANCEL_WITHIN_MS = 15;

/** Keeps a client busy until the signal is aborted: it calls, cancels, subscribes, and connects anew from time to time. */
export async function traffic(init: TrafficInit): Promise<void> {
  const { wire, url, transport, tally, signal } = init;
  while (!signal.aborted) {
    try {
      await using remote = await connect(soak, url, {
        transports: [transport],
        reconnect: { baseMs: 20, maxMs: 500 },
        use: [
          resilience({ timeoutMs: 2_000, deadlineMs: 5_000, retry: { baseMs: 20 }, bulkhead: { maxConcurrent: 64 } }),
        ],
      });
      const over = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(LIFE_MS * (0.2 + 0.8 * Math.random())))]);
      remote.connection.onState(({ state }) => tally.saw(`${wire} connection`, state));
      await Promise.all([
        ...Array.from({ length: LOOPS }, () => calls(init, remote, over)),
        subscriptions(init, remote, over),
      ]);
    } catch (thrown) {
      tally.failed(`${wire} connect`, thrown);
      await pause(20);
    }
  }
}

async function calls({ wire, tally, gate }: TrafficInit, remote: Remote<Soak>, over: AbortSignal): Promise<void> {
  const names = Object.keys(does) as (keyof typeof does)[];
  while (!over.aborted) {
    const name = names[Math.floor(Math.random() * names.length)] as keyof typeof does;
    await gate.pass(() => once(`${wire} ${name}`, does[name], tally, remote));
    await pause(Math.random() * 4);
  }
}

async function once(kind: string, does: Does, tally: Tally, remote: Remote<Soak>): Promise<void> {
  const controller = new AbortController();
  const cancels = Math.random() < CANCELLED;
  const cancelling = cancels ? setTimeout(() => controller.abort(), Math.random() * CANCEL_WITHIN_MS) : undefined;
  try {
    const problem = await does(remote, controller.signal);
    tally.add(kind, "ok");
    if (problem) tally.violation(`${kind} ${problem}`);
  } catch (thrown) {
    tally.failed(kind, thrown);
  } finally {
    clearTimeout(cancelling);
  }
}

/** Subscribes, reads for a while, and does so again. */
async function subscriptions({ wire, tally }: TrafficInit, remote: Remote<Soak>, over: AbortSignal): Promise<void> {
  const kind = `${wire} subscribe`;
  while (!over.aborted) {
    let last = 0;
    let gap = true;
    const onGap = (): void => {
      gap = true;
      tally.saw(`${wire} gap`, "told");
    };
    try {
      const subscription = await remote.news.subscribe({}, { onGap, timeoutMs: 2_000, signal: over });
      const most = 20 + Math.random() * 200;
      let seen = 0;
      for await (const { data } of subscription) {
        if (!gap && data !== last + 1) tally.violation(`${kind} got ${data} after ${last}, and was told of no gap`);
        gap = false;
        last = data;
        if (++seen > most || over.aborted) break;
      }
      tally.add(kind, "ok");
    } catch (thrown) {
      tally.failed(kind, thrown);
      await pause(5);
    }
  }
}

/** One call of each kind. Resolves with what is wrong with the answer, if anything is. */
type Does = (remote: Remote<Soak>, signal: AbortSignal) => Promise<string | undefined>;

const does: Readonly<Record<"request" | "lookup" | "keyed" | "notify" | "stream" | "leave" | "upload" | "chat", Does>> =
  {
    request: async (remote, signal) => doubled(await remote.double(21, { signal })),
    lookup: async (remote, signal) => doubled(await remote.lookup(21, { signal })),
    keyed: async (remote, signal) =>
      doubled(await remote.double(21, { signal, idempotencyKey: `key-${Math.random()}` })),
    notify: async (remote, signal) => {
      await remote.note(1, { signal });
      return undefined;
    },
    stream: async (remote, signal) => {
      const items = Math.floor(Math.random() * 300);
      return ordered(remote.count(items, { signal }), items);
    },
    leave: async (remote, signal) => {
      for await (const item of remote.count(1_000, { signal })) if (item > 20) break;
      return undefined;
    },
    upload: async (remote, signal) => {
      const items = Math.floor(Math.random() * 100);
      const sum = await remote.sum(upTo(items), { signal });
      return sum === (items * (items + 1)) / 2 ? undefined : `gave ${sum} for 1 to ${items}`;
    },
    chat: async (remote, signal) => {
      const items = Math.floor(Math.random() * 100);
      return ordered(remote.echo(upTo(items), { signal }), items);
    },
  };

function doubled(answer: number): string | undefined {
  return answer === 42 ? undefined : `was answered with ${answer}`;
}

async function ordered(items: AsyncIterable<number>, all: number): Promise<string | undefined> {
  let last = 0;
  let problem: string | undefined;
  for await (const item of items) {
    if (item !== last + 1) problem ??= `got item ${item} after ${last}`;
    last = item;
  }
  return problem ?? (last === all ? undefined : `ended in good order after ${last} of ${all} items`);
}

async function* upTo(count: number): AsyncGenerator<number, void, undefined> {
  for (let item = 1; item <= count; item++) yield item;
}
