/**
 * Where the answer to a program without Parley goes: its response topic, with its correlation data. Written as one text, so that it can take
 * the place of an inbox; made from what the broker brought, and never taken from a message.
 */
export interface PlainInbox {
  /** `plain`: the data alone; `event`: a CloudEvent, as it was asked with one. */
  readonly mode: "plain" | "event";
  readonly topic: string;
  readonly correlationData: Buffer | undefined;
}

const SHAPE = /^(plain|event):([\w-]*):(.+)$/;

/** As one text. */
export function plainInbox({ mode, topic, correlationData }: PlainInbox): string {
  return `${mode}:${correlationData?.toString("base64url") ?? ""}:${topic}`;
}

/** The other way; undefined for the inbox of a Parley. */
export function readPlainInbox(inbox: string): PlainInbox | undefined {
  const [, mode, correlation = "", topic = ""] = SHAPE.exec(inbox) ?? [];
  if (mode !== "plain" && mode !== "event") return undefined;
  return { mode, topic, correlationData: correlation === "" ? undefined : Buffer.from(correlation, "base64url") };
}
