import { CloudEvent, HTTP } from "cloudevents";
import { describe, expect, it } from "vitest";
import { ParleyError } from "../call/error.ts";
import { errorEvent } from "../call/error-event.ts";
import { createEnvelope } from "./create.ts";
import { encode, encodeHeader, type HopAttributes } from "./encode.ts";
import { callKinds, type Envelope } from "./envelope.ts";
import { answererItem, callerItem, end, follower, reply } from "./follow.ts";

const opener = createEnvelope({
  kind: "bidi-stream",
  type: "text.summarize.v1",
  source: "/client",
  correlationid: "c-1",
  causationid: "c-1",
  replyto: "/inbox",
  target: "/agents/text",
  expirytime: "2030-01-31T12:00:00.000Z",
  idempotencykey: "once",
  partitionkey: "p",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  tracestate: "vendor=value",
  dataschema: "https://example.com/schema/1",
  data: { text: "…" },
});
const source = "/server";
const error = new ParleyError("data_loss", 'lost "it" ☃', { details: { bytes: new Uint8Array(3) }, retryAfterMs: 5 });

/** Everything that Parley writes, by what it is. */
const written: [string, Envelope, HopAttributes][] = [
  ...callKinds.map((kind): [string, Envelope, HopAttributes] => [
    kind,
    { ...opener, kind },
    { call: 1, timeoutms: 5_000 },
  ]),
  [
    "a publication",
    createEnvelope({ kind: "publish", type: "text.status.v1", source, subject: "agents/a/status", data: 1 }),
    { call: 1 },
  ],
  [
    "a subscription",
    createEnvelope({ kind: "subscribe", type: "text.status.v1", source, subject: "agents/+/#" }),
    { call: 1 },
  ],
  ["a reply", reply(opener, source, { summary: "…" }), { call: 1 }],
  ["an accepted stream", reply(opener, source), { call: 1, inreplyto: opener.id }],
  ["an item of the caller", callerItem(opener, source, 1, "item"), { call: 1, seq: 1 }],
  ["an item of the answerer", answererItem(opener, source, 2, true), { call: 1, seq: 2 }],
  ["the end", end(opener, source), { call: 1, seq: 3 }],
  ["an error", errorEvent(opener, source, error), { call: 1, seq: 3 }],
  ["a cancellation", follower("cancel", `${opener.id}.x`, opener, source, { code: "cancelled" }), { call: 1 }],
  ["credit", follower("credit", `${opener.id}.k128`, opener, source, { items: 128, bytes: 65_536 }), { call: 1 }],
  ["no data", createEnvelope({ kind: "notify", type: "a.v1", source }), {}],
  ["a text that looks like JSON", { ...opener, data: '{"a":1}' }, {}],
  ["plain text", { ...opener, datacontenttype: "text/plain;charset=utf-8", data: "snow ☃" }, {}],
  ["bytes", { ...opener, datacontenttype: "application/octet-stream", data: new Uint8Array([0, 255, 10]) }, {}],
  ["bytes without a type", { ...opener, data: new Uint8Array([1]) }, {}],
  ["a number", { ...opener, data: -1.5 }, {}],
  ["a list", { ...opener, data: [[], {}] }, {}],
];

/** The text as the official library reads it, strictly. */
function read(text: string): { readonly [name: string]: unknown } {
  const event = HTTP.toEvent({ headers: { "content-type": "application/cloudevents+json" }, body: text });
  if (!(event instanceof CloudEvent)) throw new Error("not one event");
  event.validate();
  new CloudEvent(JSON.parse(text), true);
  return { ...event };
}

/** The attributes in the text, and the data that went into it. */
function expected(text: string, data: unknown): { readonly [name: string]: unknown } {
  const { data: _, ...attributes } = JSON.parse(text);
  return data === undefined ? attributes : { ...attributes, data };
}

describe("the official CloudEvents library reads", () => {
  it.each(written)("%s", (_what, message, hop) => {
    const text = encode(message, hop);
    // What has no time gets one from the library as it reads (a fault of it: the attribute is optional).
    const { time, ...event } = read(text);
    const { time: sent = time, ...same } = expected(
      text,
      message.data instanceof Uint8Array ? expect.anything() : message.data,
    );
    expect(event).toMatchObject(same);
    expect(new Date(String(time)).getTime()).toBe(new Date(String(sent)).getTime());
    if (message.data instanceof Uint8Array) expect(Uint8Array.from(event["data"] as Uint8Array)).toEqual(message.data);
  });

  it("several items in one event", () => {
    const first = answererItem(opener, source, 7, undefined);
    const text = `${encodeHeader(first, { call: 1, seq: 7, count: 3 })},"data":[1,null,"three"]}`;
    expect(read(text)).toMatchObject({ kind: "item", seq: 7, count: 3, data: [1, null, "three"] });
  });

  it.each([null, false, 0, ""])("%j as data, which its parser of structured events then loses", (data) => {
    const text = encode({ ...opener, data });
    expect(read(text)["data"]).toBeUndefined();
    expect(new CloudEvent(JSON.parse(text), true).data).toBe(data);
  });

  it("no bytes, which it then loses", () => {
    expect(read(encode({ ...opener, data: new Uint8Array(0) }))["data"]).toBeUndefined();
  });
});
