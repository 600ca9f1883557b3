import type { Writable } from "node:stream";
import { ParleyError, TransportError, withOutcome } from "@parley/core/transport";
import type { Operation } from "./operation.ts";

/** Bytes on their way to a child. */
interface Letter {
  readonly bytes: Buffer;
  /** Its writer learns from the outcome whether the child may have seen any of it. */
  readonly operation: Pick<Operation, "outcome">;
  taken(): void;
  failed(error: ParleyError): void;
}

/**
 * What waits for a child to read its stdin: a letter is handed over when the pipe has room, and can be withdrawn until then. Bounded: what
 * would be too much is refused.
 */
export class Outbox {
  readonly #stdin: Writable;
  readonly #program: string;
  readonly #maxBytes: number;
  readonly #waiting = new Set<Letter>();
  readonly #handed = new Set<Letter>();
  #bytes = 0;
  #ending = false;
  #held = false;
  #lost: ParleyError | undefined;

  constructor(stdin: Writable, init: { readonly program: string; readonly maxQueuedBytes: number }) {
    this.#stdin = stdin;
    this.#program = init.program;
    this.#maxBytes = init.maxQueuedBytes;
    stdin.on("drain", () => this.#flush());
  }

  /** Resolves when the pipe has taken it. */
  write(bytes: Buffer, operation: Operation): Promise<void> {
    return operation.wait("did not read its stdin", (taken, failed) => this.post({ bytes, operation, taken, failed }));
  }

  /**
   * Gives back what withdraws it, which does nothing once it was handed over.
   * @throws ParleyError `resource_exhausted`, `failed_precondition`, or what the child was lost by; `not-sent`
   */
  post(letter: Letter): () => void {
    const { bytes } = letter;
    if (this.#lost) throw withOutcome(this.#lost, "not-sent");
    if (this.#ending)
      throw new ParleyError("failed_precondition", `the stdin of ${this.#program} was ended by end()`, {
        outcome: "not-sent",
      });
    const waiting = this.#bytes + this.#stdin.writableLength;
    if (waiting + bytes.length > this.#maxBytes)
      throw new TransportError(
        "resource_exhausted",
        `${bytes.length} bytes for ${this.#program} do not fit beside ${waiting} that it has not read; maxQueuedBytes is ${this.#maxBytes}`,
        { outcome: "not-sent" },
      );
    this.#waiting.add(letter);
    this.#bytes += bytes.length;
    this.#flush();
    return () => this.#remove(letter);
  }

  /** Ends stdin after what waits. */
  end(): void {
    this.#ending = true;
    this.#flush();
  }

  /** Hands over nothing more: the child does not read. */
  hold(): void {
    this.#held = true;
  }

  /** The child reads no more; what it may have seen of what was handed over is not known. */
  lose(error: ParleyError): void {
    if (this.#lost) return;
    this.#lost = error;
    for (const letter of this.#handed) letter.failed(withOutcome(error, "unknown"));
    for (const letter of this.#waiting) letter.failed(withOutcome(error, "not-sent"));
    this.#handed.clear();
    this.#waiting.clear();
    this.#bytes = 0;
  }

  #remove(letter: Letter): void {
    if (this.#waiting.delete(letter)) this.#bytes -= letter.bytes.length;
  }

  #flush(): void {
    if (this.#held) return;
    for (const letter of this.#waiting) {
      if (this.#stdin.writableNeedDrain) return;
      this.#remove(letter);
      this.#handed.add(letter);
      letter.operation.outcome = "unknown";
      // One that fails stays until it is known by what.
      this.#stdin.write(letter.bytes, (error) => {
        if (!error && this.#handed.delete(letter)) letter.taken();
      });
    }
    if (this.#ending && !this.#stdin.writableEnded) this.#stdin.end();
  }
}
