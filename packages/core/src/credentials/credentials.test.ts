import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { failureOf } from "../../test/settling.ts";
import { createCall } from "../call/call.ts";
import { AuthenticationError } from "../call/error.ts";
import { createEnvelope } from "../envelope/create.ts";
import { apiKey } from "./api-key.ts";
import { basic } from "./basic.ts";
import { bearer } from "./bearer.ts";
import { certificate, withCertificate } from "./certificate.ts";
import type { Credential, Credentials } from "./credentials.ts";
import { type Presenter, presenterOf } from "./presenter.ts";

const CANARY = "canary-2b1f7d";

/** Everything that somebody who looks for a fault prints. */
function printed(value: unknown): string {
  return inspect(value, { depth: 20, showHidden: true, maxStringLength: null }) + JSON.stringify(value) + String(value);
}

async function shown(credentials: Credentials): Promise<Credential> {
  const credential = await credentials.present?.();
  if (!credential) throw new Error("nothing is shown");
  return credential;
}

describe("what is shown", () => {
  it("has its place in headers, in a login, and in one text", async () => {
    const places = async (credentials: Credentials) => {
      const credential = await shown(credentials);
      return [credential.header(), credential.login(), credential.text()];
    };
    expect(await places(apiKey("k1"))).toEqual([["x-api-key", "k1"], { password: "k1" }, "k1"]);
    expect(await places(apiKey("k1", { header: "X-Own" }))).toMatchObject([["x-own", "k1"], {}, "k1"]);
    expect(await places(bearer("t1"))).toEqual([["authorization", "Bearer t1"], { password: "t1" }, "t1"]);
    // RFC 7617, 2 and 2.1.
    expect(await places(basic("Aladdin", "open sesame"))).toEqual([
      ["authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="],
      { user: "Aladdin", password: "open sesame" },
      "Aladdin:open sesame",
    ]);
    expect(await places(basic("test", "123£"))).toMatchObject([
      ["authorization", "Basic dGVzdDoxMjPCow=="],
      {},
      "test:123£",
    ]);
  });

  it("is at hand, without a promise, unless a function gives one", () => {
    expect(bearer("t").present?.()).not.toBeInstanceOf(Promise);
    expect(bearer(() => "t").present?.()).not.toBeInstanceOf(Promise);
    expect(bearer(async () => "t").present?.()).toBeInstanceOf(Promise);
  });

  it("is in nothing that is printed, of the credentials or of what they show", async () => {
    const all = [
      apiKey(CANARY),
      bearer(CANARY),
      basic("ada", CANARY),
      bearer(async () => CANARY),
      certificate({ cert: CANARY, key: CANARY }),
    ];
    for (const credentials of all) {
      const credential = await credentials.present?.();
      credentials.refused?.(credential);
      expect(printed([credentials, credential])).not.toContain(CANARY);
    }
  });
});

describe("a function", () => {
  it("is asked each time, and told what the peer has refused", async () => {
    const told: unknown[] = [];
    const credentials = bearer(async (refused) => {
      told.push(refused);
      return refused === undefined ? "first" : "second";
    });
    const first = await shown(credentials);
    expect(await shown(credentials)).toBe(first);
    expect(credentials.refused?.(first)).toBe(true);
    expect((await shown(credentials)).text()).toBe("second");
    await shown(credentials);
    expect(told).toEqual([undefined, undefined, "first", undefined]);
  });

  it("is not told of a refusal of what it has replaced already", async () => {
    const tokens = ["first", "second", "third"];
    const told: unknown[] = [];
    const credentials = bearer((refused) => {
      told.push(refused);
      return tokens.shift() ?? "";
    });
    const first = await shown(credentials);
    await shown(credentials);
    expect(credentials.refused?.(first)).toBe(true);
    await shown(credentials);
    expect(told).toEqual([undefined, undefined, undefined]);
  });

  it("that fails is told as such, and a ParleyError of its own as it is", async () => {
    const cause = new Error("vault sealed");
    const throwing = bearer(() => {
      throw cause;
    });
    for (const credentials of [throwing, bearer(() => Promise.reject(cause))]) {
      const error = await failureOf(() => shown(credentials));
      expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", cause });
    }
    const own = await failureOf(() => shown(bearer("x\ny")));
    expect(await failureOf(() => shown(bearer(() => Promise.reject(own))))).toBe(own);
  });
});

describe("what cannot be sent", () => {
  const wrong: readonly (readonly [string, () => unknown])[] = [
    ["an empty key", () => apiKey("")],
    ["a key with a line break", () => apiKey(`${CANARY}\n`)],
    ["a token with a letter that headers do not have", () => bearer(`${CANARY}é`)],
    ["a token of a function that is no text", () => shown(bearer(async () => undefined as unknown as string))],
    ["a token of a function with a line break", () => shown(bearer(async () => `${CANARY}\r\nx: y`))],
    ["a user with a colon", () => basic("a:b", CANARY)],
    ["a password with a control character", () => basic("a", `${CANARY}\0`)],
    ["a header that is none", () => apiKey(CANARY, { header: "x key" })],
  ];
  it.each(wrong)("%s is refused, without its value", async (_, make) => {
    const error = await failureOf(make);
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(printed(error)).not.toContain(CANARY);
  });
});

describe("a certificate", () => {
  it("goes before the options of a transport, and leaves alone what it does not say", () => {
    const tls = { ca: "their-ca", cert: "old", minVersion: "TLSv1.3" };
    expect(withCertificate(tls, certificate({ cert: "new", key: "k", ca: undefined }))).toEqual({
      ca: "their-ca",
      cert: "new",
      key: "k",
      minVersion: "TLSv1.3",
    });
    expect(withCertificate(tls, bearer("t"))).toBe(tls);
    expect(withCertificate(undefined, undefined)).toBeUndefined();
  });

  it("of a function is asked for at each connection", () => {
    let asked = 0;
    const credentials = certificate(() => ({ cert: `c${++asked}` }));
    expect([withCertificate(undefined, credentials), withCertificate({}, credentials)]).toEqual([
      { cert: "c1" },
      { cert: "c2" },
    ]);
  });
});

describe("a presenter", () => {
  const refusal = (outcome: "not-sent" | "rejected") => new AuthenticationError("unauthenticated", "no", { outcome });
  const open = (kind: "request" | "client-stream" = "request") =>
    createCall({
      kind,
      message: createEnvelope({ kind, type: "test.any.v1", source: "/test" }),
      ...(kind === "client-stream" ? { input: (async function* () {})() } : {}),
    });

  /** How often a call is made whose peer refuses so. */
  async function made(error: Error, credentials: Credentials, call = open()): Promise<number> {
    let count = 0;
    const presenter = presenterOf(credentials) as Presenter;
    const failing = presenter.call(call, async () => {
      count++;
      await presenter.present();
      throw error;
    });
    expect(await failing.catch((thrown: unknown) => thrown)).toBe(error);
    call.settle();
    return count;
  }

  it("makes a call once more that was refused before it ran, and only then", async () => {
    const renewable = bearer(() => "token");
    expect(await made(refusal("not-sent"), renewable)).toBe(2);
    // A handler that was refused elsewhere says so itself, and may have acted before.
    expect(await made(refusal("rejected"), renewable)).toBe(1);
    expect(await made(new AuthenticationError("permission_denied", "no", { outcome: "not-sent" }), renewable)).toBe(1);
    expect(await made(refusal("not-sent"), renewable, open("client-stream"))).toBe(1);
    expect(await made(refusal("not-sent"), bearer("token"))).toBe(1);
  });

  it("dials once more when it is refused, whatever was said of the outcome", async () => {
    for (const [credentials, expected] of [
      [bearer(() => "token"), 2],
      [bearer("token"), 1],
    ] as const) {
      let dials = 0;
      const presenter = presenterOf(credentials) as Presenter;
      const error = refusal("rejected");
      const dialling = presenter.dial(async () => {
        dials++;
        throw error;
      });
      expect(await failureOf(dialling)).toBe(error);
      expect(dials).toBe(expected);
    }
  });

  it("tells what credentials of a user's own making throw as a ParleyError", async () => {
    const cause = new Error("of their own");
    for (const present of [
      () => Promise.reject(cause),
      () => {
        throw cause;
      },
    ])
      expect(await failureOf((presenterOf({ present }) as Presenter).present() as Promise<unknown>)).toMatchObject({
        code: "unavailable",
        outcome: "not-sent",
        cause,
      });
  });

  it("is not needed where the certificate is all", () => {
    expect([presenterOf(certificate({})), presenterOf(undefined)]).toEqual([undefined, undefined]);
  });
});
