// What the page asks of the services. Paths are of the page's own origin: whatever serves it
// also leads /api/ to the backend and /ping/ to ping.

export interface Note {
  id: number;
  title: string;
  body: string;
  created_at: string; // RFC 3339
}

/** The newest notes first, at most 20 of them. */
export async function listNotes(signal?: AbortSignal): Promise<Note[]> {
  const page = await ask<{ notes: Note[] }>("/api/notes", { signal });
  return page.notes;
}

/** Stores a note and gives it back as PostgreSQL has it. */
export function addNote(title: string, body: string): Promise<Note> {
  return ask<Note>("/api/notes", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ title, body }),
  });
}

export async function removeNote(id: number): Promise<void> {
  await ask(`/api/notes/${id}`, { method: "DELETE" });
}

/** Where each service says its version. */
const versionOf = {
  frontend: "/version.json",
  backend: "/api/service/version",
  ping: "/ping/version",
};

export type Service = keyof typeof versionOf;
export const services: Service[] = ["frontend", "backend", "ping"];

/** A service's version, or undefined where it is not reached. */
export async function version(service: Service, signal?: AbortSignal): Promise<string | undefined> {
  try {
    return (await ask<{ version: string }>(versionOf[service], { signal, cache: "no-store" })).version;
  } catch {
    return undefined;
  }
}

/** Fails with a sentence for the person at the page: the service's own where it sent one. */
async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (cause) {
    throw new Error("The server cannot be reached. Try again soon.", { cause });
  }
  const text = await answer.text();
  if (!answer.ok) {
    throw new Error(reason(text) ?? `The server answered with status ${answer.status}.`);
  }
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** The services' form of an error is {"error": "what went wrong"}; a proxy's is a page. */
function reason(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}
