import { type Envelope, ParleyError } from "@parley/core/transport";

const SEQ_MODULUS = 2 ** 31;

/** Holds the positions of received items against their order; peers without positions are believed. */
export class SeqCheck {
  #seq = 0;

  /** @throws ParleyError `data_loss` */
  next({ seq }: Envelope): void {
    const expected = (this.#seq + 1) % SEQ_MODULUS;
    if (seq !== undefined && seq !== expected) {
      throw new ParleyError("data_loss", `items are missing from the stream: expected number ${expected}, got ${seq}`, {
        outcome: "unknown",
      });
    }
    this.#seq = expected;
  }
}
