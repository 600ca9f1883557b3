import { systemRuntime } from "../../runtime/runtime.ts";
import { Keeper } from "../session/keeper.ts";
import type { ConnectOptions, DialTransport, Transport } from "../transport.ts";
import { LastingConnection } from "./lasting-connection.ts";
import { type ReconnectOptions, reconnectPolicy } from "./options.ts";
import type { ReconnectingConnection } from "./reconnecting-connection.ts";

/** A transport whose connections come back after a cut. */
export type ReconnectingTransport<T extends DialTransport = Transport> = Omit<T, "connect"> & {
  connect(url: URL, options?: ConnectOptions): Promise<ReconnectingConnection>;
};

/**
 * Lets the connections that a transport dials come back after a cut. `connect` of the agent layer does so by itself.
 *
 * - What was in flight goes on where the wire has sessions, as if nothing had happened. Elsewhere, and with `onCut: "settle"`, it settles at once with
 *   its true outcome; sending again is the retry interceptor's part.
 * - New calls wait, in their order and bounded, and are made as soon as the connection is back; before them what had not left when a session was lost.
 * - Subscriptions that were not resumed and gave {@link onGap} are active again before the state is `open`; others end with the cut's error.
 * - `unauthenticated`, `permission_denied`, `already_exists` (another has its name) and `failed_precondition` end it for good, and so does `close`.
 * - The first connection is dialled once: when that fails, so does `connect`.
 *
 * @throws ParleyError `invalid_argument` for options that make no sense
 */
export function reconnecting<T extends DialTransport>(
  transport: T,
  options: ReconnectOptions = {},
): ReconnectingTransport<T> {
  const policy = reconnectPolicy(options);
  const { onCut = "resume" } = options;
  return {
    ...transport,
    async connect(url, connectOptions = {}) {
      const { signal, runtime = systemRuntime, log, connectTimeoutMs = 10_000 } = connectOptions;
      const keeper = onCut === "resume" && policy.maxAttempts > 0 ? new Keeper() : undefined;
      const dial = (giveUp: AbortSignal | undefined) =>
        transport.connect(url, { ...connectOptions, signal: giveUp, session: keeper });
      return new LastingConnection({ first: await dial(signal), dial, keeper, policy, connectTimeoutMs, runtime, log });
    },
  };
}
