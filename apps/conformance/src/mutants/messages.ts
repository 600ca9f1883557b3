import { derive, type Envelope } from "@parley/core/transport";
import { type Faults, type Mutant, mutant } from "./mutate.ts";

/** Changes what the handler sees of the opener. */
function received(change: (message: Envelope) => Record<string, unknown>): () => Faults {
  return () => ({ handler: (next) => (call) => next(derive(call, { message: change(call.message) as Envelope })) }); // broken on purpose
}

/** Changes what the caller sends as the opener. */
function sent(change: (message: Envelope) => Record<string, unknown>): () => Faults {
  return () => ({ call: (next) => (call) => next(derive(call, { message: change(call.message) as Envelope })) }); // broken on purpose
}

const isText = (value: unknown): value is string => typeof value === "string";

const known = new Set(
  "specversion parley id source type kind time datacontenttype dataschema subject correlationid causationid data timeoutms".split(
    " ",
  ),
);

/** Mutants of ENV and BIN. */
export const messageMutants: readonly Mutant[] = [
  mutant(
    "drops-attribute",
    "ENV-01",
    "loses the trace context",
    received(({ traceparent: _, ...rest }) => rest),
  ),
  mutant(
    "fills-defaults",
    "ENV-02",
    "makes null of absent data",
    received((message) => ({ ...message, data: message.data ?? null })),
  ),
  mutant(
    "raw-attribute",
    "ENV-03",
    "writes attributes as raw header lines",
    sent((message) =>
      Object.fromEntries(
        Object.entries(message).flatMap(([name, value]) =>
          name === "data" || !isText(value)
            ? [[name, value]]
            : `${name}: ${value}`.split(/\r?\n/).map((line) => {
                const [head = "", ...tail] = line.split(": ");
                return [head, tail.join(": ")];
              }),
        ),
      ),
    ),
  ),
  mutant(
    "strips-unknown",
    "ENV-04",
    "forwards only attributes that it knows",
    received((message) => Object.fromEntries(Object.entries(message).filter(([name]) => known.has(name)))),
  ),
  mutant(
    "replaces-characters",
    "ENV-05",
    "makes U+FFFD of lone surrogates",
    sent((message) => ({ ...message, data: wellFormed(message.data) })),
  ),
  mutant(
    "rounds-numbers",
    "ENV-06",
    "puts every integer through Number()",
    sent((message) => ({ ...message, data: rounded(message.data) })),
  ),
  mutant(
    "rewrites-id",
    "ENV-07",
    "gives messages ids of its own",
    received((message) => ({ ...message, id: `own-${message.id}`.slice(0, 200) })),
  ),
  mutant(
    "recursive-parser",
    "ENV-07",
    "recurses into data without a bound",
    sent((message) => ({ ...message, data: recursed(message.data) })),
  ),
  mutant(
    "merges-prototype",
    "ENV-08",
    "merges objects by assignment",
    received((message) => ({ ...message, data: merged(message.data) })),
  ),
  mutant(
    "decodes-bytes-as-text",
    "BIN-01",
    "reads bytes as UTF-8",
    received((message) => ({
      ...message,
      ...(message.data instanceof Uint8Array ? { data: throughText(message.data) } : {}),
    })),
  ),
  mutant(
    "splits-at-newline",
    "BIN-02",
    "ends a message at its first line feed",
    sent((message) => ({ ...message, ...(isText(message.data) ? { data: message.data.split("\n", 1)[0] } : {}) })),
  ),
  mutant(
    "single-type",
    "BIN-03",
    "delivers text as bytes",
    received((message) => ({
      ...message,
      ...(isText(message.data) ? { data: new TextEncoder().encode(message.data) } : {}),
    })),
  ),
];

function wellFormed(value: unknown): unknown {
  return mapped(
    value,
    (leaf) => (isText(leaf) ? leaf.toWellFormed() : leaf),
    (key) => key.toWellFormed(),
  );
}

function rounded(value: unknown): unknown {
  return mapped(value, (leaf) => (typeof leaf === "bigint" ? Number(leaf) : leaf));
}

function merged(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Array.isArray(value) ? value.map(merged) : Object.assign({}, value);
}

/** Overflows the stack on what is nested deep enough. */
function recursed(value: unknown): unknown {
  const depth = (one: unknown): number => (Array.isArray(one) ? 1 + Math.max(0, ...one.map(depth)) : 0);
  depth(value);
  return value;
}

function throughText(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(bytes));
}

function mapped(
  value: unknown,
  leaf: (leaf: unknown) => unknown,
  key: (key: string) => string = (same) => same,
  depth = 0,
): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array || depth > 80) return leaf(value);
  if (Array.isArray(value)) return value.map((one) => mapped(one, leaf, key, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [key(name), mapped(one, leaf, key, depth + 1)]));
}
