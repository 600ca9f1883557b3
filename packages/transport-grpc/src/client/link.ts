import type { ParleyError, Reply, Runtime } from "@parley/core/transport";
import type { CallSet } from "./call-set.ts";
import type { Line } from "./line.ts";

/** What the calls on one line share. */
export interface Link {
  readonly line: Line;
  readonly calls: CallSet;
  readonly runtime: Runtime;
  /** Where the peer is, for messages. */
  readonly address: string;
  /** Longest message that may be sent. */
  readonly maxSendBytes: number;
}

/** How a call is settled. */
export interface Settle {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: ParleyError) => void;
}
