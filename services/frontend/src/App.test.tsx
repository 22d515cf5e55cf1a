import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { App } from "./App";
import type { Note } from "./api";

/** The services behind the page: notes in memory, in place of PostgreSQL. */
let notes: Note[];
let away: Set<string>; // paths that answer as a proxy does for a service that is gone

async function answer(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const path = String(input);
  if (away.has(path)) {
    return new Response("<html>502 Bad Gateway</html>", { status: 502 });
  }
  switch (`${init?.method ?? "GET"} ${path}`) {
    case "GET /api/notes":
      return Response.json({ notes, limit: 20, offset: 0, more: false });
    case "POST /api/notes": {
      const draft = JSON.parse(String(init?.body)) as { title: string; body: string };
      if (draft.title.trim() === "") {
        return Response.json({ error: "title is empty; a note needs one" }, { status: 422 });
      }
      const note = { ...draft, id: notes.length + 1, created_at: "2026-01-02T03:04:05Z" };
      notes = [note, ...notes];
      return Response.json(note, { status: 201 });
    }
    case "DELETE /api/notes/1":
      notes = notes.filter((note) => note.id !== 1);
      return new Response(null, { status: 204 });
    case "GET /version.json":
      return Response.json({ name: "frontend", version: "v-frontend" });
    case "GET /api/service/version":
      return Response.json({ name: "backend", version: "v-backend" });
    case "GET /ping/version":
      return Response.json({ name: "ping", version: "v-ping" });
  }
  return new Response("", { status: 404 });
}

beforeEach(() => {
  notes = [];
  away = new Set();
  vi.stubGlobal("fetch", vi.fn(answer));
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function write(title: string, body = "") {
  fireEvent.change(screen.getByLabelText("Title"), { target: { value: title } });
  fireEvent.change(screen.getByLabelText("Text"), { target: { value: body } });
  fireEvent.submit(screen.getByRole("button", { name: "Add note" }));
}

test("a note that is written is shown, and can be removed", async () => {
  render(<App />);
  await screen.findByText("There are no notes yet.");
  write("Milk", "two litres");
  await screen.findByRole("heading", { name: "Milk" });
  expect(screen.getByText("two litres")).toBeDefined();
  expect(screen.getByLabelText<HTMLInputElement>("Title").value).toBe("");
  fireEvent.click(screen.getByRole("button", { name: "Remove Milk" }));
  await screen.findByText("There are no notes yet.");
});

test("the backend's own words are shown when it refuses a note, which stays in the form", async () => {
  render(<App />);
  write(" ", "kept");
  expect((await screen.findByRole("alert")).textContent).toBe("title is empty; a note needs one");
  expect(screen.getByLabelText<HTMLTextAreaElement>("Text").value).toBe("kept");
});

test("a backend that is away is said, and the versions of the others are shown", async () => {
  away = new Set(["/api/notes", "/api/service/version"]);
  render(<App />);
  expect((await screen.findByRole("alert")).textContent).toBe("The server answered with status 502.");
  await screen.findByText("v-frontend");
  await screen.findByText("v-ping");
  await screen.findByText("not reachable");
});
