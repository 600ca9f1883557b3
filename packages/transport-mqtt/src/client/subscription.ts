import type { ParleyError } from "@parley/core/transport";
import type { MqttMessage } from "./message.ts";
import type { MqttGrant } from "./options.ts";

/** A subscription, of handlers too. */
export interface MqttFeed extends AsyncDisposable {
  /** What the broker has granted for each filter. */
  readonly filters: readonly MqttGrant[];
  /** Messages that were dropped because the reader was too slow. */
  readonly dropped: number;
  /** Resolves when no more will come: with the reason, or with nothing when it was given up. Never rejects. */
  readonly closed: Promise<ParleyError | undefined>;
  /** Takes the filters back. Resolves when the broker has confirmed it, or is not there. What has come is still read. Idempotent. */
  unsubscribe(): Promise<void>;
}

/** A subscription that is read as an async iterable. `break` gives it up. A cut does not end it; after one, messages may be missing or come again. */
export interface MqttSubscription extends MqttFeed, AsyncIterableIterator<MqttMessage, undefined, undefined> {}
