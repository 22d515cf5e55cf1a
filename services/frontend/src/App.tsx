import { Notes } from "./Notes";
import { Versions } from "./Versions";

/** The page: the backend's notes, and which version of each service is behind it. */
export function App() {
  return (
    <main>
      <h1>Notes</h1>
      <Notes />
      <Versions />
    </main>
  );
}
