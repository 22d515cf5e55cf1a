import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  server: {
    // `npm run dev` beside a backend that runs on this machine.
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
  test: { environment: "happy-dom" },
});
