import { request as httpRequest } from "node:http";
import type { Connection } from "@parley/core/transport";
import { users } from "../brokers/secured-place.ts";
import type { Made } from "../calls.ts";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { ALICE, onSecureStage } from "./secure.ts";
import { onBrokerStage } from "./secured-broker.ts";

/** AUTH: what must not be believed. */
export const claimScenarios: readonly Scenario[] = [
  {
    id: "AUTH-06",
    group: "AUTH",
    level: "must",
    title:
      "Who calls is what the wire knows, never what a message's source says, and who is known is refused with a source that names another; pages of other origins and names that only lead here get 403, and nothing listens to other machines unasked.",
    needs: { kinds: ["request"] },
    mutants: ["believes-the-source", "overlooks-the-source", "overlooks-the-source-at-brokers"],
    async run(env) {
      const connection = await env.connect();
      const made = env.calls.make(connection, "request", "echo", { data: 1, attributes: { source: ALICE } });
      await env.within("an answer", made.reply);
      const { principal, message } = await env.called(made.id);
      env.handler.equal("what its source says", message.source, ALICE);
      env.handler.ok("who called not to be whom the source names", principal !== ALICE, principal);
      env.wire.ok("a request on the wire", env.tap.bytes("dialler") > 0);
      if (env.secure !== undefined) await bobIsNotAlice(env);
      if (env.tapping === "http" || env.tapping === "websocket") await strangersPages(env);
    },
  },
];

/** One who is known by a certificate says to be another. */
async function bobIsNotAlice(env: Environment): Promise<void> {
  const { bob } = users;
  if (env.brokered)
    return onBrokerStage(env, async ({ dial, withCertificate }) => {
      await othersSource(env, await env.within("connect()", dial("certificate", withCertificate(bob))), bob);
    });
  await onSecureStage(env, async ({ listen, dial, known, server }) => {
    const url = await listen({ ...server, ca: known.cert, requestCert: true });
    const connection = await env.within("connect()", dial(url, { ca: known.cert, ...known.issue({ names: [bob] }) }));
    await othersSource(env, connection, bob);
  });
}

/** A source that names another is refused; one's own, and one that names nobody, are not. */
async function othersSource(env: Environment, connection: Connection, principal: string): Promise<void> {
  const say = (source: string): Made =>
    env.calls.make(connection, "request", "repeat", { data: { text: "a", times: 2 }, attributes: { source } });
  for (const source of [ALICE, `${ALICE}/phone`, "https://alice.example/phone"]) {
    const made = say(source);
    const error = await env.within("the refusal", env.calls.error(`a call in the name of ${source}`, made.reply));
    env.caller.equal(`how it ends`, [error.code, error.outcome], ["permission_denied", "rejected"]);
    env.handler.equal("who called", (await env.called(made.id)).principal, principal);
    env.handler.equal("what ran of it", env.events(made.id, "returned").length, 0);
  }
  for (const source of [principal, `${principal}/phone`, "/phone"]) {
    const made = say(source);
    await env.within("an answer", made.reply);
    env.handler.equal("what its source says", (await env.called(made.id)).message.source, source);
    env.handler.equal("what ran of it", env.events(made.id, "returned").length, 1);
  }
}

/** Requests as pages in a browser of this machine could make them. */
async function strangersPages(env: Environment): Promise<void> {
  const listener = await env.listen();
  const before = env.events(undefined, "called").length;
  const foreign: readonly Readonly<Record<string, string>>[] = [
    { host: "evil.example" },
    { host: `evil.example:${listener.port}` },
    { origin: "https://evil.example" },
    { origin: "null" },
  ];
  for (const headers of foreign) {
    const status = await env.within("an answer", knock(env, listener, headers));
    env.wire.equal(`the status for ${JSON.stringify(headers)}`, status, 403);
  }
  const own = await env.within("an answer", knock(env, listener, {}));
  env.wire.ok("who is no stranger to be let in", own !== 403 && own < 500, own);
  await env.sentinel(await env.connect());
  const called = env.events(undefined, "called").length - before;
  env.handler.equal("calls that came of it", called, env.tapping === "http" ? 2 : 1);
  const everywhere = new URL(listener);
  everywhere.host = "0.0.0.0:0";
  const listening = env.serving.listen({ url: everywhere.href }).then(
    () => "it listens",
    (error: { code?: unknown }) => error.code,
  );
  const refusal = await env.within("listen() on all addresses", listening);
  env.handler.equal("how listening on all addresses ends", refusal, "failed_precondition");
}

function knock(env: Environment, { port }: URL, headers: Readonly<Record<string, string>>): Promise<number> {
  const websocket = env.tapping === "websocket";
  const upgrade = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
    "sec-websocket-protocol": "cloudevents.json",
  };
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: "127.0.0.1",
      port,
      agent: false,
      method: websocket ? "GET" : "POST",
      path: websocket ? "/" : "/conformance.echo.v1",
      headers: { ...(websocket ? upgrade : { "content-type": "application/json" }), ...headers },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    request.end(websocket ? undefined : "1");
  });
}
