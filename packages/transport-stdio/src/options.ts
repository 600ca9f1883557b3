import type { Readable, Writable } from "node:stream";
import type { ChannelOptions, Limits } from "@parley/core/transport";
import type { ChildOptions, Command } from "./child-options.ts";

/** Options of {@link stdio}; those of the child are for dialling. */
export interface StdioOptions
  extends ChildOptions,
    Pick<ChannelOptions, "heartbeatMs" | "helloTimeoutMs" | "maxQueuedChars"> {
  /** What the connection bears. @default 4 MiB a message, 16,384 calls, 1,024 items and 1 MiB a stream */
  readonly limits?: Limits | undefined;
  /** Dialling: what to start. */
  readonly command?: Command | undefined;
  /** Listening: where frames come from. @default process.stdin */
  readonly input?: Readable | undefined;
  /** Listening: where frames go. @default process.stdout */
  readonly output?: Writable | undefined;
  /** Listening: time that calls under way have once the input has ended, ms, so that `printf … | agent` is answered. @default 5_000 */
  readonly graceMs?: number | undefined;
}
