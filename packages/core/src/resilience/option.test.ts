import { describe, expect, test } from "vitest";
import { choiceOption, knownOptions } from "./option.ts";

describe("options", () => {
  const names = { timeoutMs: true, connectTimeoutMs: true, baseUrl: true } as const;

  test.each<[unknown, string]>([
    [{ baseURL: "x" }, 'Client has no option "baseURL"; did you mean baseUrl?'],
    [{ timeout: 5 }, 'Client has no option "timeout"; did you mean timeoutMs?'],
    [{ connect: 5 }, 'Client has no option "connect"; did you mean connectTimeoutMs?'],
    [{ speed: 5 }, 'Client has no option "speed"; it has timeoutMs, connectTimeoutMs, baseUrl'],
    [{ toString: 1 }, 'Client has no option "toString"'],
    ["http://secret", "Client takes an object of options, and was given string"],
    [undefined, "Client takes an object of options, and was given undefined"],
    [null, "Client takes an object of options, and was given object"],
  ])("%j are refused, with what may have been meant", (options, message) => {
    const check = (): void =>
      knownOptions("Client", options as { timeoutMs: 1; connectTimeoutMs: 1; baseUrl: 1 }, names);
    expect(check).toThrow(
      expect.objectContaining({
        code: "invalid_argument",
        outcome: "not-sent",
        message: expect.stringContaining(message),
      }),
    );
  });

  test("that there are pass, also when they are undefined", () => {
    knownOptions("Client", { timeoutMs: 1, connectTimeoutMs: undefined, baseUrl: undefined }, names);
  });

  test("with a choice take one of it", () => {
    expect(choiceOption("format", "json", ["json", "text"])).toBe("json");
    expect(() => choiceOption<string>("format", "xml", ["json", "text"])).toThrow(
      'format is xml, and must be "json" or "text"',
    );
  });
});
