import type { ConnectionStats } from "./transport.ts";

/** What counters start from. */
export const noStats: ConnectionStats = { openCalls: 0, lateMessages: 0, refusedMessages: 0 };

/** The sum of counters. */
export function sumStats(all: Iterable<ConnectionStats>): ConnectionStats {
  let { openCalls, lateMessages, refusedMessages } = noStats;
  for (const stats of all) {
    openCalls += stats.openCalls;
    lateMessages += stats.lateMessages;
    refusedMessages += stats.refusedMessages;
  }
  return { openCalls, lateMessages, refusedMessages };
}

/** What remains counted of a connection that has ended. */
export function pastStats(stats: ConnectionStats): ConnectionStats {
  return { ...stats, openCalls: 0 };
}
