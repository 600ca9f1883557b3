import type { ConnectionStats, Envelope } from "@parley/core/transport";
import type { Snapshot } from "../hygiene.ts";

/** Something that the fixture's handlers saw. */
export interface HandlerEvent {
  /** Monotonic clock of the machine, ms. */
  readonly at: number;
  /** What happened; `called` comes first, with the {@link Called} details. */
  readonly what:
    | "called"
    | "returned"
    | "threw"
    | "aborted"
    | "gate"
    | "item"
    | "input-end"
    | "input-error"
    | "yielded"
    | "finished"
    | "seen";
  /** Operation without prefix and version, `echo`. */
  readonly operation: string;
  /** Id of the opener. */
  readonly call: string;
  readonly detail?: unknown;
}

/** Details of a `called` event: the call as the handler got it. */
export interface Called {
  readonly kind: string;
  readonly message: Envelope;
  /** Time left by its deadline, ms; absent without one. */
  readonly remainingMs?: number | undefined;
  readonly address?: string | undefined;
  readonly transport?: string | undefined;
  /** Name of the constructor of `message.data`, when that is bytes. */
  readonly bytes?: string | undefined;
}

/** How to listen. */
export interface ListenRequest {
  /** Listens as a relay: a second listener of the same transport whose handler is the `call` of a connection to the fixture. */
  readonly relay?: boolean;
  /** Moves the wall clock of the serving side by so much, ms. */
  readonly clockSkewMs?: number;
}

/** What a sick process said before it ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lastWords: string;
}

/** The serving side, in this process or another. Every method fails once it has exited. */
export interface Serving {
  /** Handler history since the last {@link reset}. */
  readonly events: readonly HandlerEvent[];
  /** Called for each event as it arrives. Takes the place of the one before. */
  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void;
  /** Its process, if it has one of its own. */
  readonly pid: number | undefined;
  /** How it ended; it is not meant to. */
  readonly exited: Exit | undefined;
  /** Opens a listener and answers with its URL. */
  listen(request?: ListenRequest): Promise<string>;
  /** Opens gates, in this order, each in a turn of its own. */
  release(...gates: readonly string[]): Promise<void>;
  /** The sum over its listeners since the last reset. */
  stats(): Promise<ConnectionStats>;
  snapshot(): Promise<Snapshot>;
  /** Unhandled rejections since last asked. */
  rejections(): Promise<readonly string[]>;
  /** Closes all listeners within the grace. */
  close(graceMs: number): Promise<void>;
  /** Forgets history and gates. */
  reset(): Promise<void>;
  /** Ends it. Idempotent. */
  stop(): Promise<void>;
}

/** What can be asked of a serving process. */
export const commands = ["listen", "release", "stats", "snapshot", "rejections", "close", "reset"] as const;

/** Name of a command. */
export type Command = (typeof commands)[number];

/** From the suite to the serving process. */
export interface CommandMessage {
  readonly type: "command";
  readonly number: number;
  readonly name: Command;
  readonly args: readonly unknown[];
}

/** From the serving process to the suite. */
export type ServingMessage =
  | { readonly type: "ready" }
  | { readonly type: "event"; readonly event: HandlerEvent }
  | { readonly type: "result"; readonly number: number; readonly value: unknown }
  | { readonly type: "failure"; readonly number: number; readonly message: string; readonly code: string | undefined };
