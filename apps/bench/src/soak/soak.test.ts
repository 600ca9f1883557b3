import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { type MemorySample, memorySlope } from "./memory.ts";

const cli = new URL("cli.ts", import.meta.url).pathname;
const run = promisify(execFile);

test("ten seconds of calls over wires that are cut leave nothing behind, and no answer is wrong", async () => {
  const { stdout } = await run(process.execPath, [cli, "--seconds", "10", "--clients", "2"]);
  expect(stdout).toMatch(/^calls +\d{3,}, with \d+ connections cut in 10 s$/m);
  expect(stdout).toMatch(/^handles left +none$/m);
  expect(stdout).toMatch(/^calls left open +0$/m);
  expect(stdout).toMatch(/^unhandled rejections +0$/m);
  for (const kind of ["request", "lookup", "keyed", "notify", "stream", "leave", "upload", "chat", "subscribe"])
    for (const wire of ["ws", "http"]) expect(stdout).toMatch(new RegExp(`^${wire} ${kind} `, "m"));
}, 60_000);

test("a bound that is broken is told, and is the exit code", async () => {
  const broken = { env: { ...process.env, NODE_OPTIONS: `--import=${leaking}` } };
  const failed = run(process.execPath, [cli, "--seconds", "1", "--wire", "ws", "--clients", "1"], broken);
  await expect(failed).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/BROKEN: nobody handled .* forgotten\nBROKEN: left behind: 1 Timeout/),
  });
}, 60_000);

/** Leaves a timer behind, and a rejection that nobody handles. */
const leaking = `data:text/javascript,${encodeURIComponent(
  "setTimeout(() => { Promise.reject(new Error('forgotten')); setTimeout(() => {}, 8_000); setTimeout(() => {}, 8_000); }, 700)",
)}`;

test("an option that makes no sense is refused", async () => {
  await expect(run(process.execPath, [cli, "--wire", "pigeon"])).rejects.toMatchObject({ code: 2 });
});

test("the slope is that of the line through the samples, in ten minutes", () => {
  const samples = Array.from(
    { length: 100 },
    (_, n): MemorySample => ({ atMs: n * 1_000, heapBytes: 5e7 + n * 1_024 }),
  );
  expect(memorySlope(samples)).toBeCloseTo(600 / 1_024, 6);
  const noisy = samples.map(({ atMs }, n) => ({ atMs, heapBytes: 5e7 + (n % 2) * 1e5 }));
  expect(Math.abs(memorySlope(noisy))).toBeLessThan(0.1);
});
