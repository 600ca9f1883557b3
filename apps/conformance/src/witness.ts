import { inspect } from "node:util";
import { same } from "./same.ts";

/** Who can testify: the caller's own history, the handler's, the bytes or frames on the wire, the table of processes. */
export type WitnessName = "caller" | "handler" | "wire" | "processes";

/** An expectation that does not hold: the wire's fault, not the suite's. */
export class Finding extends Error {
  override readonly name = "Finding";

  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
  }
}

/** Compares what one witness saw with what must be; the first difference ends the scenario. */
export interface Witness {
  /** @throws Finding when the two differ (see {@link same}). */
  equal(what: string, observed: unknown, expected: unknown): void;
  /** @throws Finding when `holds` is false. */
  ok(what: string, holds: boolean, observed?: unknown): void;
}

/** Makes a witness; `testified` is told its name at each comparison, so that a pass on one witness alone can be told apart (G-07). */
export function createWitness(name: WitnessName, testified: (name: WitnessName) => void): Witness {
  return {
    equal(what, observed, expected) {
      testified(name);
      if (!same(observed, expected)) {
        throw new Finding(`${name}: ${what}\n  expected ${show(expected)}\n  observed ${show(observed)}`);
      }
    },
    ok(what, holds, observed) {
      testified(name);
      if (!holds)
        throw new Finding(`${name}: expected ${what}${observed === undefined ? "" : `\n  observed ${show(observed)}`}`);
    },
  };
}

/** A value in one bounded piece of text. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 4, maxStringLength: 160, maxArrayLength: 12, breakLength: 120 });
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
