import type { Claim, Finding, Member, Report, Step, Subject } from "./contracts.ts";
import type { Message } from "./record.ts";
import { wireOf } from "./wires.ts";

/** What a message says, in a few words. The data has passed the contract, whose types are these. */
export function describe({ kind, operation, data, error, key }: Message, isAgain: boolean): string {
  if (error) return `failed: ${error.code}, outcome ${error.outcome}`;
  if (kind === "end") return "end";
  if (kind === "cancel") return operation === "news.finished" ? "unsubscribe" : "cancel";
  const opens = kind !== "reply" && kind !== "item";
  switch (operation) {
    case "directory.register":
      return opens ? `register: I ${(data as Member).skill}, by ${wireOf((data as Member).url)}` : "ok";
    case "directory.find":
      return opens ? "find: who can read?" : (data as readonly Member[]).map(({ name }) => name).join(", ");
    case "team.investigate":
      return opens ? `asks: ${(data as { question: string }).question}` : told(data as Step);
    case "reader.read":
      if (opens) return `read ${key?.replace("-", " ")}${isAgain ? " again" : ""}`;
      return `${(data as Finding).theme}: “${(data as Finding).text}”`;
    case "reader.settle":
      return opens
        ? `settle ${(data as Task).lines} lines with ${(data as Task).rival.name}`
        : `agreed: ${(data as Shares).own} and ${(data as Shares).other}`;
    case "reader.negotiate":
      if (opens) return "negotiate";
      return "about" in (data as Subject | Claim) ? opening(data as Subject) : claimed(data as Claim);
    case "news.finished":
      if (kind === "subscribe") return "subscribe";
      return `finished: ${(data as Report).quoted.length} lines to quote`;
    default:
      return operation;
  }
}

type Task = { readonly lines: number; readonly rival: Member };
type Shares = { readonly own: number; readonly other: number };

function told(step: Step): string {
  switch (step.step) {
    case "staffed":
      return `readers: ${step.readers.join(", ")}`;
    case "read":
      return `${step.sonnet} by ${step.by}: ${count(step.lines, "line")}${step.known ? `, ${step.known} known` : ""}`;
    case "lost":
      return `${step.by} lost in ${step.sonnet}, ${count(step.lines, "line")} came`;
    case "agreed":
      return Object.entries(step.shares)
        .map(([theme, share]) => `${share} of ${theme}`)
        .join(", ");
  }
}

function opening({ about, own, other }: Subject): string {
  return `${about} lines: ${own.theme} (${own.strength}) or ${other.theme} (${other.strength})`;
}

function claimed({ lines, accepted }: Claim): string {
  return accepted ? `I take ${lines}: agreed` : `I want ${lines}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
