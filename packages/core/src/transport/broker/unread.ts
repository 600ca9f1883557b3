import { callKinds } from "../../envelope/envelope.ts";

/** What could be read of a message that is refused: enough to tell the right one of it. */
export interface Unread {
  readonly id: string;
  readonly type: string;
  readonly kind?: string;
  readonly call?: number;
  readonly inreplyto?: string;
  readonly replyto?: string;
}

/** Longest header that is looked at, characters. */
const MAX_HEADER = 16 * 1024;
const NAME = /^[!#$&-[\]-~]{1,256}$/;
const MAX_CALL = 2 ** 31 - 1;
const answeredKinds: ReadonlySet<unknown> = new Set(
  callKinds.filter((kind) => kind !== "notify" && kind !== "publish"),
);

/**
 * Reads the header of an event in JSON that is not sound as a whole, which is most often its data's fault; data stands last in what Parleys
 * send. Undefined when that does not say which message it is.
 */
export function readUnread(text: string): Unread | undefined {
  const data = text.slice(0, MAX_HEADER).search(/,\s*"data(?:_base64)?"\s*:/);
  if (data === -1 && text.length > MAX_HEADER) return undefined;
  let header: unknown;
  try {
    header = JSON.parse(data === -1 ? text : `${text.slice(0, data)}}`);
  } catch {
    return undefined;
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return undefined;
  const { id, type, kind, call, inreplyto, replyto } = header as Readonly<Record<string, unknown>>;
  if (!isName(id) || !isName(type)) return undefined;
  return {
    id,
    type,
    ...(isName(kind) ? { kind } : {}),
    ...(Number.isInteger(call) && (call as number) >= 0 && (call as number) <= MAX_CALL
      ? { call: call as number }
      : {}),
    ...(isName(inreplyto) ? { inreplyto } : {}),
    ...(isName(replyto) ? { replyto } : {}),
  };
}

/** Whether somebody waits for an answer to it. */
export function wantsAnswer(unread: Unread): unread is Unread & { readonly replyto: string } {
  const { kind, replyto, inreplyto } = unread;
  return replyto !== undefined && inreplyto === undefined && (kind === undefined || answeredKinds.has(kind));
}

function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}
