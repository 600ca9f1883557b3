import { connect, type Socket } from "node:net";
import type { Environment } from "../environment.ts";
import { maskedFrame, rawGiver, TRAP } from "../hostile/raw-events.ts";

/** Breaks the rules of the protocol that this wire is carried by, one after the other. */
export async function violations(env: Environment): Promise<void> {
  if (env.tapping === "websocket") await env.calls.apart(() => webSocketViolations(env));
  if (env.tapping === "http") await httpViolations(env);
  if (env.tapping === "lines") await env.calls.apart(() => lineViolations(env));
}

async function lineViolations(env: Environment): Promise<void> {
  const opener = JSON.stringify({ ...env.calls.opener("request", TRAP, { data: "\u0001" }), call: 3 });
  const [head = "", tail = ""] = opener.split("\\u0001");
  const lines: Readonly<Record<string, Buffer>> = {
    "a line that is no UTF-8": Buffer.from([0x7b, 0xc3, 0x28, 0x7d]),
    "a surrogate in UTF-8": Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    "an event with bytes that are no UTF-8": Buffer.concat([
      Buffer.from(head),
      Buffer.from([0xc3, 0x28]),
      Buffer.from(tail),
    ]),
  };
  const give = rawGiver(env);
  for (const [name, bytes] of Object.entries(lines)) {
    const taken = await give(() => bytes);
    env.wire.ok(`${name} to be refused`, taken?.refusal !== undefined);
  }
}

/** Frames against RFC 6455, and the close code of section 7.4 that each must be answered with. */
const frames: Readonly<Record<string, readonly [bytes: Buffer, closeCode: number]>> = {
  "a reserved bit": [maskedFrame(0xc1, Buffer.from("{}")), 1002],
  "an unknown opcode": [maskedFrame(0x83, Buffer.from("{}")), 1002],
  "a frame without a mask": [Buffer.from([0x81, 2, 0x7b, 0x7d]), 1002],
  "text that is no UTF-8": [maskedFrame(0x81, Buffer.from([0xc3, 0x28])), 1007],
  "a ping of 126 bytes": [maskedFrame(0x89, Buffer.alloc(126)), 1002],
  "a ping in fragments": [maskedFrame(0x09, Buffer.from("x")), 1002],
  "a continuation of nothing": [maskedFrame(0x80, Buffer.from("{}")), 1002],
  "a close code that must not be sent": [maskedFrame(0x88, Buffer.from([0x03, 0xed])), 1002],
  "a close frame of one byte": [maskedFrame(0x88, Buffer.from([0x03])), 1002],
};

async function webSocketViolations(env: Environment): Promise<void> {
  for (const [name, [bytes, closeCode]] of Object.entries(frames)) {
    const connection = await env.connect();
    const start = env.tap.captured("listener").length;
    env.tap.inject(bytes, "dialler");
    const reason = await env.within(`the end after ${name}`, connection.closed);
    env.caller.ok(`a reason for the end after ${name}`, reason !== undefined);
    const said = env.tap.captured("listener").subarray(start);
    const told = Buffer.from([closeCode >> 8, closeCode & 0xff]);
    env.wire.ok(`close code ${closeCode} after ${name}`, said.includes(told), said.toString("hex").slice(0, 80));
  }
}

const event = "content-type: application/cloudevents+json\r\n";

/** Requests against RFC 9112, which end with status 400 or without an answer, and always with the connection. */
const requests: Readonly<Record<string, string>> = {
  "two lengths that disagree": `${event}content-length: 5\r\ncontent-length: 6\r\n\r\n{}   {}`,
  "a length and chunks": `${event}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nPOST /x HTTP/1.1\r\n`,
  "a chunk without a size": `${event}transfer-encoding: chunked\r\n\r\nsize\r\n{}\r\n0\r\n\r\n`,
  "a chunk of endless size": `${event}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n`,
  "a space before the colon": `content-type : application/cloudevents+json\r\ncontent-length: 2\r\n\r\n{}`,
  "a header that goes on in the next line": `x-folded: a\r\n b\r\n${event}content-length: 2\r\n\r\n{}`,
  "a header name with a NUL": `x\u0000y: a\r\n${event}content-length: 2\r\n\r\n{}`,
};

async function httpViolations(env: Environment): Promise<void> {
  const { hostname, port, host } = await env.url();
  for (const [name, rest] of Object.entries(requests)) {
    const socket = connect(Number(port), hostname);
    const answer = answerOf(socket);
    socket.write(`POST /conformance.nothing.v1 HTTP/1.1\r\nhost: ${host}\r\n${rest}`, "latin1");
    const said = await env.within(`the end of a connection with ${name}`, answer);
    const statuses = [...said.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => status);
    env.wire.ok(`status 400 for ${name}, or none`, statuses.length <= 1 && (statuses[0] ?? "400") === "400", statuses);
  }
}

/** All that comes until the connection ends. */
async function answerOf(socket: Socket): Promise<string> {
  let said = "";
  socket.on("error", () => {});
  socket.setEncoding("latin1").on("data", (text: string) => {
    said += text;
  });
  await new Promise((resolve) => socket.once("close", resolve));
  return said;
}
