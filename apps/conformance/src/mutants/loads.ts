import { setTimeout as sleep } from "node:timers/promises";
import { ParleyError } from "@parley/core";
import { channelLimits, derive, type Envelope, memory, type Reply } from "@parley/core/transport";
import { abortion, type Faults, type Mutant, mutant, tcpMutant, withCall, withOutput } from "./mutate.ts";

type Items = AsyncIterable<Envelope>;

/** Limits that are not those it declares. */
function undeclared(limits: Partial<typeof channelLimits>): () => Faults {
  return () => ({
    tuning: (tuning) => ({ ...tuning, limits: { ...channelLimits, ...tuning.limits, ...limits } }),
    transport: (next) => ({ ...next, manifest: memory().manifest }),
  });
}

/** Mutants of BP, ORD, CON and LIM. */
export const loadMutants: readonly Mutant[] = [
  mutant("reads-ahead", "BP-01", "reads all there is, whether anybody wants it or not", () => ({
    call: (next) => async (call) => withOutput(await next(call), readAhead),
    handler: (next) => (call) => next(call.input ? derive(call, { input: readAhead(call.input) }) : call),
  })),
  mutant("blocks-behind-streams", "BP-02", "lets a call wait until the stream before it is read", () => ({
    call: (next) => {
      let before: Promise<unknown> = Promise.resolve();
      return async (call) => {
        if (call.kind === "request") await Promise.race([before, abortion(call)]);
        const reply = await next(call);
        const read = Promise.withResolvers<void>();
        if (reply.output) before = read.promise;
        return withOutput(reply, async function* (items) {
          try {
            yield* items;
          } finally {
            read.resolve();
          }
        });
      };
    },
  })),
  mutant("drops-publications", "BP-03", "keeps to itself that a subscriber has lost something", () => ({
    handler: (next) => async (call) => {
      const reply = await next(call);
      if (call.kind !== "subscribe") return reply;
      return withOutput(reply, async function* (items) {
        try {
          yield* items;
        } catch (error) {
          if (!(error instanceof ParleyError) || error.code !== "data_loss") throw error;
          await abortion(call);
        }
      });
    },
  })),
  mutant(
    "trusts-the-peer",
    "BP-04",
    "takes whatever comes",
    undeclared({ windowItems: 1_000_000, windowBytes: 2 ** 30 }),
  ),
  mutant("dispatches-in-parallel", "ORD-01", "hands items over as they are done, not as they came", () => ({
    handler: (next) => (call) => next(call.input ? derive(call, { input: inPairs(call.input) }) : call),
  })),
  mutant("hurries-publications", "ORD-01", "takes several publications at a time", () => {
    let count = 0;
    return {
      handler: (next) => async (call) => {
        if (call.kind === "publish" && ++count % 3 === 0) await sleep(2);
        return next(call);
      },
    };
  }),
  mutant("jumps-the-queue", "ORD-02", "gives a subscriber who comes back what waited, the latest first", () => {
    const old: Envelope[] = [];
    return {
      handler: (next) => async (call) => {
        if (call.kind === "publish") old.push({ ...call.message, kind: "item" });
        const reply = await next(call);
        if (call.kind !== "subscribe") return reply;
        const waiting = old.slice(-3).reverse();
        return withOutput(reply, async function* (items) {
          yield* waiting;
          yield* items;
        });
      },
    };
  }),
  mutant("confuses-the-many", "CON-01", "gives replies to the wrong call when there are many", () => {
    let open = 0;
    let waiting: ((reply: Reply) => void) | undefined;
    return {
      call: (next) => async (call) => {
        open++;
        try {
          const reply = await next(call);
          if (open < 500 || waiting) {
            waiting?.(reply);
            waiting = undefined;
            return reply;
          }
          return await new Promise<Reply>((resolve) => {
            waiting = resolve;
          });
        } finally {
          open--;
        }
      },
    };
  }),
  mutant("waits-for-handlers", "CON-02", "closes when all handlers are done, whatever the grace", () => ({
    transport: (next) => ({
      ...next,
      async connect(url, options) {
        const connection = await next.connect(url, options);
        return withCall(connection, connection.call, {
          close: async ({ graceMs } = {}) => {
            for (let waited = 0; graceMs !== 0 && connection.stats().openCalls > 0 && waited < 10_000; waited += 5)
              await sleep(5);
            await connection.close({ graceMs });
          },
        });
      },
    }),
  })),
  mutant("leaves-timers", "CON-03", "forgets a timer for each connection", () => ({
    transport: (next) => ({
      ...next,
      connect(url, options) {
        setTimeout(() => {}, 5_000);
        return next.connect(url, options);
      },
    }),
  })),
  mutant("off-by-one", "LIM-01", "takes one byte less than it declares", () => {
    let declared = channelLimits;
    return {
      tuning: ({ limits = channelLimits, ...rest }) => {
        declared = limits;
        return { ...rest, limits: { ...limits, maxMessageBytes: limits.maxMessageBytes - 1 } };
      },
      transport: (next) => ({ ...next, manifest: { ...next.manifest, limits: declared } }),
    };
  }),
  mutant("truncates", "LIM-02", "passes on the first MiB", () => ({
    handler: (next) => (call) => {
      const { data } = call.message;
      if (typeof data !== "string") return next(call);
      return next(derive(call, { message: { ...call.message, data: data.slice(0, 1024 * 1024) } }));
    },
  })),
  tcpMutant("reads-without-end", "LIM-03", "reads on, however long it gets", undeclared({ maxMessageBytes: 2 ** 30 })),
  mutant("falls-with-the-last", "LIM-04", "loses the connection to one call too many", () => ({
    call: (next, connection) => async (call) => {
      try {
        return await next(call);
      } catch (error) {
        if (error instanceof ParleyError && error.code === "resource_exhausted") void connection.close({ graceMs: 0 });
        throw error;
      }
    },
  })),
];

/** Reads all items as they come, and gives them out one by one. */
function readAhead(items: Items): Items {
  return {
    async *[Symbol.asyncIterator]() {
      const kept: Envelope[] = [];
      let over: { readonly error?: unknown } | undefined;
      let wake = (): void => {};
      void (async () => {
        try {
          for await (const item of items) {
            kept.push(item);
            wake();
          }
          over = {};
        } catch (error) {
          over = { error };
        }
        wake();
      })();
      for (;;) {
        const next = kept.shift();
        if (next) yield next;
        else if (over) {
          if ("error" in over) throw over.error;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    },
  };
}

/** Every now and then two items in the wrong order. */
async function* inPairs(items: Items): AsyncGenerator<Envelope, void, undefined> {
  let count = 0;
  let held: Envelope | undefined;
  for await (const item of items) {
    if (++count % 100 === 0) held = item;
    else {
      yield item;
      if (held) yield held;
      held = undefined;
    }
  }
  if (held) yield held;
}
