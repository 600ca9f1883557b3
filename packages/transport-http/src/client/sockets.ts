import { buildConnector, Client } from "undici";
import type { HttpTls } from "../options.ts";

/** How sockets to a peer are made. */
export interface SocketOptions {
  readonly tls: HttpTls | undefined;
  /** Time for a connection to be made, ms. */
  readonly connectTimeoutMs: number;
}

/** How long an idle socket is kept for the next call, unless the server says how long it keeps its end. */
const KEEP_ALIVE_MS = 10_000;

/** After so much silence the kernel asks whether the peer is still there. */
const TCP_PROBE_MS = 15_000;

/**
 * The sockets to one peer. A call has one for itself while it lasts, and the one that came free last goes to the next call, so that there
 * are as many as there were calls at a time. (undici's own pool takes another one while the last answer is still being put away, and so
 * needs twice as many.)
 */
export class Sockets {
  readonly #newClient: () => Client;
  readonly #all = new Set<Client>();
  readonly #free: Client[] = [];

  constructor(origin: string, { tls, connectTimeoutMs }: SocketOptions) {
    const connect = buildConnector({
      ...tls,
      allowH2: false,
      timeout: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelay: TCP_PROBE_MS,
    });
    const options: Client.Options = {
      connect,
      allowH2: false,
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Deadlines and heartbeats see to what takes too long.
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#newClient = () => new Client(origin, options);
  }

  /** A socket that nobody uses; it is opened when something is sent. */
  take(): Client {
    const free = this.#free.pop();
    if (free) return free;
    const client = this.#newClient();
    this.#all.add(client);
    return client;
  }

  /** The call that used it is over. */
  give(client: Client): void {
    this.#free.push(client);
  }

  /** Closes all, at once. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#all].map((client) => client.destroy()));
  }
}
