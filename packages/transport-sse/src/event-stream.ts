/** Media type of an event stream (HTML Living Standard, 9.2). */
export const EVENT_STREAM = "text/event-stream";

/** Last id of a stream that is over: whoever comes back with it is told that there is no more. */
export const OVER = "over";

/** Where in a stream a reader is. */
export interface Position {
  readonly session: string;
  /** Items that it has; none once the stream is over. */
  readonly items: number | undefined;
}

/** The id of an event: how many items of its session there are up to it. */
export function positionText(session: string, items: number | typeof OVER): string {
  return `${session}.${items}`;
}

/** Reads an id; undefined when it is none of ours. */
export function readPosition(text: string): Position | undefined {
  const [, session, items] = /^([\w-]{1,64})\.(\d{1,15}|over)$/.exec(text) ?? [];
  if (session === undefined) return undefined;
  return { session, items: items === OVER ? undefined : Number(items) };
}
