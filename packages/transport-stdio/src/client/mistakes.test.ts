import { expect, it } from "vitest";
import { StdioClient, type StdioClientOptions } from "../index.ts";

const command = ["cat"];

it.each<[string, unknown, string]>([
  ["nothing", undefined, "StdioClient takes an object of options, and was given undefined"],
  ["a name that is misspelt", { command, format: "line", timeout: 5 }, "did you mean timeoutMs?"],
  ["arguments beside the command", { command, format: "line", args: ["-n"] }, 'no option "args"'],
  [
    "an option of another format",
    { command, format: "line", prompt: ">" },
    'StdioClient of format line has no option "prompt"',
  ],
])("%s is refused when the client is made", (_what, options, message) => {
  const make = () => new StdioClient(options as StdioClientOptions<"line">); // what callers without types write
  expect(make).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      outcome: "not-sent",
      message: expect.stringContaining(message),
    }),
  );
});

it("a token in place of credentials is refused before anything is started", async () => {
  const options = { command, format: "line", credentials: "t0ken", credentialVariable: "TOKEN" };
  await using client = new StdioClient(options as unknown as StdioClientOptions<"line">); // as above
  await expect(client.connect()).rejects.toMatchObject({
    code: "invalid_argument",
    outcome: "not-sent",
    message: expect.stringMatching(/^(?!.*t0ken).*the option credentials takes what bearer\(\)/),
  });
});
