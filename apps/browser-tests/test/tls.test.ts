import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { act, missing, openScript, type Site, startChromium } from "./chromium.ts";
import { type Lab, openLab } from "./lab.ts";
import { type OpenedPage, openPage } from "./opened-page.ts";

const wires = ["ws", "sse", "http"] as const;

describe.skipIf(missing)("a page of https: in Chromium", { timeout: 60_000 }, () => {
  let opened: OpenedPage | undefined;
  let site: Site;
  let lab: Lab;
  let page: Page;
  let script: string;

  beforeAll(async () => {
    opened = await openPage({ secure: true });
    ({ site, lab, page, script } = opened);
  }, 90_000);

  afterAll(() => opened?.[Symbol.asyncDispose](), 60_000);

  describe.each(wires)("over %s and TLS", (wire) => {
    const url = (): string => lab.urls[wire].href;

    it("makes a request", async () => {
      expect(url()).toMatch(/^(wss|sses|https):/);
      expect(await act(page, "unary", url())).toBe("Hello, Ada!");
    });

    it("streams both ways at a time", async () => {
      expect(await act(page, "bidi", url(), ["one", "two"])).toEqual(["ONE", "TWO"]);
    });

    it("publishes and subscribes", async () => {
      expect(await act(page, "topic", url())).toEqual(["arts: one", "sports: two"]);
    });

    it("shows a token", async () => {
      await using guarded = await openLab({ allowedOrigins: [site.origin], authenticated: true, secure: true });
      expect(await act(page, "whoami", guarded.urls[wire].href, "ada")).toBe("ada");
    });
  });

  it.each(["ws", "sse", "http"])("may not dial %s: and is told so", async (scheme) => {
    // Of a host that is not this machine: on loopback nobody listens in, and browsers permit it.
    const { code, outcome, message } = await act(page, "dialFailure", `${scheme}://agent.example`);
    expect({ code, outcome }).toEqual({
      code: scheme === "ws" ? "invalid_argument" : "unavailable",
      outcome: "not-sent",
    });
    expect(message).toMatch(/from a page (of https:|loaded over HTTPS)/);
  });

  it("is told of a certificate that its browser does not trust", async () => {
    await using stranger = await startChromium();
    await using plain = await openScript(script);
    const view = await stranger.newPage();
    await view.goto(plain.origin);
    for (const wire of wires) {
      expect(await act(view, "dialFailure", lab.urls[wire].href)).toMatchObject({
        code: "unavailable",
        outcome: "not-sent",
        message: expect.stringContaining("has no certificate that the browser trusts"),
      });
    }
  });
});
