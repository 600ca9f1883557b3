import { expect, it } from "vitest";
import { encode } from "./encode.ts";
import type { Envelope } from "./envelope.ts";
import { share } from "./shared.ts";

/** A publication whose data tells how often it was read. */
function publication(more: Partial<Envelope> = {}): { readonly message: Envelope; readonly reads: () => number } {
  let reads = 0;
  const data = {
    get state() {
      reads++;
      return "idle";
    },
  };
  const message: Envelope = {
    ...{ specversion: "1.0", parley: "1", id: "1", source: "/a", type: "t.v1", kind: "item" },
    ...{ subject: "a/b", data },
    ...more,
  };
  return { message, reads: () => reads };
}

it("a message that is shared is written once, and to each receiver as if it were not", () => {
  const [own, shared] = [publication(), publication()];
  share(shared.message);
  const hops = [undefined, { call: 1, seq: 4 }, { call: 3, seq: 9, sn: 7 }];
  expect(hops.map((hop) => encode(shared.message, hop))).toEqual(hops.map((hop) => encode(own.message, hop)));
  expect(own.reads()).toBeGreaterThan(shared.reads());
  const before = shared.reads();
  encode(shared.message, { call: 5 });
  expect(shared.reads()).toBe(before);
});

it("bytes, and no data, are shared alike", () => {
  for (const data of [new Uint8Array([1, 2]), undefined]) {
    const [own, { message }] = [publication({ data }), publication({ data })];
    share(message);
    const hop = { call: 1, seq: 1 };
    expect([encode(message, hop), encode(message, hop)]).toEqual([encode(own.message, hop), encode(own.message, hop)]);
  }
});

it("a place of its own gives way to that on each connection", () => {
  const { message } = publication({ seq: 3 });
  share(message);
  expect(encode(message)).toContain('"seq":3');
  expect(encode(message, { seq: 8 })).toContain('"seq":8');
  expect(encode(message, { seq: 8 })).not.toContain('"seq":3');
});

it("what cannot be written is an error each time", () => {
  const { message } = publication({ data: { n: Number.NaN } });
  share(message);
  for (const _ of [1, 2]) expect(() => encode(message, { call: 1 })).toThrow("NaN");
});

it("a copy of it is a message like any other", () => {
  const { message } = publication();
  share(message);
  encode(message);
  expect(encode({ ...message, data: { state: "busy" } })).toContain('"busy"');
});
