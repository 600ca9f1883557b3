import type { Environment } from "../environment.ts";
import { nothingOpen, upTo } from "./expect.ts";
import { everything } from "./refused-calls.ts";
import { ALICE, ALICE_AGAIN } from "./secure.ts";

const operations = ["echo", "note", "count", "upload"];

/** Callers with a token that is none, or of a stranger, are not known; whose token it is, is. */
export async function strangersTokens(env: Environment): Promise<void> {
  const [good, wrong] = [env.random.hex(24), env.random.hex(24)];
  const url = await env.listen({ guard: { operations, topics: "open/", tokens: { [good]: ALICE } } });
  const ran = calls(env);
  for (const [what, credential] of [["no token", undefined] as const, ["a stranger's token", wrong] as const]) {
    const connection = await env.within("connect()", env.dial({ url, tuning: { credential } }));
    await refusedAll(env, connection, `with ${what}`);
  }
  env.handler.equal("what ran for callers without a good token", calls(env), ran);
  const alice = await env.within("connect()", env.dial({ url, tuning: { credential: good } }));
  const made = env.calls.make(alice, "request", "echo", { data: 1 });
  await env.within("an answer", env.calls.message(made));
  env.handler.equal("whose the good token is", (await env.called(made.id)).principal, ALICE);
}

/** A token runs out while its connection is open: without another, nothing more runs; with another, all goes on. */
export async function tokenRunsOut(env: Environment): Promise<void> {
  const [first, second] = [env.random.hex(24), env.random.hex(24)];
  const ends = { principal: ALICE, gate: "auth2-token" };
  const tokens = { [first]: ALICE, [second]: ALICE_AGAIN };
  const url = await env.listen({ guard: { operations, topics: "open/", ends, tokens } });
  let current = first;
  let renewed = 0;
  const credential = (refused: string | undefined): string => {
    if (refused === current && refused === first) {
      renewed++;
      current = second;
    }
    return current;
  };
  const only = await env.within("connect()", env.dial({ url, tuning: { credential: first } }));
  const { connection } = await env.lasting({ url, tuning: { credential }, reconnect: { baseMs: env.t / 50 } });
  for (const one of [only, connection]) await env.sentinel(one);
  const ran = calls(env);
  await env.serving.release(ends.gate);
  await refusedAll(env, only, "with a token that has run out");
  env.handler.equal("what ran under it", calls(env), ran);
  const made = upTo(3).map((data) => env.calls.make(connection, "request", "echo", { data }));
  for (const one of made) await env.within("an answer under the next token", env.calls.message(one));
  const principals: unknown[] = [];
  for (const { id } of made) principals.push((await env.called(id)).principal);
  env.handler.equal("who called under the next token", principals, [ALICE_AGAIN, ALICE_AGAIN, ALICE_AGAIN]);
  env.caller.equal("how often another token was asked for", renewed, 1);
  await nothingOpen(env, connection);
}

async function refusedAll(env: Environment, connection: Parameters<typeof everything>[1], how: string): Promise<void> {
  for (const [call, error] of await everything(env, connection, "open/a"))
    if (error)
      env.caller.equal(`how a ${call} ends ${how}`, [error.code, error.outcome], ["unauthenticated", "not-sent"]);
}

/** How many calls have reached the handler of the fixture. */
function calls(env: Environment): number {
  return env.events(undefined, "called").length;
}
