import type { ParleyError } from "../../call/error.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import type { BrokerPromises } from "../manifest.ts";
import type { Unread } from "./unread.ts";

/** Where a message goes. The broker's adapter owns the layout of addresses; core never builds a topic. */
export type Destination =
  /** Exactly one replica of the agent. `type` is the operation, for brokers that route by it. */
  | { readonly to: "agent"; readonly name: string; readonly type: string }
  /** All replicas of the agent: a cancel before anyone has said who has the call. */
  | { readonly to: "replicas"; readonly name: string }
  /** One process: the string that came as `replyto`. A peer wrote it: what cannot be an inbox is refused, not used. */
  | { readonly to: "inbox"; readonly name: string }
  /** The user's own. */
  | { readonly to: "topic"; readonly name: string };

/** What is listened to. */
export type Address =
  /** Calls to an agent, shared among the replicas of one group; and, unshared, what goes to all replicas. */
  | { readonly agent: string }
  /** The user's topics, as a filter with `+` and `#`. */
  | { readonly filter: string };

/** A message that came. */
export interface Arrival {
  /** With all attributes that it was sent with, those of the hop (`call`, `timeoutms`, `credit`) among them. */
  readonly message: Envelope;
  /** Length as it came, bytes: what `encodeMessage` gave the sender, in UTF-8. Absent: core measures it, which costs. */
  readonly bytes?: number | undefined;
  /**
   * The sender's inbox or name as the broker enforces it; never taken from the message. All that one process sends has the same: what follows
   * on a call counts only from whom it began with.
   */
  readonly from?: string | undefined;
  /** Identity of the sender that the broker vouches for; the same for all replicas of an agent, since the one that says hello stands for all. */
  readonly principal?: string | undefined;
  /** What is left of the message's life after it was queued, ms. */
  readonly expiresInMs?: number | undefined;
  /** It was stored by the broker and delivered on subscribing. */
  readonly retained?: boolean | undefined;
  /** The sender sent no CloudEvent: the envelope was made here, its `id` is not the sender's. Never taken for a repetition. */
  readonly foreign?: boolean | undefined;
}

/** What a broker's adapter tells. Callbacks, called in the order in which messages arrive. */
export interface BrokerEvents {
  /** A message for this process's own inbox. */
  inbox(arrival: Arrival): void;
  /**
   * What came and is no sound event: counted, and dropped. With `unread` (what `readUnread` made of it) whoever waits for an answer to it is
   * told why, and a call that it follows fails; the adapter has checked its `replyto` as that of any other message.
   */
  refused(error: ParleyError, unread?: Unread): void;
  /** The link is lost; told once, after which the adapter is over. It does not reconnect by itself: that is core's part. */
  down(error: ParleyError): void;
}

/**
 * Told once what became of a message: nothing when it was taken, an error when it was refused or nobody is there (`not-sent`). To a topic,
 * nobody there is no error.
 */
export type Confirm = (error?: ParleyError) => void;

/** A link to a broker, open until `close` or `down`. Brokers may lose: core numbers, leases and confirms what must not be lost untold. */
export interface Broker {
  /** This process's private address, already subscribed; others put it into `replyto`. Unguessable. */
  readonly inbox: string;
  readonly promises: BrokerPromises;
  /** Longest message that the broker takes, bytes. Absent: it has not said. */
  readonly maxMessageBytes?: number | undefined;
  /**
   * Sends several messages to one inbox as one, in this order and without an answer; whoever reads there has offered to take that. Never
   * throws. A broker that has it delivers such messages one by one, too. Absent: a message holds one event.
   * @param texts each as `encodeMessage` gives it
   */
  publishBatch?(inbox: string, texts: readonly string[]): void;
  /**
   * Sends one message, with all its attributes: `encodeMessage` gives its text, where `encode` would leave out those of the hop. Without
   * `confirm` the cheapest way the broker has; with it, one that the broker acknowledges. Never throws: what cannot be sent is told to
   * `confirm`, and without it dropped.
   */
  publish(to: Destination, message: Envelope, confirm?: Confirm): void;
  /**
   * Resolves when the very next message sent there would arrive. The same filter may be asked for several times.
   * @throws ParleyError `permission_denied` and others, as the broker refuses
   */
  subscribe(at: Address, on: (arrival: Arrival) => void): Promise<Unsubscribe>;
  /** Calls `gone` once when the broker says that the process with this inbox has vanished. Only where `promises.presence`. */
  watch?(inbox: string, gone: () => void): () => void;
  /** Nothing when messages can be sent at once; else a promise of when they can. */
  writable(): Promise<void> | undefined;
  /** Resolves when the broker has been told, and the link is closed. Idempotent. */
  close(): Promise<void>;
}

/** Resolves when nothing more arrives and the broker has forgotten the subscription. Idempotent. */
export type Unsubscribe = () => Promise<void>;

/** Opens a link. @throws ParleyError `unavailable`, `unauthenticated`, `permission_denied`, `failed_precondition` (a feature is missing, named) */
export type OpenBroker = (events: BrokerEvents, signal: AbortSignal | undefined) => Promise<Broker>;
