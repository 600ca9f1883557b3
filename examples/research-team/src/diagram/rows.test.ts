import { expect, it } from "vitest";
import type { Incident, Message } from "../record.ts";
import { rowsOf } from "./rows.ts";

let clock = 0;
const message = (
  kind: Message["kind"],
  from: string,
  to: string,
  call: string,
  more: Partial<Message> = {},
): Message => ({
  at: clock++,
  kind,
  from,
  to,
  wire: "ws",
  operation: "demo.op",
  call,
  data: kind,
  ...more,
});
const rows = (...events: readonly (Message | Incident)[]) => rowsOf(events, ({ data }) => String(data));

it("items of a stream that follow each other share a row, also with those of another stream between, and the end joins them", () => {
  expect(
    rows(
      message("server-stream", "a", "b", "1"),
      message("server-stream", "a", "c", "2"),
      message("item", "b", "a", "1", { data: "b1" }),
      message("item", "c", "a", "2", { data: "c1" }),
      message("item", "b", "a", "1", { data: "b2" }),
      message("end", "b", "a", "1"),
    ),
  ).toMatchObject([
    { kind: "call", to: "b" },
    { kind: "call", to: "c" },
    { kind: "item", from: "b", texts: ["b1", "b2"], isLast: true },
    { kind: "item", from: "c", texts: ["c1"], isLast: false },
  ]);
});

it("a new call, an answer or an incident between them parts the items of a stream", () => {
  const stop: Incident = { at: clock, kind: "killed", who: "c", text: "killed" };
  for (const between of [message("request", "a", "c", "2"), message("reply", "c", "a", "2"), stop]) {
    const at = clock;
    const events = rows(
      message("item", "b", "a", "1", { at: at - 1 }),
      { ...between, at },
      message("item", "b", "a", "1", { at: at + 1 }),
    );
    expect(events).toHaveLength(3);
  }
});

it("turns of a conversation are rows of their own", () => {
  expect(
    rows(
      message("bidi-stream", "a", "b", "1"),
      message("item", "a", "b", "1"),
      message("item", "a", "b", "1"),
      message("item", "b", "a", "1"),
      message("item", "a", "b", "1"),
      message("item", "b", "a", "1"),
      message("end", "b", "a", "1"),
    ).map((row) => "from" in row && row.from),
  ).toEqual(["a", "a", "a", "b", "a", "b"]);
});

it("a call with a key that was seen before is one that is made again", () => {
  expect(
    rows(
      message("request", "a", "b", "1", { key: "k" }),
      message("error", "b", "a", "1"),
      message("request", "a", "c", "2", { key: "k" }),
      message("request", "a", "c", "3", { key: "other" }),
    ),
  ).toMatchObject([{ isAgain: false }, { kind: "error", isLast: true }, { isAgain: true }, { isAgain: false }]);
});

it("rows are in the order of time, whoever wrote first", () => {
  const late = message("request", "a", "b", "1", { at: 20 });
  const early = message("request", "b", "c", "2", { at: 10 });
  expect(rows(late, early).map(({ at }) => at)).toEqual([10, 20]);
});
