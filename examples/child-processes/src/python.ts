/** A session with Python: code goes in, what it prints comes out, and the session remembers. */
import { ParleyError } from "@parley/core";
import { StdioClient } from "@parley/transport-stdio";

await using python = new StdioClient({
  // Python writes its prompts to stderr, which the shell makes one with stdout.
  command: ["sh", "-c", "exec python3 -i -q -u 2>&1"],
  format: "raw",
  prompt: /^>>> $/m,
  timeoutMs: 5_000,
});

console.log(await python.request("words = 'one two three'.split()\n"));
console.log(await python.request("len(words)\n"));
console.log(await python.request("words[3]\n"));

try {
  await python.request("while True: pass\n\n", { timeoutMs: 500 });
} catch (error) {
  if (!(error instanceof ParleyError)) throw error;
  console.log(error.code, error.outcome);
  python.kill("SIGINT");
}
console.log(await python.request("' '.join(words)\n"));
