import { ParleyError } from "../call/error.ts";
import type { ErrorData } from "../call/error-event.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { countOption } from "./option.ts";

/** A message that could not be handled, kept for whoever finds out why. */
export interface DeadLetter {
  /** What it is known by: source and id of the message. */
  readonly key: string;
  /** The message as it came; its data is bytes where it was. */
  readonly message: Envelope;
  /** What the last attempt failed with. */
  readonly reason: ErrorData;
  /** Attempts made, those of redriving included. */
  readonly attempts: number;
  /** Wall clock, ms since 1970. */
  readonly diedAt: number;
}

/** Keeps dead letters. Any method may answer by a promise. */
export interface DeadLetterStore {
  /** Keeps a letter, in the place of one with the same key. @throws ParleyError `resource_exhausted` when it is full: nothing is pushed out */
  put(letter: DeadLetter): void | Promise<void>;
  get(key: string): DeadLetter | undefined | Promise<DeadLetter | undefined>;
  delete(key: string): void | Promise<void>;
  /** At most `limit` letters, oldest first. */
  list(limit: number): readonly DeadLetter[] | Promise<readonly DeadLetter[]>;
}

/** Keeps dead letters in the memory of this process. @param maxLetters letters that it takes. @default 1_000 */
export function memoryDeadLetters({
  maxLetters = 1_000,
}: {
  readonly maxLetters?: number | undefined;
} = {}): DeadLetterStore {
  countOption("maxLetters", maxLetters, 1);
  const letters = new Map<string, DeadLetter>();
  return {
    put(letter) {
      if (letters.size >= maxLetters && !letters.has(letter.key)) {
        throw new ParleyError("resource_exhausted", `there are ${letters.size} dead letters, and no more are kept`);
      }
      letters.set(letter.key, letter);
    },
    get: (key) => letters.get(key),
    delete: (key) => void letters.delete(key),
    list: (limit) => [...letters.values()].slice(0, limit),
  };
}
