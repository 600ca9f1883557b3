import type { Link } from "@parley/core/http/client";
import {
  type CancelTimer,
  type CloseOptions,
  type Connection,
  type ConnectOptions,
  dialChannel,
  type Handler,
} from "@parley/core/transport";
import { CHANNEL_WINDOW } from "../channel-type.ts";
import { UplinkChannel } from "./uplink-channel.ts";

/** The wait before a channel that was cut is opened anew; doubled each time, up to the last. ms */
const FIRST_DELAY_MS = 100;
const LAST_DELAY_MS = 10_000;

/** The channel over which the peer calls: opened with the connection, and again when it was cut. */
export class StandingChannel {
  readonly #link: Link;
  readonly #handler: Handler;
  readonly #options: ConnectOptions;
  readonly #heartbeatMs: number;
  #connection: Connection | undefined;
  #session: string | undefined;
  #delayMs = 0;
  #cancelTimer: CancelTimer | undefined;
  #closed = false;

  constructor(link: Link, handler: Handler, heartbeatMs: number, options: ConnectOptions) {
    this.#link = link;
    this.#handler = handler;
    this.#options = options;
    this.#heartbeatMs = heartbeatMs;
  }

  /** Its name, while it is open: requests bear it, so that whoever answers them can call back. */
  get session(): string | undefined {
    return this.#session;
  }

  /** Resolves when the peer can call. @throws ParleyError */
  async open(): Promise<void> {
    const { runtime, limits, address } = this.#link;
    const { log, signal, connectTimeoutMs } = this.#options;
    let session: string | undefined;
    const connection = await dialChannel(
      (events) =>
        new UplinkChannel(this.#link, events, (name) => {
          session = name;
        }),
      {
        transport: "sse",
        address,
        handler: this.#handler,
        limits: { ...limits, ...CHANNEL_WINDOW },
        heartbeatMs: this.#heartbeatMs,
        helloTimeoutMs: connectTimeoutMs,
        signal,
        log,
        runtime,
      },
    );
    this.#connection = connection;
    this.#session = session;
    this.#delayMs = 0;
    connection.closed.then(() => {
      this.#session = undefined;
      this.#again();
    });
    if (this.#closed) await connection.close({ graceMs: 0 });
  }

  async close(options: CloseOptions): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#connection?.close(options);
  }

  #again(): void {
    if (this.#closed) return;
    this.#delayMs = Math.min(Math.max(this.#delayMs * 2, FIRST_DELAY_MS), LAST_DELAY_MS);
    this.#cancelTimer = this.#link.runtime.setTimer(() => {
      this.open().catch(() => this.#again());
    }, this.#delayMs);
  }
}
