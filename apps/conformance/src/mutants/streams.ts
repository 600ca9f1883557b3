import { ParleyError } from "@parley/core";
import { type Call, derive, type Envelope, type Invoke } from "@parley/core/transport";
import { abortion, detached, type Faults, type Mutant, mutant, tcpMutant, withOutput } from "./mutate.ts";

type Items = AsyncIterable<Envelope>;

/** Changes what the reader of a stream gets. */
function output(change: (items: Items, call: Call) => Items): () => Faults {
  return () => ({ call: (next) => async (call) => withOutput(await next(call), (items) => change(items, call)) });
}

/** Changes what the handler gets of the caller's items. */
function input(change: (items: Items) => Items): () => Faults {
  return () => ({ handler: (next) => (call) => next(call.input ? derive(call, { input: change(call.input) }) : call) });
}

/** Mutants of SS, CS and BD. */
export const streamMutants: readonly Mutant[] = [
  mutant(
    "loses-last-item",
    "SS-01",
    "loses the last item of a stream",
    output(async function* (items) {
      let kept: Envelope | undefined;
      for await (const item of items) {
        if (kept) yield kept;
        kept = item;
      }
    }),
  ),
  mutant(
    "error-replaces-items",
    "SS-02",
    "throws away what came before an error",
    output(async function* (items) {
      const kept: Envelope[] = [];
      for await (const item of items) kept.push(item);
      yield* kept;
    }),
  ),
  mutant(
    "buffers-items",
    "SS-03",
    "passes items on in fours",
    output(async function* (items) {
      let kept: Envelope[] = [];
      for await (const item of items) {
        kept.push(item);
        if (kept.length < 4) continue;
        yield* kept;
        kept = [];
      }
      yield* kept;
    }),
  ),
  mutant("keeps-cancel", "SS-04", "keeps a cancellation to itself", () => ({ call: keepingCancel })),
  mutant(
    "leaks-streams",
    "SS-05",
    "does not tell anybody that a loop was left",
    output((items) => withoutReturn(items)),
  ),
  tcpMutant(
    "takes-cut-for-end",
    "SS-06",
    "takes the end of the connection for the end of the stream",
    output(async function* (items) {
      try {
        yield* items;
      } catch (error) {
        if (!(error instanceof ParleyError) || error.code !== "unavailable") throw error;
      }
    }),
  ),
  mutant(
    "drops-input",
    "CS-01",
    "loses an item on its way up",
    input(async function* (items) {
      let count = 0;
      for await (const item of items) if (++count !== 500) yield item;
    }),
  ),
  mutant("waits-for-input-end", "CS-02", "hands over a reply only when the input has ended", () => ({
    call: (next) => waitingForInput(next, false),
  })),
  mutant("takes-cancel-for-end", "CS-03", "ends the handler's input in good order when the caller gives up", () => ({
    handler: (next) => (call) => next(call.input ? detached(call, { input: endingCleanly(call.input) }) : call),
  })),
  mutant("hides-early-error", "CS-04", "hands over an error only when the input has ended", () => ({
    call: (next) => waitingForInput(next, true),
  })),
  mutant("half-duplex", "BD-01", "lets nothing down before all is up", () => ({
    call: (next) => async (call) => {
      if (call.kind !== "bidi-stream") return next(call);
      const ended = Promise.withResolvers<void>();
      const reply = await next(derive(call, { input: telling(call.input, ended.resolve) }));
      return withOutput(reply, async function* (items) {
        await Promise.race([ended.promise, abortion(call)]);
        yield* items;
      });
    },
  })),
  mutant("closes-both-directions", "BD-02", "closes both directions when one ends", () => ({
    call: (next) => async (call) => {
      if (call.kind !== "bidi-stream") return next(call);
      const ended = Promise.withResolvers<"ended">();
      const reply = await next(derive(call, { input: telling(call.input, () => ended.resolve("ended")) }));
      return withOutput(reply, async function* (items) {
        const iterator = items[Symbol.asyncIterator]();
        for (;;) {
          const next = await Promise.race([ended.promise, iterator.next()]);
          if (next === "ended" || next.done) return void (await iterator.return?.());
          yield next.value;
        }
      });
    },
  })),
  mutant("mixes-streams", "BD-03", "gives each reader the item that came before, whoever it was for", () => {
    let before: Envelope | undefined;
    return {
      call: (next) => async (call) =>
        withOutput(await next(call), async function* (items) {
          for await (const item of items) {
            yield before ?? item;
            before = item;
          }
        }),
    };
  }),
];

function keepingCancel(next: Invoke): Invoke {
  return async (call) => {
    const reply = await Promise.race([next(detached(call)), abortion(call)]);
    return withOutput(reply, withoutReturn);
  };
}

function withoutReturn(items: Items): Items {
  return {
    [Symbol.asyncIterator]: () => {
      const iterator = items[Symbol.asyncIterator]();
      return { next: () => iterator.next(), return: async () => ({ done: true, value: undefined }) };
    },
  };
}

async function* endingCleanly(items: Items): AsyncGenerator<Envelope, void, undefined> {
  try {
    yield* items;
  } catch {
    // Taken for the end.
  }
}

async function* telling(items: Items | undefined, ended: () => void): AsyncGenerator<Envelope, void, undefined> {
  if (items) for await (const item of items) yield item;
  ended();
}

function waitingForInput(next: Invoke, errors: boolean): Invoke {
  return async (call) => {
    if (call.kind !== "client-stream") return next(call);
    const ended = Promise.withResolvers<void>();
    const wait = Promise.race([ended.promise, abortion(call)]);
    wait.catch(() => {});
    const input = (async function* () {
      let more = 0;
      for await (const item of call.input ?? []) {
        if (more++ < 100) yield item;
      }
      ended.resolve();
    })();
    try {
      const reply = await next(derive(call, { input }));
      if (!errors) await wait;
      return reply;
    } catch (error) {
      if (errors) await wait;
      throw error;
    }
  };
}
