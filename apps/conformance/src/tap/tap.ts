/** Which side sent something. */
export type From = "dialler" | "listener";

/** Both sides. */
export const sides: readonly From[] = ["dialler", "listener"];

/** What to do with one frame: nothing returned passes it on; a list passes on what it holds instead; `cut` ends the connection there. */
export type Rewrite = (frame: string, from: From) => readonly string[] | "cut" | undefined;

/** The suite's ear and hand on the wire, between the side that dials and the side that listens. */
export interface Tap {
  /** Where to dial to pass through the tap, given what the listener gave. */
  through(listener: URL): Promise<URL>;
  /** Whether single frames can be read and rewritten. */
  readonly frames: boolean;
  /** Bytes seen so far from one side (on a wire without bytes: UTF-8 length of its frames). */
  bytes(from: From): number;
  /** Whether the text was seen among the last 16 MiB from one side. */
  contains(from: From, text: string): boolean;
  /** Everything that was kept from one side. */
  captured(from: From): Buffer;
  /** Connections that were opened through the tap so far. */
  readonly connections: number;
  /** Rewrites frames from now on, on connections opened from now on; `undefined` ends it. Needs `frames`. */
  rewrite(rule: Rewrite | undefined): void;
  /** Passes a forged frame to the side opposite `from`, on every open connection. Needs `frames`. */
  forge(frame: string, from: From): void;
  /** Passes forged bytes to the side opposite `from`, on every open connection, whatever is held back. Not on a wire without bytes. */
  inject(bytes: Buffer, from: From): void;
  /** Keeps back what one side sends, on all connections, until {@link release}. */
  hold(from: From): void;
  /** Bytes being kept back. */
  held(from: From): number;
  release(from: From): void;
  /** Ends every open connection: orderly (FIN) or hard (RST). */
  cut(how: "fin" | "rst"): void;
  /** Ends every open connection as the protocol itself ends one in good order, without the end marker of a call; false if it has no such way. */
  sayGoodbye(from: From): boolean;
  /** Closes the tap and all that passes through it. Idempotent. */
  close(): Promise<void>;
}
