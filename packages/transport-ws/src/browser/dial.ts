import {
  type Connection,
  type ConnectOptions,
  channelLimits,
  dialChannel,
  presenterOf,
  systemRuntime,
} from "@parley/core/transport";
import { resumeOf, SUBPROTOCOL } from "../call-options.ts";
import { offerOf } from "../offer.ts";
import { openWebSocket } from "./open-web-socket.ts";
import { webSocketChannel } from "./web-socket-channel.ts";
import type { WsOptions } from "./ws.ts";

/** Opens a WebSocket of the browser, showing who calls, and shakes hands over it. */
export async function dial(url: URL, options: WsOptions, connect: ConnectOptions): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal, session } = connect;
  const { credentials, limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  const presenter = presenterOf(credentials);
  const deadline = runtime.now() + connectTimeoutMs;
  const timeLeft = (): number => Math.max(1, deadline - runtime.now());
  const open = async (): Promise<Connection> => {
    const credential = await presenter?.presentWithin({ timeoutMs: timeLeft(), signal, runtime });
    const protocols = [SUBPROTOCOL, ...(credential ? [offerOf(credential)] : [])];
    return openWebSocket(url, { protocols, timeoutMs: timeLeft(), signal, runtime }, (webSocket) =>
      dialChannel(webSocketChannel(webSocket, runtime), {
        transport: "ws",
        address: url.host,
        handler,
        limits,
        heartbeatMs,
        maxQueuedChars,
        resume: resumeOf(options),
        session,
        helloTimeoutMs: timeLeft(),
        log,
        runtime,
        signal,
      }),
    );
  };
  if (!presenter) return open();
  return Object.assign(await presenter.dial(open), { renewal: presenter.renewal("dial") });
}
