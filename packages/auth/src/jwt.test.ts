import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { inspect } from "node:util";
import { createRuntime, systemRuntime } from "@parley/core/transport";
import { exportJWK, type JSONWebKeySet, type JWTPayload, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { caller } from "../test/callers.ts";
import { type JwtOptions, jwt } from "./jwt.ts";

const issuer = "https://login.example";
const audience = "urn:agent:summarizer";
const good = generateKeyPairSync("ec", { namedCurve: "P-256" });
const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });

interface Signed {
  readonly claims?: JWTPayload;
  readonly header?: Record<string, unknown>;
  readonly key?: KeyObject | Uint8Array;
}

/** A token as it should be, but for what is said. */
function token({ claims = {}, header = {}, key = good.privateKey }: Signed = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const all = { iss: issuer, aud: audience, sub: "alice", exp: now + 60, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "ES256", kid: "k1", ...header }).sign(key, { crit: { own: true } });
}

async function keySet(...keys: readonly (readonly [string, KeyObject])[]): Promise<JSONWebKeySet> {
  return {
    keys: await Promise.all(keys.map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, alg: "ES256" }))),
  };
}

async function verify(text: string, options: Partial<JwtOptions> = {}): Promise<unknown> {
  const own = "jwksUrl" in options ? {} : { keys: good.publicKey };
  const verifier = jwt({ issuer, audience, algorithms: ["ES256"], ...own, ...options });
  return verifier(caller({ authorization: `Bearer ${text}` }));
}

describe("a token", () => {
  it("that is good says who calls, what they may, and until when", async () => {
    const exp = Math.floor(Date.now() / 1_000) + 60;
    const claims = { exp, scope: "read write", roles: ["admin", 7], own: true };
    expect(await verify(await token({ claims }))).toMatchObject({
      principal: "alice",
      scopes: ["read", "write"],
      roles: ["admin"],
      expiresAt: exp * 1_000 + 5_000,
      claims: { own: true, sub: "alice" },
    });
  });

  it("is read as the user says", async () => {
    const own: Partial<JwtOptions> = {
      principal: ({ azp }) => azp as string,
      roles: () => ["fixed"],
      scopes: ({ scp }) => scp as string[],
    };
    const read = await verify(await token({ claims: { azp: "client-7", scp: ["a"] } }), own);
    expect(read).toMatchObject({ principal: "client-7", roles: ["fixed"], scopes: ["a"] });
    expect(await verify(await token({ claims: { scp: ["a", "b"] } }))).toMatchObject({ scopes: ["a", "b"] });
  });

  it("may be signed by one key of a set", async () => {
    const keys = await keySet(["k0", stranger.publicKey], ["k1", good.publicKey]);
    expect(await verify(await token(), { keys })).toMatchObject({ principal: "alice" });
    expect(await verify(await token({ header: { kid: "k0" } }), { keys })).toHaveProperty("refused");
    expect(await verify(await token({ header: { kid: "../../dev/null" } }), { keys })).toHaveProperty("refused");
  });

  it("may be signed with a shared secret, where nothing else is accepted", async () => {
    const secret = new Uint8Array(32).fill(7);
    const signed = await token({ key: secret, header: { alg: "HS256" } });
    expect(await verify(signed, { keys: secret, algorithms: ["HS256"] })).toMatchObject({ principal: "alice" });
  });

  it("is not looked for in another scheme", async () => {
    const verifier = jwt({ issuer, audience, algorithms: ["ES256"], keys: good.publicKey });
    expect(await verifier(caller({ authorization: `Basic ${await token()}` }))).toBeUndefined();
    expect(await verifier(caller())).toBeUndefined();
  });

  const now = (): number => Math.floor(Date.now() / 1_000);
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify({ iss: issuer, aud: audience, sub: "alice", exp: now() + 60 })).toString("base64url")}.`;
  const publicPem = new TextEncoder().encode(rsa.publicKey.export({ type: "spki", format: "pem" }) as string);
  it.each<[string, () => Promise<string> | string, Partial<JwtOptions>?]>([
    ["that is none", () => "canary"],
    ["that is empty", () => ""],
    ["of a stranger", () => token({ key: stranger.privateKey })],
    [
      "that was changed",
      async () => (await token()).replace(/\.[^.]+\./, `.${Buffer.from("{}").toString("base64url")}.`),
    ],
    ["without a signature", () => none],
    ["with a signature by another algorithm", () => token({ key: rsa.privateKey, header: { alg: "RS256" } })],
    [
      "signed with the public key as a shared secret",
      () => token({ key: publicPem, header: { alg: "HS256" } }),
      { keys: rsa.publicKey, algorithms: ["RS256"] },
    ],
    [
      "that brings its own key",
      async () => {
        const jwk = await exportJWK(stranger.publicKey);
        return token({
          key: stranger.privateKey,
          header: { jwk, jku: "http://127.0.0.1:1/jwks", x5u: "http://127.0.0.1:1" },
        });
      },
    ],
    ["that ran out", () => token({ claims: { exp: now() - 6 } })],
    ["without an end", () => token({ claims: { exp: undefined } as unknown as JWTPayload })],
    ["that is not good yet", () => token({ claims: { nbf: now() + 60 } })],
    ["for another service", () => token({ claims: { aud: "urn:agent:other" } })],
    ["of another issuer", () => token({ claims: { iss: `${issuer}/` } })],
    ["of nobody", () => token({ claims: { sub: undefined } as unknown as JWTPayload })],
    ["of an empty name", () => token({ claims: { sub: "" } })],
    ["of another type", () => token({ header: { typ: "JWT" } }), { typ: "at+jwt" }],
    ["with an extension that must be understood", () => token({ header: { crit: ["own"], own: 1 } })],
  ])("%s is refused, with a reason that does not repeat it", async (_, make, options) => {
    const refused = await verify(await make(), options);
    expect(refused).toEqual({ refused: expect.any(String) });
    expect(inspect(refused)).not.toMatch(/canary|alice/);
  });

  it("runs out a little later, for clocks that differ, and then for good", async () => {
    const text = await token({ claims: { exp: now() - 3 } });
    expect(await verify(text)).toMatchObject({ principal: "alice" });
    expect(await verify(text, { clockToleranceMs: 0 })).toHaveProperty("refused");
  });
});

describe("published keys", () => {
  /** An issuer's keys, as they are published at the moment. */
  function published(initial: () => Promise<Response> | Response) {
    let answer = initial;
    let now = 0;
    let requests = 0;
    const runtime = createRuntime({ ...systemRuntime, now: () => now });
    const options = {
      jwksUrl: "https://login.example/jwks",
      runtime,
      fetch: async () => {
        requests++;
        return answer();
      },
    };
    const verifier = jwt({ issuer, audience, algorithms: ["ES256"], ...options });
    return {
      verify: (text: string) => Promise.resolve(verifier(caller({ authorization: `Bearer ${text}` }))),
      publish(next: typeof answer): void {
        answer = next;
      },
      advance(byMs: number): void {
        now += byMs;
      },
      requests: () => requests,
    };
  }
  const answering = (keys: JSONWebKeySet) => () => Response.json(keys);

  it("are fetched once, and not for each unknown key", async () => {
    const stage = published(answering(await keySet(["k1", good.publicKey])));
    const text = await token();
    for (let n = 0; n < 3; n++) expect(await stage.verify(text)).toMatchObject({ principal: "alice" });
    for (let n = 0; n < 100; n++) {
      const unknown = await token({ key: stranger.privateKey, header: { kid: `unknown-${n}` } });
      expect(await stage.verify(unknown)).toHaveProperty("refused");
    }
    expect(stage.requests()).toBe(1);
  });

  it.each<[string, () => Response | Promise<Response>]>([
    ["do not answer", () => Promise.reject(new TypeError("fetch failed"))],
    ["are a redirect", () => new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1" } })],
    ["are a page", () => new Response("<html>")],
    ["have no end", () => new Response(new ReadableStream({ pull: (s) => s.enqueue(new Uint8Array(65_536)) }))],
  ])("that %s make no caller unauthenticated, and are left alone for a while", async (_, broken) => {
    const stage = published(broken);
    const text = await token();
    for (let n = 0; n < 10; n++) await expect(stage.verify(text)).rejects.toMatchObject({ code: "unavailable" });
    expect(stage.requests()).toBe(1);
    stage.publish(answering(await keySet(["k1", good.publicKey])));
    stage.advance(5_000);
    expect(await stage.verify(text)).toMatchObject({ principal: "alice" });
  });
});

it.each<[string, Partial<JwtOptions>]>([
  ["no issuer", { issuer: [] }],
  ["an empty issuer", { issuer: "" }],
  ["no audience", { audience: [] }],
  // As callers without types have it.
  ["an audience that is undefined", { audience: undefined as unknown as string }],
  ["no algorithms", { algorithms: [] }],
  ["no signature", { algorithms: ["ES256", "none"] }],
  ["no keys", { keys: undefined }],
  ["two places for keys", { jwksUrl: "https://login.example/jwks" }],
  ["a shared secret beside public keys", { algorithms: ["ES256", "HS256"] }],
  ["a public key as shared secret", { algorithms: ["HS256"] }],
  ["published keys as shared secrets", { algorithms: ["HS256"], keys: undefined, jwksUrl: "https://login.example" }],
  ["several issuers whose subjects may be the same", { issuer: [issuer, "https://other.example"] }],
  ["keys that anybody on the way could change", { keys: undefined, jwksUrl: "http://login.example/jwks" }],
  ["keys from no URL", { keys: undefined, jwksUrl: "-----BEGIN PUBLIC KEY-----" }],
])("%s is refused when it is made", (_, options) => {
  const all: JwtOptions = { issuer, audience, algorithms: ["ES256"], keys: good.publicKey, ...options };
  expect(() => jwt(all)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
});
