import type { Envelope } from "../../envelope/envelope.ts";

/**
 * How far a sender may go in one direction of a stream, counted from its start, so that repeats and late ones are harmless. Bytes are
 * those of whole item events in UTF-8. An item may start while one byte is left.
 */
export interface Credit {
  readonly items: number;
  readonly bytes: number;
}

/** Reads the data of a `credit` message; undefined when it is not one. */
export function readCredit({ data }: Envelope): Credit | undefined {
  const credit = data as Partial<Credit> | null | undefined;
  return Number.isSafeInteger(credit?.items) && Number.isSafeInteger(credit?.bytes) ? (credit as Credit) : undefined;
}
