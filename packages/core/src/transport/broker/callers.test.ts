import { expect, test } from "vitest";
import { createCall } from "../../call/call.ts";
import { createEnvelope } from "../../envelope/create.ts";
import type { Arrival } from "./broker.ts";
import { type Caller, Callers } from "./callers.ts";
import type { Route } from "./route.ts";

/** What the routes of callers lead to. */
const called: Route[] = [];

/** Those who call over a link that says so much of them. */
function callersOf(known: { readonly principal?: string; readonly address?: string } = {}): Callers {
  return new Callers({ transport: "mqtt", ...known }, (route) => {
    called.push(route);
    return Promise.resolve({});
  });
}

/** An opener, as it came. */
function opener({ from, principal, ...attributes }: Readonly<Record<string, string>>): Arrival {
  const message = createEnvelope({ kind: "request", type: "test.echo.v1", source: "/caller", ...attributes });
  return { message, from, principal };
}

/** Calls a caller; gives back the way that the call took. */
async function routeTo({ peer }: Caller): Promise<Route | undefined> {
  called.length = 0;
  await peer.invoke?.(createCall({ kind: "request", message: opener({}).message }));
  return called[0];
}

const ada = { from: "client-1", principal: "ada", replyto: "inbox/1", credit: "8:100" };

test("who calls again at once is the same caller, by the same way", async () => {
  const callers = callersOf();
  const first = callers.of(opener(ada));
  const again = callers.of(opener({ ...ada, subject: "elsewhere" }));
  expect(again).toBe(first);
  expect(await routeTo(again)).toBe((await routeTo(first)) ?? "a route");
});

test.each([
  ["another name at the broker", { from: "client-2" }],
  ["another identity", { principal: "bob" }],
  ["another inbox", { replyto: "inbox/2" }],
  ["other terms", { credit: "9:100" }],
])("who comes with %s is another caller", async (_, change) => {
  const callers = callersOf();
  callers.of(opener(ada));
  const sent = { ...ada, ...change };
  const other = callers.of(opener(sent));
  expect(other.peer).toMatchObject({ transport: "mqtt", principal: sent.principal, address: sent.from });
  expect(`${other.hop.limits.windowItems}:${other.hop.limits.windowBytes}`).toBe(sent.credit);
  const route = await routeTo(other);
  expect(route?.everybody).toEqual({ to: "inbox", name: sent.replyto });
  expect(route?.hop).toBe(other.hop);
  expect(["ada", "bob", undefined].filter((principal) => route?.admits(principal))).toEqual([sent.principal]);
});

test("the identity that the broker vouches for goes before that of the link, and the address of the link before the name at the broker", () => {
  const callers = callersOf({ principal: "the link's", address: "127.0.0.1:1883" });
  expect(callers.of(opener(ada)).peer).toMatchObject({ principal: "ada", address: "127.0.0.1:1883" });
  expect(callers.of(opener({ replyto: "inbox/1" })).peer).toMatchObject({ principal: "the link's" });
});

test("who says not where an answer goes cannot be called", () => {
  const caller = callersOf().of(opener({ from: "client-1" }));
  expect(caller.peer.invoke).toBeUndefined();
  expect(caller.peer.address).toBe("client-1");
});
