import type { DedupeOptions } from "@parley/core";
import type { ConnectionStats, Envelope } from "@parley/core/transport";
import type { Snapshot } from "../hygiene.ts";
import type { Tuning } from "../subject.ts";

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
  /** Who calls, as authenticated. */
  readonly principal?: string | undefined;
  /** Name of the constructor of `message.data`, when that is bytes. */
  readonly bytes?: string | undefined;
}

/** What known callers may do. */
export interface Guard {
  /** Operations that may be called, `echo`. */
  readonly operations: readonly string[];
  /** What topics and filters must begin with that are published and subscribed to. */
  readonly topics: string;
  /** Once this gate is opened, this principal's credential has run out: nobody is known by it any more. */
  readonly ends?: { readonly principal: string; readonly gate: string } | undefined;
  /** Who shows which bearer token. A caller without a certificate is known by it, and told `not-sent` when it is not. */
  readonly tokens?: Readonly<Record<string, string>> | undefined;
}

/** How to listen. */
export interface ListenRequest {
  /** Listens as a relay: a second listener of the same transport whose handler is the `call` of a connection to the fixture. */
  readonly relay?: boolean;
  /** Moves the wall clock of the serving side by so much, ms. */
  readonly clockSkewMs?: number;
  /** Listens here: at the address of a listener before it, or at a broker of the scenario's own. @default the subject's */
  readonly url?: string;
  /** Only with `relay`: what it relays to. @default a listener of the fixture's that is opened for it */
  readonly upstream?: string;
  /** Turns away, at the door of the handler, who is not known by a certificate or token, and what is not named here. */
  readonly guard?: Guard | undefined;
  /** Has calls that come more than once handled once, as `dedupe` of core does. */
  readonly dedupe?: Pick<DedupeOptions, "windowMs" | "maxEntries"> | undefined;
  /** Listens with a transport made so. */
  readonly tuning?: Tuning | undefined;
}

/** What a sick process said before it ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly lastWords: string;
}

/** Signals that a scenario can send to the serving side. */
export type ServingSignal = "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT";

/** The serving side, in this process or others. Every method fails once it has exited. */
export interface Serving {
  /** Handler history since the last {@link reset}. */
  readonly events: readonly HandlerEvent[];
  /** Called for each event as it arrives. Takes the place of the one before. */
  onEvent(listener: ((event: HandlerEvent) => void) | undefined): void;
  /** Its process, if it has just one of its own. */
  readonly pid: number | undefined;
  /** How it ended; it is not meant to. What {@link kill} ends does not count. */
  readonly exited: Exit | undefined;
  /** It runs and can be asked; not so once killed, until it is started again. */
  readonly alive: boolean;
  /** It is a server of the user's own, which the suite does not close. */
  readonly lent?: true;
  /** What it held when it was last started again; `undefined` if it was not since the last reset. */
  readonly renewed: Snapshot | undefined;
  /** Sends a signal to its process, or processes; resolves when those are gone that it ends. SIGSTOP holds until SIGCONT or the end of the scenario. */
  kill(signal: ServingSignal): Promise<void>;
  /** Starts it again after it was killed; without listeners, and with a history that goes on. */
  start(): Promise<void>;
  /** Opens a listener and answers with its URL. */
  listen(request?: ListenRequest): Promise<string>;
  /** Opens gates, in this order, each in a turn of its own. */
  release(...gates: readonly string[]): Promise<void>;
  /** The sum over its listeners since the last reset. */
  stats(): Promise<ConnectionStats>;
  snapshot(): Promise<Snapshot>;
  /** Memory that its process holds after a collection of garbage, bytes. */
  residentBytes(): Promise<number>;
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
export const commands = [
  "listen",
  "release",
  "stats",
  "snapshot",
  "residentBytes",
  "rejections",
  "close",
  "reset",
] as const;

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
  | { readonly type: "rejection"; readonly rejection: string }
  | { readonly type: "result"; readonly number: number; readonly value: unknown }
  | { readonly type: "failure"; readonly number: number; readonly message: string; readonly code: string | undefined };

/**
 * The variable of the environment in which a process of the suite's own is told what to do, as JSON. Others who use the machine could read an argument,
 * and an address may hold a password.
 */
export const ORDER = "PARLEY_CONFORMANCE_ORDER";

/** What a serving process is told as it starts. */
export interface ServingOrder {
  /** URL of the module that exports the subject. */
  readonly module: string;
  /** Where to listen. */
  readonly url: string;
  /** Its stdin and stdout are the wire: it listens at once, as told here, and ends by itself when nothing is left to do. */
  readonly pipes?: ListenRequest | undefined;
}
