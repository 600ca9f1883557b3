import {
  type Connection,
  type ConnectOptions,
  cancelled,
  channelLimits,
  checkChannelOptions,
  dialChannel,
  errorFor,
  type ParleyError,
  systemRuntime,
  toParleyError,
} from "@parley/core/transport";
import { startChild } from "./child.ts";
import { childChannel } from "./child-channel.ts";
import { requireCommand } from "./child-options.ts";
import { ownEnvironment } from "./environment.ts";
import type { StdioOptions } from "./options.ts";
import type { StartHistory } from "./start-limit.ts";

/** Starts the child and shakes hands with it. A child with which that fails is ended, and supervised until it is gone. */
export async function dial(options: StdioOptions, connect: ConnectOptions, history: StartHistory): Promise<Connection> {
  const { handler, log, runtime = systemRuntime, connectTimeoutMs = 10_000, signal } = connect;
  const { command, cwd, exitMs = 2_000, limits = channelLimits, heartbeatMs, maxQueuedChars } = options;
  requireCommand(command, 'stdio({ command: ["node", "agent.js"] })');
  const [program] = command;
  checkChannelOptions({ heartbeatMs, maxQueuedChars });
  if (signal?.aborted) throw cancelled(signal.reason, "not-sent");
  const deadline = runtime.now() + connectTimeoutMs;
  const own = await ownEnvironment(options, { timeoutMs: connectTimeoutMs, signal, runtime });
  history.start(program, runtime);
  const { maxMessageBytes } = limits;
  const child = await startChild({ command, cwd, env: own, exitMs, runtime, log });
  const open = childChannel(child, { program, exitMs, maxMessageBytes, log });
  try {
    return await dialChannel(open, {
      transport: "stdio",
      address: program,
      handler,
      limits,
      heartbeatMs,
      maxQueuedChars,
      helloTimeoutMs: Math.max(1, Math.ceil(deadline - runtime.now())),
      log,
      runtime,
      signal,
    });
  } catch (error) {
    throw handshakeError(toParleyError(error), program);
  }
}

/** Says of whom it is that a handshake came to nothing, where the error does not. */
function handshakeError(error: ParleyError, program: string): ParleyError {
  const { code, message, details, outcome } = error;
  if (code === "unavailable" || code === "cancelled") return error;
  return errorFor(code, `the handshake with ${program} failed: ${message}`, { outcome, details, cause: error });
}
