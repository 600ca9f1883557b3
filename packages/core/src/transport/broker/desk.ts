import type { Log } from "../../call/log.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Hop } from "../hello.ts";
import type { Arrival } from "./broker.ts";
import type { CreditBudget } from "./budget.ts";
import type { PendingCall } from "./pending-call.ts";
import type { Post } from "./post.ts";
import type { ServedCall } from "./served-call.ts";
import type { Watches } from "./watches.ts";

/** What the calls over one link to a broker share. */
export interface Desk {
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  /** Source of the events that this side writes itself. */
  readonly source: string;
  /** What this side bears; its heartbeat is the interval of leases. */
  readonly hop: Hop;
  /** This process's own. */
  readonly inbox: string;
  readonly post: Post;
  readonly budget: CreditBudget;
  readonly watches: Watches;
  /** Events that a message may hold that comes to the inbox; 1 means no batches. */
  readonly batchEvents: number;
  /** Longest message that the broker takes, bytes. */
  readonly maxMessageBytes: number;
  /** Time in which somebody must say that a call is theirs. */
  readonly acceptWithinMs: number;
  /** A message of no use: from the wrong sender, or out of its place. */
  refused(arrival: Arrival): void;
  /** A message that comes again, or too late. */
  late(): void;
  forgetPending(call: PendingCall): void;
  forgetServed(call: ServedCall): void;
}
