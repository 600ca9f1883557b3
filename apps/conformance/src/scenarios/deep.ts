import { request } from "node:http";
import type { Environment } from "../environment.ts";

const LEVELS = 10_000;

/**
 * Puts data nested 10 000 levels deep on the wire, past the sender's own check: into a passing frame where frames can be rewritten,
 * by a foreign POST on HTTP. The receiver must refuse it and live.
 */
export async function deepFrame(env: Environment): Promise<void> {
  const deep = `${"[".repeat(LEVELS)}0${"]".repeat(LEVELS)}`;
  if (env.tap.frames) {
    let passed = 0;
    env.tap.rewrite((frame) => {
      if (!frame.includes('"deep-marker"')) return undefined;
      passed++;
      return [frame.replace('"deep-marker"', deep)];
    });
    const connection = await env.connect();
    const made = await env.calls.apart(async () => {
      const deepCall = env.calls.make(connection, "request", "echo", { data: ["deep-marker"] });
      await env.within(
        "the refusal of a deep frame",
        env.calls.error("a call whose frame is 10 000 levels deep", deepCall.reply),
      );
      return deepCall;
    });
    env.handler.equal("dispatches of a deep frame", env.events(made.id).length, 0);
    env.wire.equal("deep frames that passed the tap", passed, 1);
    env.tap.rewrite(undefined);
  } else if (env.transport.schemes.includes("http")) {
    const status = await env.within("the answer to a deep body", post(await env.url(), deep));
    env.wire.equal("the HTTP status for a body 10 000 levels deep", status, 400);
  }
}

/** Posts plain JSON as any HTTP client would, without keeping the socket. */
function post(url: URL, body: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const outgoing = request(
    new URL("/conformance.echo.v1", url),
    { method: "POST", headers, agent: false },
    (response) => {
      response.resume().on("end", () => resolve(response.statusCode ?? 0));
    },
  );
  outgoing.on("error", reject).end(body);
  return promise;
}
