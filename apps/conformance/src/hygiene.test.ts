import { createServer } from "node:net";
import { expect, it } from "vitest";
import { leaks, leaksWithin, snapshot, watchRejections } from "./hygiene.ts";

it("a server that stays open is a leak, a closed one is not", async () => {
  const before = snapshot();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  expect(await leaksWithin(before, snapshot, 20)).toEqual(["1 more TCPServerWrap than before"]);
  server.close();
  expect(await leaksWithin(before, snapshot, 1_000)).toEqual([]);
});

it("a new key of Object.prototype is a leak", () => {
  const before = snapshot();
  expect(leaks(before, { ...before, prototype: [...before.prototype, "admin"] })).toEqual([
    'Object.prototype has a new key "admin"',
  ]);
});

it("rejections are taken once, and after the watch nobody listens", () => {
  const listeners = process.listenerCount("unhandledRejection");
  const watch = watchRejections();
  const own = process.listeners("unhandledRejection").at(-1);
  own?.(new Error("forgotten"), Promise.resolve());
  expect(watch.take().join()).toContain("forgotten");
  expect(watch.take()).toEqual([]);
  watch.stop();
  expect(process.listenerCount("unhandledRejection")).toBe(listeners);
});
