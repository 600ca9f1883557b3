import { reconnecting } from "@parley/core/transport";
import type { Subject } from "../subject.ts";
import { type ChildFaults, childLines, childReference } from "./child-lines.ts";
import type { Mutant } from "./mutate.ts";

function childMutant(
  id: string,
  kills: string,
  fault: string,
  faults: ChildFaults,
  own: Partial<Subject> = {},
): Mutant {
  const transport: Subject["transport"] = (options) => childLines(options, faults);
  return { id, kills, fault, subject: { ...childReference, name: id.slice(0, 24), transport, ...own }, base: "child" };
}

/** Mutants of PRC. */
export const processMutants: readonly Mutant[] = [
  childMutant("waits-for-the-dead", "PRC-01", "does not hear that the child has ended", { hearsNoEnd: true }),
  childMutant("hides-the-end", "PRC-01", "does not say how the child ended", { saysNotHow: true }),
  childMutant("waits-for-the-pipe", "PRC-02", "waits for the end of stdout, and sends no signal", {
    waitsForPipe: true,
  }),
  childMutant("parses-stderr", "PRC-03", "takes what stands on stderr for frames", { readsStderr: true }),
  childMutant("never-full", "PRC-04", "writes on, whether or not the child reads", { neverFull: true }),
  childMutant("awaits-no-program", "PRC-05", "does not hear that a program cannot be started", { hearsNoError: true }),
  childMutant(
    "starts-for-ever",
    "PRC-05",
    "starts what crashes again and again",
    {},
    {
      reconnecting: (transport, options) => reconnecting(transport, { ...options, maxAttempts: 1_000 }),
    },
  ),
];
