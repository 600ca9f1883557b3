import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("the command line", () => {
  it("takes lists with commas and repeated options, each name once", () => {
    const options = parseOptions([
      "--only",
      "ENV,RR-02",
      "--only=RR-02",
      "--transport",
      "ws, ./my-wire.ts",
      "--seed",
      "7",
      "--strict",
    ]);
    expect(options).toMatchObject({
      only: ["ENV", "RR-02"],
      transports: ["ws", "./my-wire.ts"],
      seed: "7",
      strict: true,
      repeat: 1,
      minGraded: 1,
    });
  });

  it.each([
    [["--transports", "ws"], /no option --transports; did you mean --transport\?/],
    [["--xyzzy"], /no option --xyzzy$/],
    [["RR-01"], /"RR-01" belongs to no option; scenarios are chosen with --only/],
    [["--repeat", "0"], /--repeat takes a whole number from 1, and was given "0"/],
    [["--time-scale", "fast"], /--time-scale takes a number above 0/],
    [["--min-graded", "-1"], /min-graded/],
    [["--only", ","], /--only names nothing/],
    [["--html"], /html/],
    [["--strict=yes"], /strict/],
  ])("%j is refused with what to do", (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
    expect(() => parseOptions(args)).toThrow(RangeError);
  });
});
