import { createEnvelope, decode, type Envelope, encode } from "@parley/core/transport";
import protobuf from "protobufjs";
import { describe, expect, test } from "vitest";
import { Random } from "../../../core/test/simulation/random.ts";
import { protoFolders } from "../../test/protos.ts";
import { decodeEvent } from "./decode-event.ts";
import { encodeEvent, encodeEventText } from "./encode-event.ts";
import { encodeBatch, readBatch } from "./event-batch.ts";

const root = new protobuf.Root();
root.resolvePath = (_origin, target) =>
  target.startsWith("google/protobuf/") ? target : `${protoFolders[0]}/${target}`;
root.loadSync("parley/v1/cloudevents.proto", { keepCase: true });
const CloudEvent = root.lookupType("io.cloudevents.v1.CloudEvent");
const CloudEventBatch = root.lookupType("io.cloudevents.v1.CloudEventBatch");

/** The message as protobufjs reads it. */
const read = (bytes: Uint8Array): Record<string, unknown> =>
  CloudEvent.toObject(CloudEvent.decode(bytes), { longs: Number, oneofs: false });

const write = (object: Record<string, unknown>): Buffer => {
  const problem = CloudEvent.verify(object);
  if (problem) throw new Error(problem);
  return Buffer.from(CloudEvent.encode(CloudEvent.fromObject(object)).finish());
};

const texts = ["a", "Grüße", "日本語", "emoji 🎉", "", "line\nbreak", "\u0000", "x".repeat(300), '{"not":"framing"}'];

function randomData(random: Random, depth = 0): unknown {
  const pick = Math.floor(random.next() * (depth > 3 ? 5 : 7));
  switch (pick) {
    case 0:
      return null;
    case 1:
      return random.next() < 0.5;
    case 2:
      return Math.round((random.next() - 0.5) * 1e9) / 100;
    case 3:
    case 4:
      return texts[Math.floor(random.next() * texts.length)];
    case 5:
      return Array.from({ length: Math.floor(random.next() * 4) }, () => randomData(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: Math.floor(random.next() * 4) }, (_, n) => [`k${n}`, randomData(random, depth + 1)]),
      );
  }
}

const kinds = ["request", "reply", "item", "end", "server-stream", "publish", undefined] as const;

function randomEnvelope(random: Random): Envelope {
  const some = (part: Record<string, unknown>): Record<string, unknown> => (random.next() < 0.4 ? part : {});
  const kind = kinds[Math.floor(random.next() * kinds.length)];
  const bytes = random.next() < 0.2;
  return {
    specversion: "1.0",
    ...(kind ? { parley: "1", kind } : {}),
    id: `id-${Math.floor(random.next() * 1e6)}`,
    source: ["/a", "/b/c", "urn:x:y"][Math.floor(random.next() * 3)] as string,
    type: "text.echo.v1",
    ...some({ time: new Date(Math.floor(random.next() * 4e12)).toISOString() }),
    ...some({ time: "2026-01-31T12:00:00+01:00" }),
    ...some({ expirytime: "1969-12-31T23:59:59.999Z" }),
    ...some({ subject: "a/b/c" }),
    ...some({ dataschema: "https://schemas.example/x" }),
    ...some({ target: "/agents/x", replyto: "/inbox" }),
    ...some({ idempotencykey: "k".repeat(Math.ceil(random.next() * 400)) }),
    ...some({ seq: Math.floor(random.next() * 2 ** 31) }),
    ...some({ extint: Math.floor((random.next() - 0.5) * 2 ** 32) | 0 }),
    ...some({ extbool: random.next() < 0.5 }),
    ...some({ exttext: "visible!" }),
    ...(bytes
      ? {
          datacontenttype: "application/octet-stream",
          data: Uint8Array.from({ length: Math.floor(random.next() * 600) }, () => Math.floor(random.next() * 256)),
        }
      : some({ data: randomData(random) })),
  } as Envelope;
}

describe("the codec of events", () => {
  test("gives back what the JSON codec gives back, for 3,000 random events", () => {
    const random = new Random(20_261_121);
    for (let n = 0; n < 3_000; n++) {
      const message = randomEnvelope(random);
      const hop = { call: n + 1, ...(n % 3 ? {} : { seq: n + 1 }), ...(n % 5 ? {} : { timeoutms: 1_000 + n }) };
      expect(decodeEvent(encodeEvent(message, hop))).toEqual(decode(encode(message, hop)));
    }
  });

  test("writes what protobufjs reads with the published file, and reads what it writes", () => {
    const random = new Random(7);
    for (let n = 0; n < 1_000; n++) {
      const message = randomEnvelope(random);
      const bytes = encodeEvent(message);
      const object = read(bytes);
      expect(object).toMatchObject({ id: message.id, source: message.source, spec_version: "1.0", type: message.type });
      const attributes = object["attributes"] as Record<string, Record<string, unknown>> | undefined;
      if (message.kind) expect(attributes?.["kind"]).toEqual({ ce_string: message.kind });
      if (typeof message["extint"] === "number") expect(attributes?.["extint"]?.["ce_integer"]).toBe(message["extint"]);
      if (message.data instanceof Uint8Array)
        expect(new Uint8Array(object["binary_data"] as Buffer)).toEqual(message.data);
      else if (message.data !== undefined) expect(JSON.parse(object["text_data"] as string)).toEqual(message.data);
      expect(decodeEvent(Buffer.from(CloudEvent.encode(CloudEvent.decode(bytes)).finish()))).toEqual(
        decodeEvent(bytes),
      );
    }
  });

  test("writes a time as a timestamp only if that gives back the same text", () => {
    const attributesOf = (time: string): unknown =>
      (
        read(encodeEvent(createEnvelope({ kind: "request", type: "a.b.v1", source: "/s", time } as never)))[
          "attributes"
        ] as Record<string, unknown>
      )["time"];
    expect(attributesOf("2026-11-21T12:00:00.250Z")).toEqual({
      ce_timestamp: { seconds: 1_795_262_400, nanos: 250_000_000 },
    });
    expect(attributesOf("2026-11-21T12:00:00Z")).toEqual({ ce_string: "2026-11-21T12:00:00Z" });
    const finer = write({
      id: "1",
      source: "/s",
      spec_version: "1.0",
      type: "t.v1",
      attributes: { time: { ce_timestamp: { seconds: 1, nanos: 1_000 } } },
    });
    expect(decodeEvent(finer).time).toBe("1970-01-01T00:00:01.000001Z");
  });

  test("takes foreign events: every type of attribute, fields nobody knows, any order", () => {
    const bytes = write({
      id: "1",
      source: "/s",
      spec_version: "1.0",
      type: "t.v1",
      text_data: '{"a":1}',
      attributes: {
        flag: { ce_boolean: true },
        number: { ce_integer: -5 },
        text: { ce_string: "x" },
        blob: { ce_bytes: Buffer.from("hi") },
        dataschema: { ce_uri: "https://a.example" },
        other: { ce_uri_ref: "../b" },
        when: { ce_timestamp: { seconds: -1, nanos: 0 } },
      },
    });
    // Fields 99: a number, eight bytes, text, four bytes.
    const unknown = Buffer.concat([
      Buffer.from([0x98, 0x06, 0x96, 0x01]),
      Buffer.from([0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]),
      Buffer.from([0x9a, 0x06, 2, 104, 105]),
      Buffer.from([0x9d, 0x06, 1, 2, 3, 4]),
    ]);
    expect(decodeEvent(Buffer.concat([unknown, bytes, unknown]))).toEqual({
      specversion: "1.0",
      id: "1",
      source: "/s",
      type: "t.v1",
      data: { a: 1 },
      flag: true,
      number: -5,
      text: "x",
      blob: "aGk=",
      dataschema: "https://a.example",
      other: "../b",
      when: "1969-12-31T23:59:59.000Z",
    });
  });

  test("text of another media type than JSON stays text; data that is neither is refused", () => {
    const message = createEnvelope({
      kind: "request",
      type: "a.b.v1",
      source: "/s",
      datacontenttype: "text/plain",
      data: "not {json",
    });
    const bytes = encodeEvent(message);
    expect(read(bytes)["text_data"]).toBe("not {json");
    expect(decodeEvent(bytes).data).toBe("not {json");
    expect(() => encodeEvent({ ...message, data: { a: 1 } })).toThrow("neither text nor bytes");
  });

  test("several items travel as one array", () => {
    const first = createEnvelope({ kind: "item", type: "a.b.v1", source: "/s", data: 1 });
    expect(decodeEvent(encodeEventText(first, { call: 1, seq: 4, count: 2 }, "[1,[2]]"))).toMatchObject({
      seq: 4,
      count: 2,
      data: [1, [2]],
    });
  });

  const sound = { id: "1", source: "/s", spec_version: "1.0", type: "t.v1" };
  test.each<[string, () => Buffer]>([
    ["no id", () => write({ ...sound, id: "" })],
    [
      "an attribute __proto__",
      () => write({ ...sound, attributes: Object.fromEntries([["__proto__", { ce_string: "x" }]]) }),
    ],
    ["an attribute constructor", () => write({ ...sound, attributes: { constructor: { ce_string: "x" } } })],
    ["an attribute data", () => write({ ...sound, attributes: { data: { ce_string: "x" } } })],
    ["an attribute that is a field, too", () => write({ ...sound, attributes: { id: { ce_string: "2" } } })],
    [
      "an attribute twice",
      () =>
        Buffer.concat([
          write({ ...sound, attributes: { a: { ce_string: "x" } } }),
          write({ attributes: { a: { ce_string: "y" } } } as never),
        ]),
    ],
    [
      "too many attributes",
      () =>
        write({
          ...sound,
          attributes: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`a${n}`, { ce_integer: n }])),
        }),
    ],
    ["text that is no JSON", () => write({ ...sound, text_data: "{" })],
    ["JSON too deep", () => write({ ...sound, text_data: "[".repeat(65) + "]".repeat(65) })],
    ["proto_data", () => write({ ...sound, proto_data: { type_url: "x", value: Buffer.from("y") } })],
    ["text that is not UTF-8", () => Buffer.concat([write(sound), Buffer.from([0x3a, 1, 0xff])])],
    ["a field cut short", () => write({ ...sound, text_data: '"abc"' }).subarray(0, -2)],
    [
      "a length beyond everything",
      () => Buffer.concat([write(sound), Buffer.from([0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f])]),
    ],
    ["a number without an end", () => Buffer.alloc(64, 0xff)],
    [
      "10,000 groups within each other",
      () => Buffer.concat([write(sound), Buffer.alloc(20_000, Buffer.from([0x9b, 0x06]))]),
    ],
    ["a field of number 0", () => Buffer.concat([write(sound), Buffer.from([0x02, 0])])],
  ])("refuses %s", (_name, bytes) => {
    expect(() => decodeEvent(bytes())).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["version 0.3", write({ ...sound, spec_version: "0.3" })],
  ])("refuses %s for another version of CloudEvents", (_name, bytes) => {
    expect(() => decodeEvent(bytes)).toThrow(expect.objectContaining({ code: "failed_precondition" }));
  });

  test("what was read of one sender is not taken for what another says", () => {
    const message = createEnvelope({ kind: "request", type: "a.b.v1", source: "/s", data: 1 });
    for (const change of [{}, { source: "/t" }, { type: "a.c.v1" }, { kind: "notify" }, {}] as const) {
      const one = { ...message, ...change } as Envelope;
      expect(decodeEvent(encodeEvent(one))).toEqual(one);
    }
  });

  test("random bytes are refused or read, and nothing else", () => {
    const random = new Random(99);
    const start = encodeEvent(createEnvelope({ kind: "request", type: "a.b.v1", source: "/s", data: { a: [1] } }));
    for (let n = 0; n < 5_000; n++) {
      const bytes = Buffer.from(start);
      for (let k = 0; k < 3; k++) bytes[Math.floor(random.next() * bytes.length)] = Math.floor(random.next() * 256);
      try {
        decodeEvent(bytes);
      } catch (error) {
        expect(["invalid_argument", "failed_precondition"]).toContain((error as { code?: unknown }).code);
      }
    }
  });
});

test("a batch is what protobufjs makes of it, and is taken apart in order", () => {
  const events = [1, 2, 300].map((data) =>
    encodeEvent(createEnvelope({ kind: "item", type: "a.b.v1", source: "/s", data: "x".repeat(data) })),
  );
  const bytes = encodeBatch(events);
  const { events: decoded } = CloudEventBatch.toObject(CloudEventBatch.decode(bytes)) as { events: object[] };
  expect(decoded).toHaveLength(3);
  const taken: Buffer[] = [];
  readBatch(bytes, (event) => taken.push(Buffer.from(event)));
  expect(taken).toEqual(events);
  expect(() => readBatch(Buffer.from([0x08, 1]), () => {})).toThrow("no batch");
});
