import { useEffect, useState } from "react";
import { type Service, services, version } from "./api";

/** Which version of each service answers. */
export function Versions() {
  const [found, setFound] = useState<Partial<Record<Service, string>>>({});

  useEffect(() => {
    const left = new AbortController();
    for (const service of services) {
      void version(service, left.signal).then((value) => {
        if (!left.signal.aborted) {
          setFound((before) => ({ ...before, [service]: value ?? "not reachable" }));
        }
      });
    }
    return () => left.abort();
  }, []);

  return (
    <footer>
      <dl>
        {services.map((service) => (
          <div key={service}>
            <dt>{service}</dt>
            <dd id={`version-${service}`}>{found[service] ?? "…"}</dd>
          </div>
        ))}
      </dl>
    </footer>
  );
}
