import { type Subject, subjectProblems } from "../subject.ts";

/** A wire whose module cannot be loaded here because something is not installed. */
export class MissingPackage extends Error {
  override readonly name = "MissingPackage";
}

/**
 * Imports the module and checks what it exports as `subject`.
 * @throws MissingPackage when a package it imports is not installed, Error when it exports no sound subject.
 */
export async function loadSubject(module: string): Promise<Subject> {
  const { subject } = await importModule(module);
  const problems = subjectProblems(subject);
  if (problems.length > 0) throw new Error(`${module}: ${problems.join("; ")}`);
  return subject as Subject; // just checked
}

async function importModule(module: string): Promise<{ readonly subject?: unknown }> {
  try {
    return (await import(module)) as { readonly subject?: unknown };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const missing = code === "ERR_MODULE_NOT_FOUND" ? /Cannot find package '([^']+)'/.exec(message)?.[1] : undefined;
    if (missing === undefined) throw error;
    throw new MissingPackage(`${missing} is not installed: npm install ${missing}`, { cause: error });
  }
}
