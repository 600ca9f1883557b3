/** What a client counts, over all children that it started. Numbers only grow. */
export interface StdioClientStats {
  /** Children that were started. */
  readonly starts: number;
  /** Lines that are no messages: skipped. */
  readonly refusedMessages: number;
  /** Answers to what was given up, or never asked: dropped. */
  readonly lateMessages: number;
  /** Notifications that nobody read, dropped for newer ones. */
  readonly droppedMessages: number;
}

/** The same while they are being counted. */
export type Counts = { -readonly [Name in keyof StdioClientStats]: number };
