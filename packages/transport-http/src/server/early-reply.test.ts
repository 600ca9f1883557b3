import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ParleyError, reply } from "@parley/core/transport";
import { expect, test } from "vitest";
import { call, echo, pair } from "../../test/pair.ts";

const run = promisify(execFile);
const client = new URL("../../test/early-answers.ts", import.meta.url).pathname;

test.each(["reply", "error"])(
  "an early %s arrives every time, though its upload goes on",
  { timeout: 30_000 },
  async (what) => {
    await using it = await pair((one) => {
      if (one.kind !== "client-stream") return echo()(one);
      if (what === "error") throw new ParleyError("aborted", "early", { details: "early" });
      return { message: reply(one.message, "/agent", "early") };
    });
    // In another process: in one, the two ends never run at the same time.
    const { stdout } = await run(process.execPath, [client, `${it.url.href}text.echo.v1`, "100"]);
    expect(stdout).toBe("100");
    expect(it.listener.stats().openCalls).toBe(0);
    expect((await call(it, "request", { data: 1 })).message?.data).toBe(1);
  },
);
