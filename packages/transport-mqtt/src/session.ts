import { ParleyError } from "@parley/core/transport";
import { Store } from "mqtt";

/** What {@link Session} takes. */
export interface SessionInit {
  /** Whether what the broker keeps of an earlier session is to be forgotten. */
  readonly cleanStart: boolean;
  /** How long the broker is to keep the session once its link has ended, seconds. */
  readonly expirySeconds: number;
}

/** What one client keeps from link to link (MQTT 5, 4.1): what it owes the broker for messages at QoS 2. */
export class Session {
  readonly expirySeconds: number;
  /** Messages that came, and that the broker has not released. */
  incoming: Store = newStore();
  /** Packet identifiers of messages that went out, of which the broker may know and this side does not know what became. */
  readonly unsettled: Set<number> = new Set();
  readonly #cleanStart: boolean;
  #begun = false;

  constructor({ cleanStart, expirySeconds }: SessionInit) {
    this.#cleanStart = cleanStart;
    this.expirySeconds = expirySeconds;
  }

  /**
   * Whether the next link is to begin a session anew. One that lasts is begun anew once, by the first link.
   * @throws ParleyError `failed_precondition` for what MQTT 3.1.1 cannot do
   */
  startsClean(version: 4 | 5): boolean {
    const lasts = this.expirySeconds > 0;
    if (version === 5) return this.#cleanStart && !(lasts && this.#begun);
    if (!this.#cleanStart || !lasts) return this.#cleanStart;
    throw new ParleyError(
      "failed_precondition",
      "MQTT 3.1.1 cannot begin a session anew and keep it; say cleanStart: false to keep it, or sessionExpirySeconds: 0",
      { outcome: "not-sent" },
    );
  }

  /** The broker has said whether it knows the session. */
  begin(present: boolean): void {
    this.#begun = true;
    if (present) return;
    this.incoming = newStore();
    this.unsettled.clear();
  }
}

/** One that outlives the client of the library that it serves. */
function newStore(): Store {
  return new Store({ clean: false });
}
