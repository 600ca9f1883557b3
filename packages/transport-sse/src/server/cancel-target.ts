import { reasonOf, type StreamOwner, type UplinkTarget } from "@parley/core/http";
import { type Envelope, ParleyError } from "@parley/core/transport";

/** Where the caller of a stream that can be taken up again says that it wants no more: closing the response does not say so. */
export class CancelTarget implements UplinkTarget {
  place = -1;
  readonly id: string;
  readonly principal: string | undefined;
  readonly #owner: StreamOwner;
  open = true;

  constructor(id: string, principal: string | undefined, owner: StreamOwner) {
    this.id = id;
    this.principal = principal;
    this.#owner = owner;
  }

  take(message: Envelope): void {
    if (message.kind !== "cancel") {
      throw new ParleyError(
        "invalid_argument",
        `the caller of a stream sends nothing but a cancel, not a message of kind ${message.kind}`,
        { outcome: "rejected" },
      );
    }
    this.#owner.left(reasonOf(message));
  }

  whenRoom(taken: () => void): void {
    taken();
  }

  release(): void {
    this.open = false;
  }
}
