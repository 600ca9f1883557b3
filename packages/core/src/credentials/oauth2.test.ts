import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf } from "../../test/settling.ts";
import type { Credential } from "./credentials.ts";
import { type OAuth2Options, oauth2 } from "./oauth2.ts";

const SECRET = "canary-client-secret";

interface Asked {
  readonly url: string;
  readonly init: RequestInit;
}

/** A token endpoint that answers from a list, the last again and again; numbers are bare statuses. */
function endpoint(...answers: (object | number | (() => Response | Promise<Response>))[]) {
  const asked: Asked[] = [];
  const fetch = async (url: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)];
    asked.push({ url: String(url), init });
    if (typeof answer === "function") return answer();
    return typeof answer === "number"
      ? Response.json({}, { status: answer })
      : Response.json({ access_token: `t${asked.length}`, token_type: "Bearer", ...answer });
  };
  return { asked, fetch };
}

function open(answers: Parameters<typeof endpoint>, options: Partial<OAuth2Options> = {}) {
  const clock = manualRuntime();
  const server = endpoint(...answers);
  const credentials = oauth2({
    tokenUrl: "https://login.example/token",
    clientId: "a b",
    clientSecret: SECRET,
    fetch: server.fetch,
    runtime: clock.runtime,
    ...options,
  });
  const present = async (): Promise<Credential> => (await credentials.present?.()) as Credential;
  const token = async (): Promise<string> => (await present()).text();
  return { ...clock, ...server, credentials, present, token };
}

describe("a request for a token", () => {
  it("is what RFC 6749 says, with the client's secret in a header", async () => {
    const { asked, token } = open([{ expires_in: 60 }], { scope: ["read", "write"], parameters: { audience: "x" } });
    expect(await token()).toBe("t1");
    expect(asked[0]?.url).toBe("https://login.example/token");
    const { method, headers, body, redirect } = asked[0]?.init ?? {};
    expect([method, redirect]).toEqual(["POST", "manual"]);
    expect(headers).toEqual({
      "content-type": "application/x-www-form-urlencoded",
      accept: "application/json",
      authorization: `Basic ${Buffer.from(`a+b:${SECRET}`).toString("base64")}`,
    });
    expect(body).toBe("audience=x&scope=read+write&grant_type=client_credentials");
  });

  it("has the secret in its body if the server wants it there", async () => {
    const { asked, token } = open([{}], { clientAuthentication: "body" });
    await token();
    const { headers, body } = asked[0]?.init ?? {};
    expect(headers).not.toHaveProperty("authorization");
    expect(body).toBe(`grant_type=client_credentials&client_id=a+b&client_secret=${SECRET}`);
  });

  it("is made once for a hundred who wait", async () => {
    const { asked, token } = open([{ expires_in: 60 }]);
    expect(new Set(await Promise.all(Array.from({ length: 100 }, token)))).toEqual(new Set(["t1"]));
    expect(asked.length).toBe(1);
  });

  it("that is not answered is given up in time, and leaves no timer", async () => {
    const never = (): Promise<Response> => new Promise(() => {});
    const clock = manualRuntime();
    let signal: AbortSignal | null | undefined;
    const credentials = oauth2({
      tokenUrl: "https://login.example/token",
      clientId: "c",
      clientSecret: SECRET,
      timeoutMs: 100,
      runtime: clock.runtime,
      fetch: (_url, init) => {
        signal = init?.signal;
        return Promise.race([never(), new Promise<Response>((_, no) => signal?.addEventListener("abort", no))]);
      },
    });
    const failing = failureOf(Promise.resolve(credentials.present?.()));
    clock.advance(100);
    expect(await failing).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect([signal?.aborted, clock.timers]).toEqual([true, 0]);
  });
});

describe("a token", () => {
  it("is kept, without a promise, and replaced early while the old one is still shown", async () => {
    const { asked, token, credentials, advance } = open([{ expires_in: 1_000 }]);
    await token();
    advance(939_000);
    expect(credentials.present?.()).not.toBeInstanceOf(Promise);
    expect(asked.length).toBe(1);
    advance(2_000);
    expect([await token(), asked.length]).toEqual(["t1", 2]);
    await new Promise(setImmediate);
    expect([await token(), asked.length]).toEqual(["t2", 2]);
  });

  it("is shown to its end while its replacement fails, and not a moment longer", async () => {
    const { token, advance } = open([{ expires_in: 1_000 }, 503]);
    await token();
    advance(999_000);
    expect(await token()).toBe("t1");
    advance(1_000);
    expect(await failureOf(token())).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });

  it.each([
    [0, 10_000],
    [-5, 10_000],
    ["30", 30_000],
    [1e12, 86_400_000],
    [undefined, 300_000],
    ["soon", 300_000],
  ])("that lasts %s seconds by its server is kept for %d ms", async (expires_in, kept) => {
    const { asked, token, advance } = open([{ expires_in }]);
    await token();
    advance(kept - Math.min(60_000, kept / 10) - 1);
    await token();
    expect(asked.length).toBe(1);
    advance(2);
    await token();
    expect(asked.length).toBe(2);
  });

  it("that is refused is let go once, however many were refused with it", async () => {
    const { asked, present, credentials, advance } = open([{ expires_in: 3_600 }]);
    const first = await present();
    advance(20_000);
    expect([1, 2, 3].map(() => credentials.refused?.(first))).toEqual([true, true, true]);
    const second = await present();
    expect(credentials.refused?.(first)).toBe(true);
    expect([await present(), asked.length]).toEqual([second, 2]);
  });

  it("that is refused when it is new is kept: another would fare no better", async () => {
    const { asked, present, credentials } = open([{ expires_in: 3_600 }]);
    const first = await present();
    expect(credentials.refused?.(first)).toBe(false);
    expect([await present(), asked.length]).toEqual([first, 1]);
  });
});

describe("a refusal", () => {
  it.each<[number, string | undefined, string]>([
    [401, "invalid_client", "unauthenticated"],
    [400, "invalid_client", "unauthenticated"],
    [400, "invalid_scope", "permission_denied"],
    [400, "unauthorized_client", "permission_denied"],
    [400, "invalid_request", "failed_precondition"],
    [401, undefined, "unauthenticated"],
    [403, undefined, "permission_denied"],
    [302, undefined, "unavailable"],
    [429, undefined, "unavailable"],
    [500, undefined, "unavailable"],
  ])("of %d and %s is %s, without what the server says of it", async (status, error, code) => {
    const answer = (): Response => Response.json({ error, error_description: SECRET }, { status });
    const refused = await failureOf(open([answer]).token());
    expect(refused).toMatchObject({ code, outcome: "not-sent" });
    expect(inspect(refused, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it("is what all hear until it is time to ask again, later and later", async () => {
    const { asked, token, advance } = open([503, 503, 503, {}]);
    const errors = await Promise.all(Array.from({ length: 100 }, () => failureOf(token())));
    expect([new Set(errors).size, asked.length]).toEqual([1, 1]);
    advance(249);
    await failureOf(token());
    expect(asked.length).toBe(1);
    for (let next = 2; next <= 3; next++) {
      advance(1_000 * next);
      await failureOf(token());
      expect(asked.length).toBe(next);
    }
    advance(30_000);
    expect(await token()).toBe("t4");
  });

  it("that says when to come again is heeded, within a minute", async () => {
    const busy = (): Response => new Response("", { status: 429, headers: { "retry-after": "1e9" } });
    const { asked, token, advance } = open([busy, {}]);
    expect(await failureOf(token())).toMatchObject({ code: "unavailable", retryAfterMs: 1e12 });
    advance(59_999);
    await failureOf(token());
    expect(asked.length).toBe(1);
    advance(1);
    expect(await token()).toBe("t2");
  });
});

describe("an answer that is no token", () => {
  const endless = (): Response =>
    new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(16_384)) }));
  const broken = (): Response => new Response(new ReadableStream({ pull: (stream) => stream.error(new Error("cut")) }));
  it.each<[string, string, () => Response]>([
    ["a page", "unavailable", () => new Response("<html>")],
    ["without end", "unavailable", endless],
    ["cut off", "unavailable", broken],
    ["of another type", "failed_precondition", () => Response.json({ access_token: "t", token_type: "mac" })],
    ["with a token of several lines", "invalid_argument", () => Response.json({ access_token: `${SECRET}\n` })],
  ])("%s fails as such", async (_, code, answer) => {
    const error = await failureOf(open([answer]).token());
    expect(error).toMatchObject({ code, outcome: "not-sent" });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(SECRET);
  });

  it("because nobody answers fails with why", async () => {
    const cause = new TypeError("fetch failed");
    const { token } = open([{}], { fetch: () => Promise.reject(cause) });
    expect(await failureOf(token())).toMatchObject({ code: "unavailable", cause });
  });
});

it("keeps its secret and its token to itself", async () => {
  const { credentials, present } = open([{ access_token: "canary-token" }]);
  const credential = await present();
  const printed = inspect([credentials, credential], { depth: 20, showHidden: true }) + JSON.stringify(credentials);
  expect(printed).not.toMatch(/canary/);
});

it.each([
  ["ftp://login.example", {}],
  ["no url", {}],
  ["https://me:canary@login.example", {}],
  ["http://login.example/token", {}],
  ["https://login.example", { timeoutMs: -1 }],
])("%s with %o is refused, without what may be secret", async (tokenUrl, options) => {
  const error = await failureOf(() => oauth2({ tokenUrl, clientId: "c", clientSecret: SECRET, ...options }));
  expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
  expect(error.message).not.toContain("canary");
});

it("asks in clear on this machine, and elsewhere when told to", () => {
  const options = { clientId: "c", clientSecret: SECRET };
  oauth2({ tokenUrl: "http://127.0.0.1:8080/token", ...options });
  oauth2({ tokenUrl: "http://keycloak:8080/token", allowPlaintext: true, ...options });
});
