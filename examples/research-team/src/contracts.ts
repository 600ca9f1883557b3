/** What the agents of the team say to each other: all that two of them need to share. */
import { bidiStream, contract, request, serverStream, topic } from "@parley/core";
import { z } from "zod";

const member = z.object({ name: z.string(), skill: z.string(), url: z.string() });
/** An agent in the directory. */
export type Member = z.output<typeof member>;

/** Who is there, and where. */
export const directory = contract("directory", {
  register: request({ input: member, idempotent: true }),
  /** Answers when there are so many with this skill. */
  find: request({
    input: z.object({ skill: z.string(), atLeast: z.int().min(1) }),
    output: z.array(member),
    idempotent: true,
  }),
});

/** A theme by its name, with the words that show it. */
const themes = z.record(z.string(), z.array(z.string()));

const finding = z.object({ sonnet: z.int(), line: z.int(), theme: z.string(), text: z.string() });
/** A line of a sonnet that has a word of a theme. */
export type Finding = z.output<typeof finding>;

/** How many lines the sender wants; `accepted`: it takes what the other has left. */
const claim = z.object({ lines: z.int(), accepted: z.boolean() });
export type Claim = z.output<typeof claim>;

const advocate = z.object({ theme: z.string(), strength: z.int().min(0) });
/** What somebody argues for, and the weight of what was found. */
export type Advocate = z.output<typeof advocate>;

/** What is bargained for, as the caller sees it. */
const subject = z.object({ about: z.int().min(1), own: advocate, other: advocate });
export type Subject = z.output<typeof subject>;

/** Reads sonnets, and argues for what was found. */
export const reader = contract("reader", {
  read: serverStream({ input: z.object({ sonnet: z.int(), themes }), item: finding, idempotent: true }),
  /** Comes to terms with another reader about how many of the lines each theme gets. */
  settle: request({
    input: z.object({ lines: z.int().min(1), own: advocate, other: advocate, rival: member }),
    output: z.object({ own: z.int(), other: z.int() }),
  }),
  /** The caller says what it is about, then both claim in turn until one accepts. */
  negotiate: bidiStream({
    inputItem: z.union([subject, claim]),
    outputItem: claim,
  }),
});

const step = z.discriminatedUnion("step", [
  z.object({ step: z.literal("staffed"), readers: z.array(z.string()) }),
  /** `known` of its lines had come before, from a reader that was lost. */
  z.object({ step: z.literal("read"), sonnet: z.int(), by: z.string(), lines: z.int(), known: z.int() }),
  /** Of what the reader had begun, so many lines had come; the sonnet is read again. */
  z.object({ step: z.literal("lost"), sonnet: z.int(), by: z.string(), lines: z.int(), why: z.string() }),
  z.object({ step: z.literal("agreed"), shares: z.record(z.string(), z.int()) }),
]);
/** Something that the team has done. */
export type Step = z.output<typeof step>;

/** Answers a question from the sonnets. */
export const team = contract("team", {
  investigate: serverStream({
    input: z.object({ question: z.string(), sonnets: z.array(z.int()), themes, lines: z.int().min(1) }),
    item: step,
  }),
});

const report = z.object({
  question: z.string(),
  /** Of each theme, how many lines were found. */
  found: z.record(z.string(), z.int()),
  quoted: z.array(finding),
  lost: z.array(z.string()),
});
export type Report = z.output<typeof report>;

/** What the whole world may hear. */
export const news = contract("news", {
  finished: topic({ path: "research/{team}/finished", data: report }),
});
