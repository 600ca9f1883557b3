import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ParleyError } from "../call/error.ts";
import { attributeTypes, isAttributeName, receivedProblem } from "./attributes.ts";
import { createEnvelope, type EnvelopeInit } from "./create.ts";
import { encodeData } from "./data.ts";
import { decode } from "./decode.ts";
import { encode } from "./encode.ts";
import { callKinds, type Envelope, hopAttributes } from "./envelope.ts";

const chars = (text: string) => fc.constantFrom(...text);
const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((unit) => String.fromCharCode(unit)),
  minLength: 1,
  maxLength: 40,
});
const sendable = visible.map((text) => text.replace(/["\\%]/g, "-"));
const names = fc
  .string({ unit: chars("abcdefghijklmnopqrstuvwxyz0123456789"), minLength: 1, maxLength: 20 })
  .filter((name) => isAttributeName(name) && !attributeTypes.has(name) && !hopAttributes.has(name));
const values = (text: fc.Arbitrary<string>) =>
  fc.oneof(
    text,
    fc.boolean(),
    fc.maxSafeInteger().map((value) => value | 0),
  );
const data = fc.oneof(fc.jsonValue({ stringUnit: "binary" }), fc.uint8Array({ maxLength: 50 }), fc.constant(undefined));

const messages = fc
  .record({
    kind: fc.constantFrom(...callKinds),
    type: sendable,
    source: sendable,
    data,
    extensions: fc.dictionary(names, values(sendable), { maxKeys: 10 }),
  })
  .map(({ extensions, ...init }) => createEnvelope({ ...extensions, ...init } as EnvelopeInit));

const relayed = fc
  .record({
    id: visible,
    source: visible,
    type: visible,
    data,
    extensions: fc.dictionary(
      names,
      values(fc.string({ unit: "grapheme" }).filter((text) => receivedProblem("ext", text) === undefined)),
      { maxKeys: 10 },
    ),
  })
  .map(
    ({ extensions, data: value, ...rest }): Envelope => ({
      ...extensions,
      specversion: "1.0",
      ...rest,
      ...(value === undefined ? {} : { data: value }),
    }),
  );

describe("a message", () => {
  it("arrives as it was sent", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(decode(encode(message))).toStrictEqual(message);
      }),
    );
  });

  it("of a foreign sender is relayed as it came", () => {
    fc.assert(
      fc.property(relayed, (message) => {
        expect(decode(encode(message))).toStrictEqual(message);
      }),
    );
  });

  it("has its hop's attributes at the other side", () => {
    const hops = fc.record({ call: fc.nat(), seq: fc.nat(), timeoutms: fc.nat() }, { requiredKeys: [] });
    fc.assert(
      fc.property(messages, hops, (message, hop) => {
        expect(decode(encode(message, hop))).toStrictEqual({ ...message, ...hop });
      }),
    );
  });

  it("is the same whether it is read in one go, with white space, or in any order", () => {
    fc.assert(
      fc.property(messages, fc.infiniteStream(fc.nat()), (message, chance) => {
        const entries = Object.entries(JSON.parse(encode(message)) as object);
        const shuffled = entries.toSorted(() => ((chance.next().value as number) % 2 ? 1 : -1));
        const members = shuffled.map(([name, value]) => `\n "${name}" : ${encodeData(value)} `);
        const event = decode(`{${members}}`);
        expect(event).toStrictEqual(decode(encode(message)));
      }),
    );
  });
});

describe("text that has been changed on its way", () => {
  /** Pieces that mean something in JSON or in an event, to be put anywhere. */
  const pieces = fc.oneof(
    fc.constantFrom(
      '"',
      "\\",
      "{",
      "}",
      "[",
      "]",
      ":",
      ",",
      "\u0000",
      "\ufeff",
      "\ud800",
      "\\u0000",
      "\\ud800",
      "1e400",
      "-0",
      "null",
      " ",
      "\n",
      "%",
    ),
    fc.constantFrom(
      '"data":',
      '"data_base64":"',
      ',"type":"b"',
      '"__proto__":',
      '"constructor":"',
      '"count":2,',
      '"seq":-1,',
      '"timeoutms":1e99,',
      '"parley":"2",',
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
    fc.constantFrom("x", "0", ""),
  );
  const changes = fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), remove: fc.constantFrom(0, 1, 1, 12), insert: pieces }),
    { minLength: 1, maxLength: 4 },
  );

  it("is read as a sound event, or refused with a ParleyError", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(messages, relayed), changes, (message, all) => {
        let text = encode(message, { call: 1, timeoutms: 1_000 });
        for (const { at, remove, insert } of all) {
          const place = Math.floor(at * text.length);
          text = text.slice(0, place) + insert + text.slice(place + remove);
        }
        let event: Envelope;
        try {
          event = decode(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ParleyError);
          return;
        }
        read++;
        expect(Object.getPrototypeOf(event)).toBe(Object.prototype);
        for (const [name, value] of Object.entries(event)) {
          if (name !== "data")
            expect([name, receivedProblem(name, value), isAttributeName(name)]).toEqual([name, undefined, true]);
        }
        // What was read can be passed on, and is the same to the next.
        expect(decode(encode(event, { call: event.call, timeoutms: event.timeoutms }))).toStrictEqual(event);
      }),
      { numRuns: 2_000 },
    );
    expect(read).toBeGreaterThan(10);
  });

  it("leaves no trace in other objects", () => {
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect("admin" in {}).toBe(false);
  });
});
