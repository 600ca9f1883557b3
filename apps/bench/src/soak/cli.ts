#!/usr/bin/env node
import { parseArgs } from "node:util";
import { MAX_SLOPE, run, type SoakWire, soakWires } from "./run.ts";

const help = `Runs calls, streams, subscriptions and cancellations over real wires that are cut at random, then looks at what is left.

  pnpm soak                    3 minutes, on ${soakWires.join(" and ")}
  pnpm soak --seconds 600      so long; memory is judged from a minute on
  pnpm soak --wire ws          on some wires, separated by commas
  pnpm soak --clients 8        so many clients of each wire (default: 4)

Leaves with 1 when memory grows by more than ${MAX_SLOPE} MiB in ten minutes, a handle or a call is left, a rejection was handled by nobody, or an
answer was wrong.`;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    seconds: { type: "string", default: "180" },
    clients: { type: "string", default: "4" },
    wire: { type: "string", default: soakWires.join(",") },
    help: { type: "boolean", default: false },
  },
});

if (values.help) console.log(help);
else {
  const wires = values.wire.split(",");
  const unknown = wires.find((name) => !soakWires.some((wire) => wire === name));
  if (unknown !== undefined) usage(`--wire takes ${soakWires.join(", ")}, and was given ${JSON.stringify(unknown)}`);
  const seconds = number("seconds", values.seconds);
  // What is none was refused.
  const report = await run({ seconds, clients: number("clients", values.clients), wires: wires as SoakWire[] });
  for (const line of report.outcomes) console.log(line);
  const { memorySlope, handlesLeft, unhandled, longestPauseMs, violations } = report;
  console.log(`
calls                 ${report.calls}, with ${report.cuts} connections cut in ${seconds} s
memory                ${memorySlope === undefined ? "not judged: the run was too short" : `${memorySlope.toFixed(2)} MiB in ten minutes (at most ${MAX_SLOPE})`}
handles left          ${handlesLeft.join(", ") || "none"}
calls left open       ${report.openCalls}
unhandled rejections  ${unhandled}
longest pause         ${longestPauseMs.toFixed()} ms (of the process, by a busy machine or a collection of garbage)`);
  for (const violation of violations) console.log(`BROKEN: ${violation}`);
  if (violations.length > 0) process.exitCode = 1;
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  return usage(`--${option} takes a positive number, and was given ${JSON.stringify(text)}`);
}

function usage(message: string): never {
  console.error(message);
  process.exit(2);
}
