import type { EffectOptions, Log, PolicyOptions, ReconnectOptions, Runtime } from "@parley/core/transport";
import type { ChildOptions, Command } from "../child-options.ts";
import type { StdioFormat, StdioFormats } from "./formats.ts";
import type { StdioSession } from "./stdio-session.ts";

/** What is done with a child, beside all that a client does. */
export type StdioHook<Format extends StdioFormat> = (
  session: StdioSession<Format>,
  options: { readonly signal: AbortSignal },
) => unknown;

/** How a child that ended unasked is started again. */
export interface StdioReconnectOptions extends Pick<ReconnectOptions, "baseMs" | "maxMs"> {
  /** Starts in a row, when the last of which fails the client is closed; 0 for none. One that lived for `maxMs` begins again with the first. @default 5 */
  readonly maxAttempts?: number | undefined;
}

/** Options of every format. */
export interface StdioClientBaseOptions<Format extends StdioFormat> extends ChildOptions, PolicyOptions {
  /** What to start. */
  readonly command: Command;
  /** How it writes its messages. */
  readonly format: Format;
  /** Time for the child to start, and to be ready: its first prompt, and `onStart`. @default 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Time for an operation that names none, ms; `receive`, `readUntil` and iteration wait for as long as it takes. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  /** What to say to each child before the client is open, such as a handshake. The child is ended when it fails. */
  readonly onStart?: StdioHook<Format> | undefined;
  /** What `health` asks of the child. @default nothing */
  readonly ping?: StdioHook<Format> | undefined;
  /** Starts the child again when it ends unasked; `{}` for the defaults. @default false */
  readonly reconnect?: StdioReconnectOptions | false | undefined;
  /** Longest message, or output before a prompt, bytes. @default 4_194_304 */
  readonly maxMessageBytes?: number | undefined;
  /** Most that waits for the child to read it, bytes; more is refused with `resource_exhausted`. @default 16_777_216 */
  readonly maxQueuedBytes?: number | undefined;
  /**
   * Most that waits to be read here, bytes. Beyond that the child is held up: its stdout is not read. Only of `jsonrpc`, where answers come
   * the same way, the oldest notification is dropped, and counted. @default 1_048_576
   */
  readonly maxUnreadBytes?: number | undefined;
  /** Most that is under way at a time; more is refused with `resource_exhausted`. @default 1_024 */
  readonly maxCalls?: number | undefined;
  /** Told of lines of stderr, noise, new starts. */
  readonly log?: Log | undefined;
  /** @default systemRuntime */
  readonly runtime?: Runtime | undefined;
}

/** Options of {@link StdioClient}. */
export type StdioClientOptions<Format extends StdioFormat> = StdioClientBaseOptions<Format> &
  StdioFormats[Format]["options"];

/** What a request takes: for `raw` also where its answer ends. */
export type StdioRequestOptions<Format extends StdioFormat> = EffectOptions & StdioFormats[Format]["requestOptions"];
