import { type FormEvent, useEffect, useState } from "react";
import { addNote, listNotes, type Note, removeNote } from "./api";

/** The form for a new note, and the notes that there are. */
export function Notes() {
  const [notes, setNotes] = useState<Note[]>();
  const [trouble, setTrouble] = useState("");

  useEffect(() => {
    const left = new AbortController();
    listNotes(left.signal).then(setNotes, (error: unknown) => {
      if (!left.signal.aborted) {
        setTrouble(words(error));
      }
    });
    return () => left.abort();
  }, []);

  /** Does something to the notes, then shows what the backend has now. */
  async function change(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      setNotes(await listNotes());
      setTrouble("");
      return true;
    } catch (error) {
      setTrouble(words(error));
      return false;
    }
  }

  async function add(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? "");
    if (await change(() => addNote(text("title"), text("body")))) {
      form.reset();
    }
  }

  return (
    <>
      <form onSubmit={(event) => void add(event)}>
        <label htmlFor="title">Title</label>
        <input id="title" name="title" maxLength={200} required autoComplete="off" />
        <label htmlFor="body">Text</label>
        <textarea id="body" name="body" maxLength={10_000} rows={3} />
        <button type="submit">Add note</button>
      </form>
      {trouble !== "" && <p role="alert">{trouble}</p>}
      {notes?.length === 0 && <p>There are no notes yet.</p>}
      <ul>
        {notes?.map((note) => (
          <li key={note.id}>
            <h2>{note.title}</h2>
            <p>{note.body}</p>
            <time dateTime={note.created_at}>{new Date(note.created_at).toLocaleString()}</time>
            <button
              type="button"
              aria-label={`Remove ${note.title}`}
              onClick={() => void change(() => removeNote(note.id))}
            >
              Remove
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
