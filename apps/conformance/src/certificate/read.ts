import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { verdicts } from "../verdict.ts";
import { type Certificate, digestOf } from "./certificate.ts";

/**
 * Reads a certificate, and checks that it is as it was written.
 * @throws RangeError naming the file, and what is wrong with it or how to get one.
 */
export async function readCertificate(file: string, directory: string): Promise<Certificate> {
  const content = parsed(file, await textOf(file, directory));
  const problem = problemOf(content);
  if (problem !== undefined) {
    throw new RangeError(`${file} is no certificate: ${problem}; --certificate <dir> writes one per wire`);
  }
  const certificate = content as Certificate; // just checked
  const digest = digestOf(certificate);
  if (digest !== certificate.digest) {
    throw new RangeError(
      `${file} was changed after it was written: its digest is ${certificate.digest}, and that of what it holds ${digest}; run the suite again`,
    );
  }
  return certificate;
}

async function textOf(file: string, directory: string): Promise<string> {
  try {
    return await readFile(resolve(directory, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException; // fs rejects with nothing else
    const why = code === "ENOENT" ? "there is no such file" : message;
    throw new RangeError(`${file} cannot be read: ${why}`, { cause: error });
  }
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${file} is no JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** What this code relies on; the schema says more. */
function problemOf(content: unknown): string | undefined {
  if (!isRecord(content) || !("certificate" in content)) return "it has no certificate key";
  const { certificate, wire, suite, package: from, profile, status, digest, results, seed } = content;
  if (certificate !== 1) return `its form is ${JSON.stringify(certificate)}, and this suite knows 1`;
  const texts = { wire, profile, status, digest, seed };
  const missing = Object.entries(texts).find(([, value]) => typeof value !== "string");
  if (missing) return `its ${missing[0]} is no text`;
  if (!isVersion(suite)) return "its suite has no name and version";
  if (from !== null && !isVersion(from)) return "its package has no name and version";
  if (!isRecord(results)) return "it has no results";
  const strange = Object.entries(results).find(([, verdict]) => !verdicts.some((one) => one === verdict));
  return strange && `its result of ${strange[0]} is ${JSON.stringify(strange[1])}`;
}

function isVersion(value: unknown): boolean {
  return isRecord(value) && typeof value["name"] === "string" && typeof value["version"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
