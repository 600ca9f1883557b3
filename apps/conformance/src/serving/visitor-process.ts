import { type Connection, createCall } from "@parley/core/transport";
import { dialChild } from "../subjects/child-program.ts";
import { loadSubject } from "../subjects/load.ts";
import { ORDER } from "./control.ts";
import { createFixture } from "./fixture.ts";

/** What a visitor is told as it starts. */
export interface VisitorOrder {
  readonly module: string;
  /** Of the listener; without it both sides are here. */
  readonly url: string | undefined;
  /** Stays, with a call under way, until it is killed. */
  readonly stays?: boolean;
}

/** A process that opens a connection, asks for a sign of life, closes everything, says so, and does nothing more: it exits by itself or not at all. */
const { module, url, stays = false } = JSON.parse(process.env[ORDER] ?? "{}") as VisitorOrder; // from our own parent
const subject = await loadSubject(module);
const transport = subject.transport({});
const listener =
  url === undefined ? await transport.listen(new URL(subject.url), createFixture(() => {}).handler) : undefined;
const to = listener?.url ?? new URL(url ?? subject.url);
const connection: Connection = await (subject.serving === "child" ? dialChild(subject, to) : transport.connect(to));
await connection.ping();
const call = createCall({
  kind: "request",
  message: {
    specversion: "1.0",
    parley: "1",
    id: "visitor",
    source: "/conformance/visitor",
    type: `conformance.${stays ? "gate" : "echo"}.v1`,
    kind: "request",
    time: new Date().toISOString(),
    data: stays ? { gate: "visitor" } : "hello",
  },
});
const answer = connection.call(call);
if (stays) process.send?.("stays");
await answer;
call.settle();
await connection.close();
await listener?.close();
process.send?.("closed");
