import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { Context } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { caller } from "../test/callers.ts";
import { apiKeys, basicAuth, brokerSender, clientCertificate, parentProcess } from "./index.ts";

const KEY = "canary-c0ffee";

function basic(pair: string | Buffer): Context {
  return caller({ authorization: `Basic ${Buffer.from(pair).toString("base64")}` });
}

describe("an API key", () => {
  const verify = apiKeys([
    { key: KEY, principal: "alice", roles: ["reader"] },
    { sha256: createHash("sha256").update("bobs-key").digest("hex"), principal: "bob" },
  ]);

  it("names whose it is, without itself", async () => {
    const alice = await verify(caller({ "x-api-key": KEY }));
    expect(alice).toMatchObject({ principal: "alice", roles: ["reader"] });
    expect(inspect(alice, { showHidden: true })).not.toContain("canary");
    expect(await verify(caller({ "x-api-key": "bobs-key" }))).toMatchObject({ principal: "bob" });
  });

  it.each(["", KEY.slice(0, -1), `${KEY}x`, KEY.toUpperCase(), "bobs-key,bobs-key"])(
    "that is %j is nobody's",
    async (key) => {
      expect(await verify(caller({ "x-api-key": key }))).toEqual({ refused: "unknown API key" });
    },
  );

  it("sent twice is refused, and one that was not sent is not this verifier's business", async () => {
    expect(await verify(caller({ "x-api-key": [KEY, KEY] }))).toEqual({ refused: "several x-api-key headers" });
    expect(await verify(caller({ authorization: `Bearer ${KEY}` }))).toBeUndefined();
    expect(await verify(new Context({ transport: "stdio" }))).toBeUndefined();
  });

  it("may be looked up by its hash, and come in another header", async () => {
    const hashes: string[] = [];
    const find = apiKeys(
      async (sha256) => {
        hashes.push(sha256);
        return { principal: "found" };
      },
      { header: "X-Own" },
    );
    expect(await find(caller({ "x-own": KEY }))).toEqual({ principal: "found" });
    expect(hashes).toEqual([createHash("sha256").update(KEY).digest("hex")]);
  });

  it("that is empty, twice there, or no hash is no key", () => {
    for (const known of [
      [{ key: "", principal: "a" }],
      [{ key: undefined as unknown as string, principal: "a" }],
      [{ sha256: "abc", principal: "a" }],
      [
        { key: KEY, principal: "a" },
        { key: KEY, principal: "b" },
      ],
    ])
      expect(() => apiKeys(known)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});

describe("a user and password", () => {
  const verify = basicAuth([
    { user: "alice", password: "open: sesame", roles: ["admin"] },
    { user: "bob", password: "ünïcode", principal: "urn:agent:bob" },
  ]);

  it("name who it is, without the password", async () => {
    const alice = await verify(basic("alice:open: sesame"));
    expect(alice).toMatchObject({ principal: "alice", roles: ["admin"] });
    expect(inspect(alice)).not.toContain("sesame");
    expect(await verify(basic("bob:ünïcode"))).toMatchObject({ principal: "urn:agent:bob" });
    const lower = caller({ authorization: `bAsIc ${Buffer.from("alice:open: sesame").toString("base64")}` });
    expect(await verify(lower)).toMatchObject({ principal: "alice" });
  });

  it.each<[string, string | Buffer]>([
    ["a wrong password", "alice:open"],
    ["no password", "alice:"],
    ["another's password", "bob:open: sesame"],
    ["an unknown user", "eve:x"],
    ["no colon", "alice"],
    ["nothing", ""],
    ["what is no UTF-8", Buffer.from([0x61, 0x3a, 0xff, 0xfe])],
    ["a NUL", "alice\0:open: sesame"],
    ["a megabyte", `alice:${"x".repeat(1 << 20)}`],
  ])("with %s are refused", async (_, pair) => {
    expect(await verify(basic(pair))).toHaveProperty("refused");
  });

  it("may be checked elsewhere, and are nobody's business in another scheme", async () => {
    const check = basicAuth(async (user, password) => (password === "right" ? { principal: user } : undefined));
    expect(await check(basic("eve:right"))).toEqual({ principal: "eve" });
    expect(await check(basic("eve:wrong"))).toHaveProperty("refused");
    expect(await check(caller({ authorization: "Bearer x" }))).toBeUndefined();
    expect(await check(caller({ authorization: "Basic" }))).toBeUndefined();
    expect(() => basicAuth([{ user: "a", password: "" }])).toThrow(/empty/);
  });
});

describe("what the wire knows", () => {
  const certified = { transport: "ws", principal: "urn:agent:alice", certifiedUntil: 5 };
  it.each([
    ["a certificate", clientCertificate(), certified, { principal: "urn:agent:alice", expiresAt: 5 }],
    ["no certificate", clientCertificate(), { transport: "ws" }, undefined],
    ["a name that is of no certificate", clientCertificate(), { transport: "mqtt", principal: "a" }, undefined],
    ["a broker's sender", brokerSender(), { transport: "mqtt", principal: "a" }, { principal: "a" }],
    ["a broker that vouches for nobody", brokerSender(), { transport: "mqtt" }, undefined],
    ["a certificate instead of a broker", brokerSender(), certified, undefined],
    ["the parent process", parentProcess(), { transport: "stdio" }, { principal: "parent", roles: undefined }],
    ["another process", parentProcess(), { transport: "ws" }, undefined],
  ])("%s", async (_, verify, peer, expected) => {
    expect(await verify(new Context(peer))).toEqual(expected);
  });
});
