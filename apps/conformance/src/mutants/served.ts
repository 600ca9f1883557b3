import type { Subject } from "../subject.ts";
import { mutants } from "./index.ts";
import { type PackagedWire, packagedWire } from "./mutate.ts";
import { tcpReference } from "./tcp-lines.ts";

const asked = new URL(import.meta.url).searchParams;
const id = asked.get("mutant");
const wire = asked.get("wire") as PackagedWire | null; // from our own process

const own = mutants.find((mutant) => mutant.id === id)?.subject;

const reference = async (): Promise<Subject> => (wire ? packagedWire(wire) : tcpReference);

/** The mutant, or the sound wire, that the query of this module's URL names, for a serving process of its own; the reference over TCP without. */
export const subject: Subject = typeof own === "function" ? await own() : (own ?? (await reference()));
