import type { Connection } from "@parley/core/transport";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import { nextTurn } from "./expect.ts";

/** A call that neither side will end. */
export interface UnderWay {
  readonly kind: string;
  readonly made: Made;
  /** Settles when it has ended all the same. */
  readonly end: Promise<unknown>;
}

/** Makes a call of each kind that the wire has, in the middle of which it stands still: its handler waits, and so does its caller. */
export async function collecting(
  env: Environment,
  connection: Connection,
  name: string,
  timeoutMs: number | undefined,
): Promise<readonly UnderWay[]> {
  const { calls, manifest } = env;
  const going: UnderWay[] = [];
  const add = (kind: string, made: Made, end: Promise<unknown> = made.reply): void => {
    end.catch(() => {});
    going.push({ kind, made, end });
  };
  for (const stubborn of [false, true]) {
    const data = { gate: stubborn ? `${name}-stubborn` : name, stubborn };
    const made = calls.make(connection, "request", "gate", { data, timeoutMs });
    add("request", made);
    await env.event(made.id, "gate");
  }
  if (manifest.kinds["server-stream"] !== "none") {
    await env.serving.release(`${name}-items-1`);
    const made = calls.make(connection, "server-stream", "count", {
      data: { n: 3, gates: `${name}-items-` },
      timeoutMs,
    });
    const items = (await env.within("a stream", calls.output(made)))[Symbol.asyncIterator]();
    env.caller.equal("the first item", (await env.within("an item", items.next())).value?.data, 1);
    add("server-stream", made, items.next());
  }
  for (const [kind, operation] of [
    ["client-stream", "upload"],
    ["bidi-stream", "chat"],
  ] as const) {
    if (manifest.kinds[kind] === "none") continue;
    const made = calls.make(connection, kind, operation, { input: endless(), timeoutMs });
    const end = kind === "client-stream" ? made.reply : calls.output(made).then((items) => readToEnd(items));
    add(kind, made, end);
    await env.event(made.id, "called");
  }
  if (manifest.kinds.subscribe !== "none") {
    const made = calls.make(connection, "subscribe", "topics", { attributes: { subject: "under/way" }, timeoutMs });
    const items = await env.within("a subscription", calls.output(made));
    add("subscribe", made, readToEnd(items));
  }
  await nextTurn();
  return going;
}

async function readToEnd(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}

/** One item, and then nothing, until nobody wants it. */
function endless(): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      let given = false;
      const left = Promise.withResolvers<IteratorResult<unknown>>();
      return {
        next() {
          if (given) return left.promise;
          given = true;
          return Promise.resolve({ done: false, value: { word: "first" } });
        },
        return() {
          left.resolve({ done: true, value: undefined });
          return Promise.resolve({ done: true as const, value: undefined });
        },
      };
    },
  };
}
