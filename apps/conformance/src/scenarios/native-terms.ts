import { type Code, codes } from "@parley/core";
import type { Environment } from "../environment.ts";

/** ERR-04: the published table against what the tap sees, and against what a foreign peer would send. */
export async function nativeTerms(env: Environment): Promise<void> {
  await errorEvents(env);
  if (env.tapping === "http") await env.calls.apart(() => httpStatuses(env));
  if (env.tapping === "websocket") await env.calls.apart(() => closeCodes(env));
}

const everyCode = Object.entries(codes) as readonly [Code, (typeof codes)[Code]][]; // the entries of a Record<Code, …>

/** On every wire: the error is told by its own name; over HTTP in an answer of the table's status. */
async function errorEvents(env: Environment): Promise<void> {
  const connection = await env.connect();
  for (const [code, { http }] of everyCode) {
    const start = env.tap.captured("listener").length;
    const made = env.calls.make(connection, "request", "fail", { data: { code, message: "by table" } });
    const error = await env.within(
      `the error ${code}`,
      env.calls.error(`a handler that fails with ${code}`, made.reply),
    );
    env.caller.equal(`the code as it came back`, error.code, code);
    const said = env.tap.captured("listener").subarray(start).toString("latin1");
    env.wire.ok(`the code ${code} on the wire`, new RegExp(`"code":\\s*"${code}"`).test(said), said.slice(0, 400));
    if (env.tapping === "http") {
      env.wire.equal(`the HTTP status for ${code}`, /^HTTP\/1\.1 (\d{3})/.exec(said)?.[1], String(http));
    }
  }
}

/** HTTP statuses of a peer, or a proxy, that is no Parley, and the codes they become. */
const foreignStatuses: readonly [status: number, code: Code][] = [
  [400, "invalid_argument"],
  [401, "unauthenticated"],
  [403, "permission_denied"],
  [404, "not_found"],
  [405, "unimplemented"],
  [409, "aborted"],
  [412, "failed_precondition"],
  [413, "resource_exhausted"],
  [415, "invalid_argument"],
  [429, "resource_exhausted"],
  [501, "unimplemented"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "deadline_exceeded"],
];

async function httpStatuses(env: Environment): Promise<void> {
  for (const [status, code] of foreignStatuses) {
    const connection = await env.connect();
    env.tap.hold("listener");
    const made = env.calls.make(connection, "request", "echo", { data: status });
    await env.until("an answer to hold back", () => env.tap.held("listener") > 0);
    env.tap.inject(
      Buffer.from(
        `HTTP/1.1 ${status} Foreign\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\n<p/>`,
      ),
      "listener",
    );
    const error = await env.within(
      `the error for status ${status}`,
      env.calls.error(`an answer of status ${status}`, made.reply),
    );
    env.caller.equal(`the code for a foreign status ${status}`, error.code, code);
    env.tap.cut("rst");
    env.tap.release("listener");
    await env.within("the end of the connection", connection.close({ graceMs: 0 }));
  }
}

/** WebSocket close codes (RFC 6455, 7.4): those that our side gives, and those that the peer gives. */
async function closeCodes(env: Environment): Promise<void> {
  const broken = await env.connect();
  env.tap.forge("{ this is no event", "dialler");
  const reason = await env.within("the end of a connection with a broken frame", broken.closed);
  env.caller.ok("a reason for the end", reason !== undefined);
  env.wire.ok(
    `a close frame with ${codes.invalid_argument.websocket}`,
    env.tap.captured("listener").includes(closeFrameHead(codes.invalid_argument.websocket)),
  );
  const given: readonly [number, Code][] = [
    [1002, "invalid_argument"],
    [1009, "resource_exhausted"],
    [1011, "internal"],
    [1001, "unavailable"],
  ];
  for (const [closeCode, code] of given) {
    const connection = await env.connect();
    env.tap.inject(Buffer.from([0x88, 2, closeCode >> 8, closeCode & 0xff]), "listener");
    const ended = await env.within(`the end by close code ${closeCode}`, connection.closed);
    env.caller.equal(`what close code ${closeCode} becomes`, ended?.code, code);
    env.tap.cut("rst");
  }
}

/** The payload of a close frame begins with its code. */
function closeFrameHead(code: number): Buffer {
  return Buffer.from([code >> 8, code & 0xff]);
}
