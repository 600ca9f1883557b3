#!/usr/bin/env node
import { main } from "./main.ts";
import { processScreen } from "./report/screen.ts";

// The command `parley-conformance`.
process.exitCode = await main(process.argv.slice(2), {
  directory: process.cwd(),
  screen: processScreen(),
  complain: (text) => void process.stderr.write(text),
});
