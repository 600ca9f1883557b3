import type { Envelope } from "./envelope.ts";

/** The parts of an event's text before and after what the connection writes into it. */
export interface SharedText {
  readonly head: string;
  readonly tail: string;
}

const texts = new WeakMap<Envelope, SharedText | undefined>();

/**
 * Says that a message goes to several receivers and will not change: its text is made once for all of them, and let go with it. It must have a
 * `subject`, as publications have: nothing else is looked up.
 */
export function share(message: Envelope): void {
  texts.set(message, undefined);
}

/** Whether the text of a message is made once. */
export function isShared(message: Envelope): boolean {
  return message.subject !== undefined && texts.has(message);
}

/** The text of a shared message, which `make` makes the first time. What that throws is thrown. */
export function sharedText(message: Envelope, make: () => SharedText): SharedText {
  let text = texts.get(message);
  if (text === undefined) {
    text = make();
    texts.set(message, text);
  }
  return text;
}
