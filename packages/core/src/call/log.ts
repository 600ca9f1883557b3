/** One thing worth telling an operator. Holds no message data and no secret. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  /** Stable name, `"frame-refused"`. */
  readonly event: string;
  readonly message: string;
  readonly error?: unknown;
  readonly fields?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Takes log entries; must not throw. Absent means silence. */
export type Log = (entry: LogEntry) => void;
