import type { Readable } from "node:stream";
import {
  channelLimits,
  channelListener,
  codes,
  type Handler,
  type Listener,
  type ListenOptions,
  ParleyError,
  systemRuntime,
} from "@parley/core/transport";
import type { StdioOptions } from "./options.ts";
import { streamChannel } from "./stream-channel.ts";

/** A person may type the first line. */
const HELLO_TIMEOUT_MS = 60_000;

/** Streams that a listener reads. */
const taken = new WeakSet<Readable>();

/** Serves the process that started this one; closes with the connection. */
export async function listen(
  url: URL,
  handler: Handler,
  options: StdioOptions,
  { log, runtime = systemRuntime }: ListenOptions,
): Promise<Listener> {
  const { input = process.stdin, output = process.stdout, limits = channelLimits, graceMs = 5_000 } = options;
  const { heartbeatMs, helloTimeoutMs = HELLO_TIMEOUT_MS, maxQueuedChars } = options;
  if (taken.has(input)) {
    throw new ParleyError("already_exists", "somebody listens on this process's stdin already", {
      outcome: "not-sent",
    });
  }
  taken.add(input);
  const listener = channelListener({
    url,
    channel: { transport: "stdio", handler, limits, heartbeatMs, helloTimeoutMs, maxQueuedChars, log, runtime },
    stop() {
      taken.delete(input);
    },
  });
  const { maxMessageBytes } = limits;
  const inputEnded = (): void => void connection.close({ graceMs });
  const connection = listener.accept(streamChannel({ input, output, maxMessageBytes, runtime, log, inputEnded }), {});
  void connection.closed.then((reason) => {
    if (reason && input === process.stdin) process.exitCode ??= codes[reason.code].exit;
    return listener.close();
  });
  return listener;
}
