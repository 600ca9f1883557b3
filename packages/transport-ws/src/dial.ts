import {
  type Connection,
  type ConnectOptions,
  type Credentials,
  channelLimits,
  dialChannel,
  type OpenChannel,
  type Presenter,
  presenterOf,
  type Runtime,
  systemRuntime,
} from "@parley/core/transport";
import { resumeOf, type WsCallOptions } from "./call-options.ts";

/** What opening a WebSocket is told, whatever opens it. */
export interface Opening {
  /** Shows the credentials; one for all dials of a connection, so that a refusal concerns what was shown last. */
  readonly presenter: Presenter | undefined;
  /** For all that comes before `adopt`. */
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly runtime: Runtime;
}

/**
 * Opens a WebSocket, showing who calls; once more when that is refused and there is something else to show. Resolves with what `adopt` makes of
 * it, in the turn in which it opened, since the first messages may be in it.
 */
export type Open = (opening: Opening, adopt: (channel: OpenChannel) => Promise<Connection>) => Promise<Connection>;

/** Opens a WebSocket and shakes hands over it. */
export async function dial(
  url: URL,
  options: WsCallOptions & { readonly credentials?: Credentials | undefined },
  connect: ConnectOptions,
  open: Open,
): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal, session } = connect;
  const { credentials, limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  const presenter = presenterOf(credentials);
  const deadline = runtime.now() + connectTimeoutMs;
  const connection = await open({ presenter, connectTimeoutMs, signal, runtime }, (channel) =>
    dialChannel(channel, {
      transport: "ws",
      address: url.host,
      handler,
      limits,
      heartbeatMs,
      maxQueuedChars,
      resume: resumeOf(options),
      session,
      helloTimeoutMs: Math.max(1, deadline - runtime.now()),
      log,
      runtime,
      signal,
    }),
  );
  return presenter ? Object.assign(connection, { renewal: presenter.renewal("dial") }) : connection;
}
