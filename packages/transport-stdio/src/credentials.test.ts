import { inspect } from "node:util";
import { basic, bearer } from "@parley/core";
import type { ParleyError } from "@parley/core/transport";
import { describe, expect, it } from "vitest";
import { agent, ask, dialling } from "../test/harness.ts";
import type { StdioOptions } from "./index.ts";

const CANARY = "canary-31";

const failure = (options: StdioOptions): Promise<ParleyError> =>
  dialling(options).then(
    () => Promise.reject(new Error("it did not fail")),
    (error: ParleyError) => error,
  );

describe("credentials", () => {
  it("are in the child's variable, asked for anew each time that one is started", async () => {
    let asked = 0;
    const credentials = bearer(async () => `token-${++asked}`);
    for (const expected of ["token-1", "token-2"]) {
      const connection = await dialling({ credentials, credentialVariable: "API_TOKEN", env: { OTHER: "x" } });
      const { env } = (await ask(connection, "test.environment.v1")) as { env: Record<string, string> };
      expect([env["API_TOKEN"], env["OTHER"]]).toEqual([expected, "x"]);
      await connection.close();
    }
  });

  it("are in nothing that is printed, also of a child that cannot be started or dies", async () => {
    const own: StdioOptions = { credentials: basic("ada", CANARY), credentialVariable: "API_TOKEN" };
    const connection = await dialling(own);
    const errors = [
      await failure({ ...own, command: ["/nowhere/at-all"] }),
      await failure({ ...own, command: [process.execPath, "/nowhere/at-all.js"] }),
      await failure({ ...own, command: agent("crash", "3") }),
    ];
    const printed = inspect([connection, errors, own], { depth: 14, showHidden: true, maxStringLength: null });
    expect(printed).not.toContain(CANARY);
  });

  it.each([undefined, "", "A=B", "1A"])("without a variable that can be one (%j) start no child", async (name) => {
    const error = await failure({ credentials: bearer(CANARY), credentialVariable: name });
    expect(error).toMatchObject({ code: "invalid_argument", outcome: "not-sent" });
    expect(error.message).toContain("credentialVariable");
  });

  it("that cannot be had start no child", async () => {
    const credentials = bearer(() => Promise.reject(new Error("vault sealed")));
    const error = await failure({ credentials, credentialVariable: "API_TOKEN", command: ["/nowhere/at-all"] });
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent" });
  });
});
