import { fanOut, ParleyError } from "@parley/core";
import type { Finding, Step } from "./contracts.ts";

/** What {@link scatter} works with. */
export interface Work<Reader extends { readonly name: string }> {
  readonly readers: readonly Reader[];
  readonly sonnets: readonly number[];
  readonly read: (reader: Reader, sonnet: number, signal: AbortSignal) => AsyncIterable<Finding>;
  /** Told of each sonnet that was read, and of each reader that was lost. */
  readonly tell: (step: Step) => void;
  readonly signal: AbortSignal;
}

/** What came of it. */
export interface Reading<Reader> {
  readonly findings: readonly Finding[];
  /** The readers that are left. */
  readonly left: readonly Reader[];
}

/**
 * Hands out sonnets to all readers at once, the next to whoever has done one. A reader that fails gets no more; what it was at is read again by
 * another, from the start, since nobody knows how far it had come. What is found twice counts once.
 * @throws ParleyError `unavailable` when no reader is left.
 */
export async function scatter<Reader extends { readonly name: string }>(work: Work<Reader>): Promise<Reading<Reader>> {
  const { read, tell, signal } = work;
  const waiting = [...work.sonnets];
  const findings = new Map<string, Finding>();

  async function readOn(reader: Reader, signal: AbortSignal): Promise<void> {
    for (let sonnet = waiting.shift(); sonnet !== undefined; sonnet = waiting.shift()) {
      let lines = 0;
      let known = 0;
      try {
        for await (const finding of read(reader, sonnet, signal)) {
          const id = `${sonnet} ${finding.line} ${finding.theme}`;
          lines++;
          if (findings.has(id)) known++;
          findings.set(id, finding);
        }
      } catch (error) {
        waiting.unshift(sonnet);
        const why = error instanceof ParleyError ? `${error.code}, ${error.outcome}` : String(error);
        tell({ step: "lost", sonnet, by: reader.name, lines, why });
        throw error;
      }
      tell({ step: "read", sonnet, by: reader.name, lines, known });
    }
  }

  let left = work.readers;
  while (waiting.length > 0) {
    if (left.length === 0) {
      throw new ParleyError("unavailable", `no reader is left for sonnets ${waiting.join(", ")}`, {
        outcome: "unknown",
      });
    }
    const { branches } = await fanOut(left, (reader, branch) => readOn(reader, branch.signal), {
      policy: "partial",
      signal,
    });
    left = branches.flatMap(({ target, state }) => (state === "done" ? [target] : []));
  }
  return { findings: [...findings.values()], left };
}
