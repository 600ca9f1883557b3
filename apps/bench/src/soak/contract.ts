import {
  bidiStream,
  type Contract,
  clientStream,
  contract,
  notify,
  type Operation,
  request,
  type Schema,
  serverStream,
  type Topic,
  topic,
} from "@parley/core";

/** A schema of numbers. */
export interface Numbers extends Schema {
  readonly "~standard": Schema["~standard"] & { readonly types?: { readonly input: number; readonly output: number } };
}

/** Takes numbers and nothing else. */
const number: Numbers = {
  "~standard": {
    version: 1,
    vendor: "parley-soak",
    validate: (value) =>
      typeof value === "number" ? { value } : { issues: [{ message: `expected a number, got ${typeof value}` }] },
  },
};

/** What {@link soak} is. */
export type Soak = Contract<{
  readonly double: Operation<"request", Numbers, Numbers>;
  readonly lookup: Operation<"request", Numbers, Numbers>;
  readonly note: Operation<"notify", Numbers, undefined>;
  readonly count: Operation<"server-stream", Numbers, Numbers>;
  readonly sum: Operation<"client-stream", Numbers, Numbers>;
  readonly echo: Operation<"bidi-stream", Numbers, Numbers>;
  readonly news: Topic<"news", Numbers>;
}>;

/** What is called while it soaks. */
export const soak: Soak = contract("soak", {
  double: request({ input: number, output: number }),
  lookup: request({ input: number, output: number, idempotent: true }),
  note: notify({ input: number }),
  count: serverStream({ input: number, item: number }),
  sum: clientStream({ item: number, output: number }),
  echo: bidiStream({ inputItem: number, outputItem: number }),
  news: topic({ path: "news", data: number }),
});
