import { createHash } from "node:crypto";
import { type Call, derive, type Envelope, type Handler, HELLO, type Reply } from "@parley/core/transport";
import { type Faults, type Mutant, mutant, tcpMutant } from "./mutate.ts";

/** Hands the handler another message; its answer goes to the one that came. */
function instead(change: (message: Envelope) => Readonly<Record<string, unknown>>): () => Faults {
  const around =
    (next: Handler): Handler =>
    (call: Call) => {
      if (call.kind !== "request" || call.message.type === HELLO) return next(call);
      return next(derive(call, { message: { ...call.message, ...change(call.message) } as Envelope })); // still an opener
    };
  return () => ({ handler: around });
}

/** Mutants of DUP. */
export const duplicateMutants: readonly Mutant[] = [
  mutant("handles-again", "DUP-01", "gives each arrival of a message an id of its own", () => {
    let arrivals = 0;
    return instead(({ source }) => ({ source: `${source}/${++arrivals}` }))();
  }),
  mutant(
    "tells-calls-by-data",
    "DUP-01",
    "takes messages with the same data for the same",
    instead(({ type, data }) => ({
      idempotencykey: createHash("sha256")
        .update(`${type} ${JSON.stringify(data)}`)
        .digest("hex"),
    })),
  ),
  mutant(
    "forgets-keys",
    "DUP-02",
    "does not pass idempotency keys on",
    instead(() => ({ idempotencykey: undefined })),
  ),
  tcpMutant(
    "keeps-all-calls",
    "DUP-03",
    "keeps whatever has come",
    () => {
      const all: Buffer[] = [];
      return instead(() => {
        all.push(Buffer.alloc(8_192, all.length));
        return {};
      })();
    },
    "process",
  ),
  mutant("never-forgets", "DUP-03", "remembers answers beyond any window", () => {
    const answers = new Map<string, Reply | Promise<Reply>>();
    return {
      handler: (next) => (call) => {
        const { id, type } = call.message;
        if (type !== "conformance.echo.v1") return next(call);
        const known = answers.get(id) ?? next(call);
        answers.set(id, known);
        return known;
      },
    };
  }),
];
