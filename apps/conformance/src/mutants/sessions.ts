import { ParleyError } from "@parley/core";
import type { Call, Envelope, Invoke, Reply } from "@parley/core/transport";
import { detached, type Faults, type Mutant, wireMutant, withOutput } from "./mutate.ts";

const lost: readonly string[] = ["data_loss", "unavailable"];

/** Does something else with a stream that was cut and not taken up again; `resumes`: as others are. */
function whenCut(
  { resumes }: { readonly resumes: boolean },
  instead: (call: Call, next: Invoke) => AsyncIterable<Envelope>,
): () => Faults {
  const around =
    (next: Invoke): Invoke =>
    async (call): Promise<Reply> =>
      withOutput(await next(call), async function* (items) {
        try {
          yield* items;
        } catch (error) {
          if (!(error instanceof ParleyError) || !lost.includes(error.code)) throw error;
          yield* instead(call, next);
        }
      });
  return () => ({ call: around, ...(resumes ? {} : { tuning: (tuning) => ({ ...tuning, resumeWindowMs: 0 }) }) });
}

async function* nothing(): AsyncIterable<Envelope> {}

/** Mutants of REC that need a wire with sessions. */
export const sessionMutants: readonly Mutant[] = [
  wireMutant(
    "sse",
    "skips-what-was-cut",
    "REC-03",
    "takes a stream that was cut for one that has ended",
    whenCut({ resumes: false }, nothing),
  ),
  wireMutant(
    "sse",
    "repeats-what-was-cut",
    "REC-03",
    "asks anew for a stream that was cut",
    whenCut({ resumes: false }, async function* (call, next) {
      yield* (await next(detached(call))).output ?? nothing();
    }),
  ),
  wireMutant(
    "sse",
    "passes-over-gaps",
    "REC-04",
    "says nothing of what is lost for good",
    whenCut({ resumes: true }, nothing),
  ),
];
