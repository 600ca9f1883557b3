import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cable, cable } from "../../../packages/transport-sse/test/cable.ts";
import { act, missing } from "./chromium.ts";
import type { Lab } from "./lab.ts";
import { type OpenedPage, openPage } from "./opened-page.ts";

const wires = ["ws", "sse", "http"] as const;
const patience = { timeout: 30_000, interval: 20 };

describe.skipIf(missing)("a page in Chromium", { timeout: 60_000 }, () => {
  let opened: OpenedPage | undefined;
  let lab: Lab;
  let page: Page;

  beforeAll(async () => {
    opened = await openPage();
    ({ page, lab } = opened);
  }, 90_000);

  afterAll(() => opened?.[Symbol.asyncDispose](), 60_000);

  /** Waits until the agent has logged such a line since then. */
  async function logged(line: string, since: number): Promise<void> {
    await expect.poll(() => lab.log.slice(since), patience).toContain(line);
  }

  describe.each(wires)("over %s", (wire) => {
    const url = (): string => lab.urls[wire].href;

    it("makes a request", async () => {
      expect(await act(page, "unary", url())).toBe("Hello, Ada!");
    });

    it("notifies", async () => {
      const since = lab.log.length;
      await act(page, "notify", url(), `noted over ${wire}`);
      await logged(`noted over ${wire}`, since);
    });

    it("reads a stream", async () => {
      const values = await act(page, "serverStream", url(), 1_000);
      expect(values).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    });

    it("sends a stream", async () => {
      expect(await act(page, "clientStream", url(), [1, 2, 3])).toBe(6);
    });

    it("streams both ways at a time", async () => {
      expect(await act(page, "bidi", url(), ["one", "two", "three"])).toEqual(["ONE", "TWO", "THREE"]);
    });

    it("publishes and subscribes", async () => {
      expect(await act(page, "topic", url())).toEqual(["arts: one", "sports: two"]);
    });

    it("gets the agent's errors", async () => {
      expect(await act(page, "failure", url())).toEqual({
        code: "already_exists",
        outcome: "rejected",
        message: "told to fail",
        details: { told: true },
      });
    });

    it("cancels a request by a signal, and the agent learns of it", async () => {
      const since = lab.log.length;
      await act(page, "wait", url());
      await logged("waiting", since);
      expect(await act(page, "giveUp")).toMatchObject({ code: "cancelled" });
      await logged("wait: cancelled", since);
    });

    it("cancels a stream by leaving it, and the agent learns of it", async () => {
      const since = lab.log.length;
      expect(await act(page, "leave", url())).toBe(1);
      await logged("count ended", since);
    });

    it("gives up at a deadline, and so does the agent", async () => {
      const since = lab.log.length;
      expect(await act(page, "deadline", url())).toMatchObject({ code: "deadline_exceeded" });
      // Whichever is first: its own deadline, or the caller's hanging up. On a slow machine the call may not have reached it at all.
      const lines = (begin: string): number => lab.log.slice(since).filter((line) => line.startsWith(begin)).length;
      await expect.poll(() => lines("waiting") - lines("wait: "), patience).toBe(0);
    });
  });

  it.each(["ws", "sse"] as const)("answers the agent's calls over %s", async (wire) => {
    expect(await act(page, "callBack", lab.urls[wire].href)).toBe("a page");
  });

  describe("whose connection is cut", () => {
    /** Holds a stream of ticks over a way that can be cut. */
    async function cut(wire: (typeof wires)[number], meanwhile: (way: Cable, url: string) => Promise<void>) {
      using way = await cable();
      const url = way.via(lab.urls[wire]).href;
      await act(page, "hold", url);
      try {
        await meanwhile(way, url);
      } finally {
        await act(page, "letGo", url);
      }
    }

    it.each(["ws", "sse"] as const)("goes on with its stream over %s, without gap or double", (wire) =>
      cut(wire, async (way, url) => {
        const { ticks: before } = await act(page, "held", url);
        way.shut = true;
        way.cut();
        lab.tick();
        lab.tick();
        way.shut = false;
        const last = before.length + 2;
        await expect.poll(async () => (await act(page, "held", url)).ticks, patience).toHaveLength(last);
        const { ticks, end, state } = await act(page, "held", url);
        expect({ ticks, end, state }).toEqual({
          ticks: Array.from({ length: last }, (_, index) => index + 1),
          end: undefined,
          state: "open",
        });
        expect(await act(page, "greetAgain", url)).toBe("Hello, again!");
      }),
    );

    it("loses its stream over http, says so, and makes the next call", () =>
      cut("http", async (way, url) => {
        way.cut();
        await expect.poll(async () => (await act(page, "held", url)).end, patience).toBe("unavailable");
        expect(await act(page, "greetAgain", url)).toBe("Hello, again!");
      }));
  });
});
