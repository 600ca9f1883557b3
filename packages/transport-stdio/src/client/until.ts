import { ParleyError } from "@parley/core/transport";
import type { StdioEncoding } from "../text-lines.ts";

/** Where reading stops: at this text, or at the first match, for which each byte is a character. */
export type Until = string | RegExp;

/** How far before what has just come a match may begin. */
const MAX_MATCH_BYTES = 1_024;

/** A place in bytes. */
export interface Place {
  readonly start: number;
  readonly end: number;
}

/** Looks for a place in bytes that grow, and goes over each of them once. */
export class Search {
  readonly #find: (bytes: Buffer, from: number) => Place | undefined;
  /** How many of the bytes that it has seen a match may yet begin in. */
  readonly reach: number;
  #seen = 0;

  /** @throws ParleyError `invalid_argument` */
  constructor(until: unknown, encoding: StdioEncoding) {
    if (typeof until === "string" && until !== "") {
      const wanted = Buffer.from(until, encoding);
      this.reach = wanted.length - 1;
      this.#find = (bytes, from) => {
        const start = bytes.indexOf(wanted, from);
        return start === -1 ? undefined : { start, end: start + wanted.length };
      };
    } else if (until instanceof RegExp) {
      const pattern = new RegExp(until.source, `${until.flags.replace(/[gy]/g, "")}g`);
      this.reach = MAX_MATCH_BYTES;
      this.#find = (bytes, from) => {
        // One more, so that the pattern knows whether a line begins there.
        const before = Math.max(0, from - 1);
        pattern.lastIndex = from - before;
        const match = pattern.exec(bytes.toString("latin1", before));
        return match ? { start: before + match.index, end: before + match.index + match[0].length } : undefined;
      };
    } else {
      throw new ParleyError(
        "invalid_argument",
        'say where to stop reading: until: ">>> ", or a prompt for all requests',
        {
          outcome: "not-sent",
        },
      );
    }
  }

  /** Looks at all bytes so far, those of before included. */
  find(bytes: Buffer): Place | undefined {
    const from = Math.max(0, this.#seen - this.reach);
    this.#seen = bytes.length;
    return this.#find(bytes, from);
  }

  /** So many of the first bytes are not there any more. */
  forget(count: number): void {
    this.#seen -= count;
  }
}
