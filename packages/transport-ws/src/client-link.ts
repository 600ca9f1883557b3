import type { Socket } from "node:net";
import { type ParleyError, type Runtime, TransportError, within } from "@parley/core/transport";
import { type RawData, WebSocket } from "ws";
import { type CloseDetails, closeCause } from "./close-code.ts";
import type { FrameData } from "./message-format.ts";
import type { Outlet } from "./outbox.ts";
import { Pulse } from "./pulse.ts";

/** How much is with the socket at a time: enough to keep it busy, and little, since its fate is unknown when the connection is cut. */
const WINDOW_BYTES = 256 * 1024;

/** How a connection ended. */
export interface LinkEnd {
  /** Close code; 1006 for one that was cut. */
  readonly code: number;
  readonly reason: string;
  /** Why, unless it was orderly. */
  readonly cause: ParleyError | undefined;
  /** What that means for whoever needed it. */
  readonly error: ParleyError;
}

/** How a connection is ended from here. */
export interface Farewell {
  readonly graceMs: number;
  /** @default 1000 */
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
}

/** What a {@link ClientLink} is made from. */
export interface ClientLinkInit {
  readonly webSocket: WebSocket;
  /** Below the WebSocket. */
  readonly socket: Socket;
  readonly runtime: Runtime;
  readonly maxMessageBytes: number;
  readonly pingIntervalMs: number | undefined;
  readonly pingTimeoutMs: number;
  message(data: RawData, isBinary: boolean): void;
  ended(end: LinkEnd): void;
}

/** One open connection of a client. What is written in one turn leaves in one write. */
export class ClientLink implements Outlet {
  readonly #init: ClientLinkInit;
  readonly #pulse: Pulse;
  readonly #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  #failure: ParleyError | undefined;
  #corked = false;
  #written = 0;

  constructor(init: ClientLinkInit) {
    const { webSocket, socket, runtime, pingIntervalMs, pingTimeoutMs, maxMessageBytes } = init;
    this.#init = init;
    this.#pulse = new Pulse({
      webSocket,
      runtime,
      intervalMs: pingIntervalMs,
      timeoutMs: pingTimeoutMs,
      signs: () => (webSocket.isPaused ? undefined : socket.bytesRead + this.#written),
      dead: (error) => {
        this.#failure = error;
        webSocket.terminate();
      },
    });
    webSocket.on("message", init.message);
    webSocket.on("error", (error) => {
      this.#failure ??= failure(error, maxMessageBytes);
    });
    webSocket.once("close", (code, reason) => this.#end(code, reason.toString()));
  }

  /** The subprotocol that the peer took; empty without one. */
  get protocol(): string {
    return this.#init.webSocket.protocol;
  }

  get hasRoom(): boolean {
    const { readyState, bufferedAmount } = this.#init.webSocket;
    return readyState === WebSocket.OPEN && bufferedAmount < WINDOW_BYTES;
  }

  write(data: FrameData, written: () => void): void {
    const { webSocket, socket, runtime } = this.#init;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      runtime.defer(this.#uncork);
    }
    webSocket.send(data, (error) => {
      // The end of the connection, which follows, settles what was lost.
      if (error) return;
      this.#written++;
      written();
    });
  }

  /** Round-trip time, ms; undefined while nothing is read, and so no answer could be seen. */
  ping(): Promise<number> | undefined {
    return this.#init.webSocket.isPaused ? undefined : this.#pulse.ping();
  }

  /** Stops reading, so that in the end the peer has to wait. */
  pause(): void {
    this.#init.webSocket.pause();
  }

  resume(): void {
    this.#init.webSocket.resume();
  }

  /** Says goodbye after what was written, within the grace; then it ends without a word. Resolves when nothing of it is left. */
  async hangUp(written: Promise<void>, { graceMs, code = 1000, reason = "" }: Farewell): Promise<void> {
    const { webSocket, runtime } = this.#init;
    const deadline = runtime.now() + graceMs;
    const inTime = (step: Promise<void>): Promise<void> =>
      within(step, { timeoutMs: Math.max(0, deadline - runtime.now()) }, runtime, "the connection did not end");
    // What is not read would keep the peer's goodbye back.
    webSocket.resume();
    try {
      await inTime(written);
      webSocket.close(code, reason);
      await inTime(this.#ended.promise);
    } catch {
      webSocket.terminate();
      await this.#ended.promise;
    }
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#init.socket.uncork();
  };

  #end(code: number, reason: string): void {
    const cause = this.#failure ?? closeCause(code, reason);
    const error = cause ?? closedByPeer({ closeCode: code, closeReason: reason });
    this.#pulse.stop(error);
    this.#init.ended({ code, reason, cause, error });
    this.#ended.resolve();
  }
}

/** What was wrong with a connection, in the words of the protocol's library and of the system. */
function failure(cause: Error & { readonly code?: string }, maxMessageBytes: number): ParleyError {
  const options = { outcome: "unknown", cause } as const;
  return cause.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"
    ? new TransportError("resource_exhausted", `the peer sent a message of more than ${maxMessageBytes} bytes`, options)
    : new TransportError("unavailable", `the connection was lost: ${cause.message}`, options);
}

function closedByPeer(details: CloseDetails): ParleyError {
  const message = `the peer closed the WebSocket with ${details.closeCode}`;
  return new TransportError("unavailable", message, { outcome: "unknown", details });
}
