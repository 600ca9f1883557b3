import { once } from "node:events";
import {
  type Agent,
  agent,
  bidiStream,
  type Contract,
  clientStream,
  contract,
  notify,
  type Operation,
  request,
  serverStream,
  type Topic,
  topic,
} from "@parley/core";

/** A schema (standardschema.dev) that takes what it is given, of this type. */
interface Schema<Value> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => { readonly value: Value };
    readonly types?: { readonly input: Value; readonly output: Value } | undefined;
  };
}

function any<Value>(): Schema<Value> {
  return { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as Value }) } };
}

interface Count {
  readonly to: number;
  readonly size?: number;
}

interface Counted {
  readonly n: number;
  readonly filler?: string;
}

/** An operation of every kind. */
export type Home = Contract<{
  readonly double: Operation<"request", Schema<number>, Schema<number>>;
  readonly slow: Operation<"request", Schema<number>, Schema<string>>;
  readonly count: Operation<"server-stream", Schema<Count>, Schema<Counted>>;
  readonly sum: Operation<"client-stream", Schema<number>, Schema<number>>;
  readonly echo: Operation<"bidi-stream", Schema<string>, Schema<string>>;
  readonly note: Operation<"notify", Schema<string>, undefined>;
  readonly temperature: Topic<"rooms/{room}/temperature", Schema<number>>;
}>;

/** An operation of every kind. */
export const home: Home = contract("home", {
  double: request({ input: any<number>(), output: any<number>() }),
  slow: request({ input: any<number>(), output: any<string>() }),
  count: serverStream({ input: any<Count>(), item: any<Counted>() }),
  sum: clientStream({ item: any<number>(), output: any<number>() }),
  echo: bidiStream({ inputItem: any<string>(), outputItem: any<string>() }),
  note: notify({ input: any<string>() }),
  temperature: topic({ path: "rooms/{room}/temperature", data: any<number>() }),
});

/** What a test does in place of the usual. */
export interface HomeInit {
  readonly name?: string;
  readonly slow?: (signal: AbortSignal) => Promise<string>;
  readonly note?: (text: string) => void;
}

/** An agent of {@link home}. */
export function homeAgent({ name = "home", slow, note }: HomeInit = {}): Agent<Home> {
  return agent(home, {
    double: (value) => value * 2,
    slow: async (ms, { signal }) => {
      if (slow) return slow(signal);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, ms)), once(signal, "abort")]);
      return name;
    },
    async *count({ to, size = 0 }) {
      for (let n = 1; n <= to; n++) yield size ? { n, filler: "x".repeat(size) } : { n };
    },
    async sum(items) {
      let total = 0;
      for await (const one of items) total += one;
      return total;
    },
    async *echo(items) {
      for await (const one of items) yield one;
    },
    note: (text) => note?.(text),
  });
}
