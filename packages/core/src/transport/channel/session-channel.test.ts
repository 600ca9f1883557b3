import { expect, it } from "vitest";
import { createCall } from "../../call/call.ts";
import type { ParleyError } from "../../call/error.ts";
import { createEnvelope } from "../../envelope/create.ts";
import { decode } from "../../envelope/decode.ts";
import type { Envelope } from "../../envelope/envelope.ts";
import { reply } from "../../envelope/follow.ts";
import { systemRuntime } from "../../runtime/runtime.ts";
import { HELLO } from "../hello.ts";
import { acceptInSession, dialChannel } from "../over-channel.ts";
import { Keeper } from "../session/keeper.ts";
import { Sessions } from "../session/sessions.ts";
import type { ChannelEvents, OpenChannel } from "./channel.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));
const base = { specversion: "1.0", parley: "1", source: "/peer" };
const resume = { windowms: 60_000, messages: 1_000, bytes: 1_000_000, ackevery: 64 };

/** The other end of a channel, in the hands of the test. */
function peer() {
  const sent: Envelope[] = [];
  let events: ChannelEvents | undefined;
  let closedWith: ParleyError | undefined;
  const open: OpenChannel = (given) => {
    events = given;
    return {
      write(frames) {
        sent.push(...frames.map((frame) => decode(frame)));
        return true;
      },
      close(reason) {
        closedWith = reason;
        queueMicrotask(() => given.closed(reason));
      },
    };
  };
  return {
    open,
    sent,
    frame: (message: object) => events?.frame(JSON.stringify({ ...base, ...message })),
    cut: () => events?.closed(new Error("cut")),
    get closedWith() {
      return closedWith;
    },
  };
}

/** A listener with sessions, whose requests are answered in the turn in which they come. */
function listener() {
  const sessions = new Sessions({}, systemRuntime);
  const options = {
    transport: "test",
    handler: ({ message }: { readonly message: Envelope }) => {
      if (message.type === "held.v1") return new Promise<never>(() => {});
      return message.type === HELLO ? {} : { message: reply(message, "/me", message.data) };
    },
  };
  return async (claim: object = {}) => {
    const other = peer();
    const connection = acceptInSession(other.open, options, sessions);
    other.frame({ id: "h", kind: "request", type: HELLO, call: 1, ...claim, data: { resume } });
    await turn();
    return { other, connection, hello: other.sent.shift() as Envelope };
  };
}

it("a reply does not acknowledge the request that it answers: that is not handed over yet", async () => {
  const { other } = await listener()();
  for (let n = 1; n <= 40; n++) other.frame({ id: `q${n}`, kind: "request", type: "a.v1", call: 2 * n + 1, sn: n });
  await turn();
  const replies = other.sent.filter(({ kind }) => kind === "reply");
  expect(replies.map(({ sn }) => sn)).toEqual(Array.from({ length: 40 }, (_, at) => at + 1));
  const riding = replies.flatMap(({ sn, ack }) => (ack === undefined ? [] : [[sn, ack]]));
  expect(riding).toEqual([
    [17, 16],
    [33, 32],
  ]);
});

it("whoever resumes stops the channel before, and gets what was written on it and not acknowledged", async () => {
  const accept = listener();
  const first = await accept();
  first.other.frame({ id: "q", kind: "request", type: "a.v1", call: 3, sn: 1, data: "a" });
  await turn();
  const second = await accept({ session: first.hello.session, generation: 2, ack: 0, high: 1 });
  expect(second.hello).toMatchObject({ ack: 1, high: 1, data: { resume: { resumed: true } } });
  expect(second.other.sent).toMatchObject([{ kind: "reply", sn: 1, call: 3, data: "a" }]);
  expect(first.other.sent.at(-1)).toMatchObject({ kind: "error", data: { code: "aborted" } });
  expect(first.other.closedWith).toMatchObject({ code: "aborted" });
  first.other.frame({ id: "z", kind: "request", type: "a.v1", call: 5, sn: 2, data: "late" });
  second.other.frame({ id: "r", kind: "request", type: "a.v1", call: 5, sn: 2, data: "b" });
  await turn();
  expect(second.other.sent.map(({ data }) => data)).toEqual(["a", "b"]);
  expect(await second.connection.closed).toBeUndefined();
});

it("a connection that is closed over calls under way says goodbye before the reason, or the peer would wait for it", async () => {
  const { other, connection } = await listener()();
  other.frame({ id: "q", kind: "request", type: "held.v1", call: 3, sn: 1 });
  await connection.close({ graceMs: 1 });
  const own = other.sent.filter(({ type }) => type === "parley.connection.v1");
  expect(own.map(({ kind }) => kind)).toEqual(["drain", "bye", "error"]);
});

it("a session that was resumed by somebody else is not asked for again", async () => {
  const keeper = new Keeper();
  const options = { transport: "test", session: keeper };
  const answer = { kind: "reply", type: HELLO, call: 1 };
  const dial = async () => {
    const other = peer();
    const dialling = dialChannel(other.open, options);
    await turn();
    return { other, dialling, hello: other.sent[0] as Envelope };
  };
  const first = await dial();
  first.other.frame({
    ...answer,
    id: `${first.hello.id}.r`,
    session: "s",
    generation: 1,
    ack: 0,
    high: 0,
    data: { resume },
  });
  const connection = await first.dialling;
  const message = createEnvelope({ kind: "request", type: "a.v1", source: "/me" });
  const asked = connection.call(createCall({ kind: "request", message })).catch((error) => error);
  await turn();
  first.other.cut();
  expect(connection.state).toBe("reconnecting");
  const second = await dial();
  expect(second.hello).toMatchObject({ session: "s", generation: 2, ack: 0, high: 1 });
  second.other.cut();
  await expect(second.dialling).rejects.toMatchObject({ code: "unavailable" });
  const third = await dial();
  expect(third.hello).toMatchObject({ session: "s", generation: 3 });
  const data = { code: "aborted", outcome: "not-sent", message: "taken" };
  third.other.frame({ kind: "error", type: HELLO, call: 1, id: `${third.hello.id}.e`, data });
  await expect(third.dialling).rejects.toMatchObject({ code: "aborted" });
  expect(await asked).toMatchObject({ code: "unavailable", outcome: "unknown" });
  const fourth = await dial();
  expect(fourth.hello.session).toBeUndefined();
  fourth.other.cut();
  await expect(fourth.dialling).rejects.toThrow();
});

it("an answer to another hello is none", async () => {
  const other = peer();
  const dialling = dialChannel(other.open, { transport: "test", session: new Keeper() });
  await turn();
  other.frame({ kind: "reply", type: HELLO, call: 1, id: "other.r", session: "s", generation: 1, data: { resume } });
  await expect(dialling).rejects.toMatchObject({ code: "aborted", outcome: "not-sent" });
});
